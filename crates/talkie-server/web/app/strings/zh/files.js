/**
 * File drops.
 * @module
 */

/** @param {number} n */
const files = (n) => `${n.toLocaleString('zh')} 个文件`;

/** @type {typeof import('../en/files.js').default} */
export default {
  files: {
    title: '文件',
    empty: '把任意大小的文件和文件夹直接发给其他人：拖放或粘贴到这里，或在下方选择。',
    choose: '发送文件…',
    chooseFolder: '发送文件夹…',
    to: '发给',
    everybody: '所有人',
    nobody: '目前没有已连接的人可以接收文件。',
    tooMany: '文件数量超过一次可发送的上限（10,000 个）。可以先打包成 ZIP。',
    unreadable: '无法读取这些文件。',
    from: (name) => `来自 ${name}`,
    accept: '接收',
    acceptZip: '以 ZIP 接收',
    decline: '拒绝',
    cancel: '取消',
    pause: '暂停',
    resume: '继续',
    save: '保存',
    verified: '已校验',
    unverified: '未校验',
    count: files,
    several: (name, n) => `${name} 等 ${files(n)}`,
    more: (n) => `另有 ${files(n)}`,
    contents: '查看内容',
    unknownType: '未知类型',
    current: (at, of, name) => `第 ${at.toLocaleString('zh')} 个，共 ${of.toLocaleString('zh')} 个：${name}`,
    offered: (from, file) => `${from} 想发给你“${file}”`,
    received: (file) => `“${file}”已收到`,
    progressOf: (name, percent) => `${name}，百分之 ${percent}`,
    buttonFor: (what, name) => `${what}：${name}`,
    places: {
      file: '由你选择保存位置。',
      folder: '由你选择保存到哪个文件夹。',
      download: '将存入你的下载文件夹。',
      kept: '先存在浏览器中，收完后由你保存。',
      small: '收完后由你保存。',
      none: '这里收不下：没有 https 或在无痕（隐私）窗口中，浏览器只能把它放在内存里。',
      zip: '打包为一个 ZIP 文件。',
    },
    paused: { us: '已暂停', them: '对方已暂停' },
    stalled: '正在等待对方',
    drop: {
      everybody: '拖放到这里，发给所有人',
      one: (name) => `拖放到这里，发给 ${name}`,
      nobody: '现在还没有人可以接收文件。',
    },
    paste: {
      title: '发送粘贴的内容？',
      send: '发送',
      cancel: '不发送',
      question: (to, what, size) => `${what}（${size}），发给：${to}`,
    },
    state: {
      offered: '等待你的决定',
      waiting: '等待对方接收',
      active: '传输中',
      interrupted: '连接已断开，恢复后会继续',
      done: '完成',
      declined: '已拒绝',
      cancelled: '已取消',
      failed: '失败',
    },
  },
  transferReasons: {
    left: '对方已离开。',
    lost: '连接已断开。',
    changed: '有文件无法完整读取。',
    damaged: '有一部分在传输中损坏。',
    protocol: '对方发送了意料之外的数据。',
    storage: '无法写入磁盘。',
    'too-big': '内容太大，这个浏览器无法接收。',
    'too-many': '一次发送的文件太多。',
    list: '文件清单不符合要求。',
    busy: '对方有太多待处理的文件。',
    stalled: '对方十分钟没有响应。',
    unknown: '对方已不再保留这次传输。',
  },
};
