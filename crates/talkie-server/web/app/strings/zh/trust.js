/**
 * Privacy from the server: keys, safety numbers, locked rooms, and who is in.
 * @module
 */

/** @type {typeof import('../en/trust.js').default} */
export default {
  trust: {
    keyless: '此房间没有密钥：服务器有可能窃听。',
    keylessHint: '从首页新建房间，即可得到带密钥的链接。',
    sealed: '私密：只有持完整链接的人才能进入，服务器看不到姓名，也无法窃听。',
    insecure: '此页面经由未加密的 http 打开：网络可以篡改页面本身，密钥因此无法提供保护。请改用 https 打开。',
    nobodyInside: '房间里还没有人。',
    inside: (n) => `房间里有 ${n} 人。`,
    lockedRoom: '房间已锁定：需要里面的人让你进入。',
    ask: '请求加入',
    waiting: '已敲门，正在等待里面的人让你进入…',
    cancel: '取消',
    tampered: '已拒绝：服务器篡改、重放或扣留了消息',
    tamperedToast: (name) => `服务器篡改、重放或扣留了你与${name}之间的消息，这些消息已被拒绝。房间里的其他人不受影响。`,
    verified: '安全码已核对',
    doubted: '安全码不一致',
    compareTitle: (name) => `与${name}核对安全码`,
    compareHow: (name) => `请互相读出这串数字，最好在看得见对方时口头核对。如果${name}看到的数字相同，说明你们之间没有第三者。`,
    noNumber: '尚无安全码：连接建立后即会显示。',
    same: '数字相同',
    different: '数字不同',
    undo: '撤销核对',
    differentAdvice: (name) => `你与${name}之间可能有人在窃听。请不要在这里谈论机密内容，离开房间，并通过其他可信的方式约定新的房间。`,
  },
  people: {
    title: '成员',
    self: '你',
    list: '房间里的人',
    lock: '锁定房间',
    lockHint: '新来的人需要敲门，由里面的人放行。',
    micOn: '麦克风已开启',
    micOff: '麦克风已关闭',
    cameraOn: '摄像头已开启',
    cameraOff: '摄像头已关闭',
    safety: '安全码',
    safetyOf: (name) => `与${name}的安全码`,
    knocks: '请求加入',
    knocking: (name) => `${name}请求加入`,
    untrusted: '有人没有此房间的密钥却请求加入',
    admit: '允许进入',
    refuse: '拒绝',
    admitName: (name) => `允许${name}进入`,
    refuseName: (name) => `拒绝${name}`,
    buttonKnocks: (n) => `成员，${n} 人请求加入`,
    nowLocked: '房间已锁定',
    nowOpen: '房间已解锁',
  },
};
