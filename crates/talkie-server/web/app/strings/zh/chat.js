/**
 * 聊天。
 * @module
 */

/** @type {typeof import('../en/chat.js').default} */
export default {
  chat: {
    title: '聊天',
    empty: '消息直接发送给其他人，不会保存在任何其他地方。',
    placeholder: '给所有人发消息',
    label: '消息',
    send: '发送',
    nobody: '这里还没有人能看到这条消息。',
    log: '消息记录',
    cut: (length) => `已截断为 ${length} 个字符，这是单条消息的上限。更长的文本请以文件发送。`,
    told: (teller) => `此前的消息，由 ${teller} 转述`,
    typing: (names) => (names.length === 1 ? `${names[0]} 正在输入…` : names.length === 2 ? `${names[0]} 和 ${names[1]} 正在输入…` : '多人正在输入…'),
    emoji: '表情',
    emojiGroups: { smileys: '笑脸', gestures: '手势', nature: '自然与食物', things: '物品与符号' },
  },
};
