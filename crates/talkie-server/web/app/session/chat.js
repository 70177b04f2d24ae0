/**
 * The chat of a call: straight from peer to peer, kept in the page and nowhere else.
 * @module
 */
import { ChatGate, cleanChat } from '../peer/messages/chat.js';
import { toast } from '../state.js';
import { strings } from '../strings.js';

/** @import {CallContext} from './feature.js' */
/** @import {Link} from '../peer/link.js' */
/** @import {ChatControl} from '../peer/messages/chat.js' */

const CHAT_KEPT = 500;
let chatId = 0;

export class Chat {
  /** @type {Map<string, ChatGate>} */ #gates = new Map();

  on = {
    /** @param {Link} link @param {ChatControl} message */
    chat: (link, { text }) => {
      if (this.#gates.get(link.key)?.admit(performance.now())) this.#add(link.key, link.name, text);
    },
  };

  /** @param {CallContext} context */
  constructor(context) {
    this.context = context;
  }

  /** @param {Link} link */
  added(link) {
    this.#gates.set(link.key, new ChatGate());
  }

  /** @param {Link} link */
  removed(link) {
    this.#gates.delete(link.key);
  }

  /** @param {string} text @returns {boolean} whether anybody got it */
  say(text) {
    const { store, links } = this.context;
    const clean = cleanChat(text);
    if (!clean) return false;
    const heard = links().filter((link) => link.tell({ type: 'chat', text: clean }));
    if (heard.length === 0) {
      toast(store, 'info', strings.chat.nobody);
      return false;
    }
    this.#add(null, store.get().name, clean);
    return true;
  }

  /** @param {string|null} from @param {string} name @param {string} text */
  #add(from, name, text) {
    const { store } = this.context;
    const { chat, unread, panel } = store.get();
    const message = { id: ++chatId, from, name, text, at: Date.now() };
    const seen = from === null || panel === 'chat';
    store.set({ chat: [...chat, message].slice(-CHAT_KEPT), unread: seen ? unread : unread + 1 });
  }
}
