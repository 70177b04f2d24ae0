/**
 * `/compare`: WebSocket or WebRTC? Two devices open the page (or one opens both ends), and the one that
 * was there first measures both ways and draws what it found.
 * @module
 */
import { base64url } from '../../names.js';
import { readPath } from '../../peer/badge.js';
import { section } from '../../strings.js';
import { Cleanup, h } from '../../ui/dom.js';
import { loadSheets, pageFrame } from '../frame.js';
import { askServer } from '../servers.js';
import { End } from './end.js';
import { follow, measure } from './measure.js';
import { meaning, pairCard } from './pair-card.js';
import { resultsView } from './results-view.js';

/** @import {View} from '../../ui/dom.js' */
/** @import {EndState} from './end.js' */

const [t] = await Promise.all([section('compare'), loadSheets('compare')]);

export const title = t.title;
/** The pair that this tab made, so that it leads again after a reload. */
const MADE = 'talkie-compare-pair';

/** @param {{home: () => void}} app @returns {View} */
export function view({ home }) {
  const cleanup = new Cleanup();
  const given = location.hash.slice(1);
  const pair = /^[A-Za-z0-9_-]{22,64}$/.test(given) ? given : base64url(crypto.getRandomValues(new Uint8Array(16)));
  const made = pair !== given || sessionStorage.getItem(MADE) === pair;
  if (made) sessionStorage.setItem(MADE, pair);
  history.replaceState(null, '', `/compare#${pair}`);
  const comparison = new Comparison(pair, made, cleanup);
  const page = h('div', { class: 'compare-page' }, comparison.element);
  const element = pageFrame({ title: t.title, lead: t.lead, testid: 'compare', home }, page);
  // Not before what stands above it has its height.
  void comparison.opened.then(() => page.append(meaning(t)));
  return { element, dispose: () => cleanup.run() };
}

/** The pair's card, what happens, and the results. */
class Comparison {
  /** @type {End|null} */ #end = null;
  /** The other end, when it is in this page too. @type {End|null} */ #inside = null;
  /** @type {RTCIceServer[]} */ #iceServers = [];
  #abort = new AbortController();
  /** @type {HTMLElement|null} */ #card = null;

  /** @param {string} pair @param {boolean} made @param {Cleanup} cleanup */
  constructor(pair, made, cleanup) {
    this.pair = pair;
    this.made = made;
    this.words = h('p', { class: 'compare-words', role: 'status', data: { testid: 'compare-words' } });
    this.bar = h('progress', { max: 1, value: 0, hidden: true, 'aria-label': t.state.measuring, data: { testid: 'compare-progress' } });
    this.action = h('button', { type: 'button', class: 'button', hidden: true, data: { testid: 'compare-action' } });
    this.results = h('section', { class: 'compare-results', data: { testid: 'compare-results' } });
    this.element = h(
      'div',
      { class: 'compare-body' },
      h('div', { class: 'compare-state', data: { testid: 'compare-state' } }, this.words, this.bar, this.action),
      this.results,
    );
    cleanup.add(() => this.#close());
    this.opened = this.#open();
  }

  async #open() {
    if (!this.made) this.words.textContent = t.state.connecting;
    const said = await askServer().catch(() => null);
    if (!said) return this.#over('failed', t.state.serverless);
    if (this.#abort.signal.aborted) return;
    this.#iceServers = said.iceServers;
    if (this.made) {
      this.#card = pairCard(t, this.pair, said.invitation, () => this.#openInside());
      this.element.prepend(this.#card);
      this.words.textContent = t.pair.waiting;
    }
    this.#end = new End({ pair: this.pair, made: this.made, iceServers: this.#iceServers, changed: (end, reason) => this.#changed(end, reason) });
  }

  #openInside() {
    this.#inside ??= new End({
      pair: this.pair,
      made: false,
      iceServers: this.#iceServers,
      changed: (end) => {
        if (end.state === 'ready') follow(end);
      },
    });
  }

  /** @param {End} end @param {string} reason */
  #changed(end, reason) {
    if (end.state !== 'waiting' && this.#card) this.#card.hidden = true;
    switch (end.state) {
      case 'connecting':
        this.words.textContent = t.state.connecting;
        return;
      case 'ready':
        if (end.leads) return void this.#measure(end);
        this.words.textContent = t.state.following;
        follow(end);
        return;
      case 'failed':
        return this.#over(end.state, t.state.failed);
      default:
        return this.#over(end.state, t.reasons[reason || 'none'] ?? (end.wasOpen ? t.state.gone : t.reasons['refused'] ?? ''));
    }
  }

  /** @param {End} end */
  async #measure(end) {
    this.#abort = new AbortController();
    this.words.textContent = t.state.measuring;
    this.bar.hidden = false;
    this.#offer(t.state.stop, () => this.#abort.abort());
    const path = await pathOf(end);
    try {
      const found = await measure(end, (_, done) => (this.bar.value = done), this.#abort.signal);
      this.results.replaceChildren(resultsView(t, found, this.#inside ? 'same' : path));
      this.words.textContent = '';
    } catch (error) {
      if (!this.#abort.signal.aborted) throw error;
      if (end.state === 'ready') this.words.textContent = t.state.stopped;
    }
    this.bar.hidden = true;
    if (end.state === 'ready') this.#offer(t.state.again, () => void this.#measure(end));
  }

  /** @param {string} words @param {() => void} press */
  #offer(words, press) {
    this.action.hidden = false;
    this.action.textContent = words;
    this.action.onclick = press;
  }

  /** @param {EndState} state @param {string} words */
  #over(state, words) {
    this.#abort.abort();
    this.bar.hidden = true;
    this.action.hidden = true;
    this.words.textContent = words;
    this.element.dataset.state = state;
  }

  #close() {
    this.#abort.abort();
    this.#end?.close();
    this.#inside?.close();
  }
}

/** @param {End} end */
async function pathOf(end) {
  /** @type {any[]} */
  const stats = [];
  (await end.pc?.getStats())?.forEach((stat) => stats.push(stat));
  return readPath(stats)?.kind ?? null;
}
