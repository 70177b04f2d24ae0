/**
 * Devices, and what keeps a page from having them.
 * @module
 */

/** @type {typeof import('../en/media.js').default} */
export default {
  media: {
    refused: { mic: '此页面没有使用麦克风的权限。', camera: '此页面没有使用摄像头的权限。', both: '此页面没有使用摄像头和麦克风的权限。' },
    system: { mic: '系统不允许浏览器使用麦克风。', camera: '系统不允许浏览器使用摄像头。', both: '系统不允许浏览器使用摄像头和麦克风。' },
    missing: { mic: '没有找到麦克风。', camera: '没有找到摄像头。', both: '没有找到摄像头和麦克风。' },
    busy: { mic: '麦克风似乎正被其他程序占用。', camera: '摄像头似乎正被其他程序占用。', both: '摄像头和麦克风似乎正被其他程序占用。' },
    insecure: {
      mic: '浏览器只允许通过 https 或 localhost 打开的页面使用麦克风和摄像头。请用 https 地址打开这个房间。',
      camera: '浏览器只允许通过 https 或 localhost 打开的页面使用麦克风和摄像头。请用 https 地址打开这个房间。',
      both: '浏览器只允许通过 https 或 localhost 打开的页面使用麦克风和摄像头。请用 https 地址打开这个房间。',
    },
    unsupported: { mic: '此浏览器不支持麦克风。', camera: '此浏览器不支持摄像头。', both: '此浏览器既不支持摄像头也不支持麦克风。' },
    failed: { mic: '无法启动麦克风。', camera: '无法启动摄像头。', both: '无法启动摄像头和麦克风。' },
    allow: {
      chromium: '点击地址左侧的图标，允许使用摄像头和麦克风，然后重新打开。',
      chromiumPhone: '点按地址左侧的图标，再点“权限”，允许使用摄像头和麦克风，然后重新打开。',
      firefox: '点击地址左侧带斜线的摄像头或麦克风图标，取消阻止，然后重新打开。',
      firefoxPhone: '点按地址左侧的锁形图标，允许使用摄像头和麦克风，然后重新打开。',
      safari: '在 Safari 菜单中选择“此网站的设置…”，把摄像头和麦克风设为“允许”，然后重新载入页面。',
      safariPhone: '点按地址栏中的页面图标，打开网站设置，把摄像头和麦克风设为“允许”，然后重新载入页面。',
    },
    allowSystem: '请在系统的隐私设置中允许浏览器使用摄像头和麦克风，然后重新启动浏览器。',
    free: '请关闭正在使用它的其他程序或标签页，然后重新打开。',
    plug: '插上设备后会立即启用。',
    goesOn: '没有它也可以加入。',
    youAreMuted: '你已静音，别人听不到你说话。',
    mic: {
      replaced: (gone, now) => `${gone || '麦克风'}已断开，改用${now || '另一个麦克风'}。`,
      gone: (gone) => `${gone || '麦克风'}已断开，也没有其他麦克风，别人听不到你。`,
      back: (back) => `${back || '麦克风'}已就绪，正在使用。`,
      label: '麦克风',
      unnamed: (n) => `麦克风 ${n}`,
    },
    camera: {
      replaced: (gone, now) => `${gone || '摄像头'}已断开，改用${now || '另一个摄像头'}。`,
      gone: (gone) => `${gone || '摄像头'}已断开，也没有其他摄像头，别人看不到你。`,
      back: (back) => `${back || '摄像头'}已就绪，正在使用。`,
      label: '摄像头',
      unnamed: (n) => `摄像头 ${n}`,
    },
    speaker: {
      label: '扬声器',
      unnamed: (n) => `扬声器 ${n}`,
      ask: '选择扬声器…',
      onlyDefault: '此浏览器使用系统设置的扬声器播放。',
      test: '测试扬声器',
      testing: '正在播放…',
    },
    choose: '摄像头、麦克风、扬声器',
    byDefault: '浏览器默认',
    level: '麦克风音量',
    screen: {
      refused: '没有共享屏幕。',
      system: '系统不允许浏览器录制屏幕。请在系统隐私设置的“屏幕录制”中允许。',
      missing: '此设备上没有可以共享的内容。',
      busy: '无法捕获屏幕。',
      insecure: '共享屏幕需要 https 或 localhost。',
      unsupported: '此浏览器不能共享屏幕。',
      failed: '无法共享屏幕。',
    },
  },
};
