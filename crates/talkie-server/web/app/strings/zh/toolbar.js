/**
 * 房间的控制按钮及其快捷键。
 * @module
 */

/** @type {typeof import('../en/toolbar.js').default} */
export default {
  toolbar: {
    label: '通话控制',
    micOff: '麦克风静音',
    micOn: '取消静音',
    micNone: '打开麦克风',
    cameraOff: '关闭摄像头',
    cameraOn: '打开摄像头',
    screenOn: '共享屏幕',
    screenOff: '停止共享屏幕',
    handUp: '举手',
    handDown: '放下手',
    react: '发送表情回应',
    layout: '布局',
    grid: '所有人一样大',
    speaker: '放大正在说话的人',
    pip: '小窗口',
    people: '成员',
    connection: '连接',
    settings: '设置',
    record: '录制通话',
    recordStop: '停止录制',
    hold: '保持通话',
    resume: '恢复通话',
    shortcuts: '键盘快捷键',
    more: '更多',
    chat: '聊天',
    chatUnread: (n) => `聊天，${n} 条未读`,
    files: '文件',
    leave: '离开通话',
  },
  shortcuts: {
    title: '键盘快捷键',
    mic: '打开或关闭麦克风',
    camera: '打开或关闭摄像头',
    screen: '开始或停止共享屏幕',
    hand: '举手或放下手',
    chat: '打开或关闭聊天',
    talk: '按住说话（麦克风关闭时）',
    pin: '固定第一、第二…个画面；再按一次取消',
    help: '显示本帮助',
    close: '关闭面板',
    space: '空格',
    escape: 'Esc',
    enabled: '使用键盘快捷键',
    hint: '输入文字时，快捷键不起作用。',
  },
};
