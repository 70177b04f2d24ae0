/**
 * The chat of a call: straight from peer to peer, kept in the pages of those who are there and nowhere
 * else. Who comes later is told what was said by who has been there longest (history.js).
 * @module
 */
import { base64url } from '../names.js';
import { ChatGate, cleanChat } from '../peer/messages/chat.js';
import { toast } from '../state.js';
import { strings } from '../strings.js';
import { withSaid, withTold } from './chat-log.js';
import { History } from './history.js';
import { Typing } from './typing.js';

/** @import {CallContext} from './feature.js' */
/** @import {Link} from '../peer/link.js' */
/** @import {ChatControl, TypingMessage} from '../peer/messages/chat.js' */
/** @import {HistoryMessage, Told} from '../peer/messages/history.js' */

let chatKey = 0;

export class Chat {
  /** @type {Map<string, ChatGate>} */ #gates = new Map();

  on = {
    /** @param {Link} link @param {ChatControl} message */
    chat: (link, { id, text }) => {
      if (!this.#gates.get(link.key)?.admit(performance.now())) return;
      this.typing.ends(link.key);
      this.#add({ id: id || newId(), from: link.key, name: link.name, text });
    },
    /** @param {Link} link @param {TypingMessage} message */
    typing: (link, message) => this.typing.on.typing(link, message),
    /** @param {Link} link */
    'history-ask': (link) => this.history.on['history-ask'](link),
    /** @param {Link} link @param {HistoryMessage} message */
    history: (link, message) => this.history.on.history(link, message),
  };

  /** @param {CallContext} context */
  constructor(context) {
    this.context = context;
    this.typing = new Typing(context);
    this.history = new History(context, { known: () => this.#known(), take: (teller, messages) => this.#told(teller, messages) });
  }

  /** @param {Link} link */
  added(link) {
    this.#gates.set(link.key, new ChatGate());
  }

  /** @param {Link} link */
  opened(link) {
    this.history.opened(link);
  }

  /** @param {Link} link */
  removed(link) {
    this.#gates.delete(link.key);
    this.typing.removed(link);
    this.history.removed(link);
  }

  close() {
    this.typing.close();
    this.history.close();
  }

  /** @param {string} text @returns {boolean} whether anybody got it */
  say(text) {
    const { store, links } = this.context;
    const clean = cleanChat(text);
    if (!clean) return false;
    const id = newId();
    const heard = links().filter((link) => link.tell({ type: 'chat', id, text: clean }));
    if (heard.length === 0) {
      toast(store, 'info', strings.chat.nobody);
      return false;
    }
    this.typing.mine(false);
    this.#add({ id, from: null, name: store.get().name, text: clean });
    return true;
  }

  /** @param {{id: string, from: string|null, name: string, text: string}} said */
  #add(said) {
    const { store } = this.context;
    const { chat, unread, panel } = store.get();
    const now = withSaid(chat, { ...said, key: ++chatKey, at: Date.now(), told: null });
    if (now === chat) return;
    const seen = said.from === null || (panel === 'chat' && document.visibilityState === 'visible');
    store.set({ chat: now, unread: seen ? unread : unread + 1 });
  }

  /** @param {string} teller @param {Told[]} messages */
  #told(teller, messages) {
    const { store } = this.context;
    const now = Date.now();
    const heard = messages.map(({ age, ...message }) => ({ ...message, key: ++chatKey, from: '', at: now - age, told: teller }));
    store.set({ chat: withTold(store.get().chat, heard) });
  }

  /** @returns {Told[]} */
  #known() {
    const now = Date.now();
    return this.context.store.get().chat.map(({ id, name, text, at }) => ({ id, name, text, age: Math.max(0, now - at) }));
  }
}

/** 96 random bits: nobody guesses a message's id before it is sent. */
const newId = () => base64url(crypto.getRandomValues(new Uint8Array(12)));
