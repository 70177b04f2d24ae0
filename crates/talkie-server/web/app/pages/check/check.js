/**
 * `/check`: whether calls will work from here, and why not. Runs by itself as soon as it is opened, as
 * far as no permission is needed; what it finds is put together by the verdict.
 * @module
 */
import { thisBrowser } from '../../media/browser-kind.js';
import { section } from '../../strings.js';
import { Cleanup, h } from '../../ui/dom.js';
import { copyButton, loadSheets, pageFrame } from '../frame.js';
import { askServer } from '../servers.js';
import { candidatesView } from './candidates-view.js';
import { capabilitiesView } from './capabilities-view.js';
import { browserName } from './capabilities.js';
import { deviceCounts, devicesView } from './devices-view.js';
import { askAlone, askMapping, gather } from './gather.js';
import { loopbackView } from './loopback-view.js';
import { asText, report } from './report.js';
import { eachUrl, MAX_SERVERS } from './servers.js';
import { serversView } from './servers-view.js';
import { verdict } from './verdict.js';
import { findingText, headlineText, verdictView } from './verdict-view.js';

/** @import {Row} from './gather.js' */
/** @import {Here} from './leg.js' */
/** @import {Measured} from './loopback.js' */
/** @import {Mapping} from './mapping.js' */
/** @import {FormFault, Server} from './servers.js' */
/** @import {LegResult, Observed} from './verdict.js' */

const [words] = await Promise.all([section('check'), loadSheets('check')]);
export const title = words.title;

/** @param {{home: () => void}} app */
export function view({ home }) {
  const cleanup = new Cleanup();
  const run = new Run(() => show());
  const verdicts = verdictView(words, () => run.start());
  const servers = serversView(words, { add: (server) => run.add(server), reset: () => run.reset() });
  const candidates = candidatesView(words, (policy) => ((run.policy = policy), run.start()));
  /** @type {Measured[]} */
  const measured = [];
  const loopback = loopbackView(words, (one) => measured.push(one));
  const devices = devicesView(words, () => run.start());
  const capabilities = capabilitiesView(words);
  run.row = (row) => (row ? candidates.add(row) : candidates.clear());
  const show = () => {
    verdicts.show(verdict(run.observed()));
    servers.show(run.legs, run.done);
    loopback.show(run.legs);
  };
  const seen = (/** @type {boolean} */ addresses) => {
    const found = verdict(run.observed());
    return report(
      {
        at: new Date().toISOString(), browser: browserName(), page: location.origin, verdict: headlineText(words, found),
        remarks: found.findings.map((one) => findingText(words, one)), legs: run.legs, rows: run.rows, measured, devices: deviceCounts(), ...capabilities.seen(),
      },
      { addresses },
    );
  };
  for (const part of [loopback, devices, run]) cleanup.add(part.dispose);
  const changed = () => run.start();
  for (const type of ['online', 'offline']) {
    addEventListener(type, changed);
    cleanup.add(() => removeEventListener(type, changed));
  }
  const element = pageFrame({ title: words.title, lead: words.lead, testid: 'check', home }, verdicts.element, servers.element, loopback.element, candidates.element, devices.element, capabilities.element, reportCard(seen));
  void run.start();
  return { element, dispose: () => cleanup.run() };
}

/** @param {(addresses: boolean) => object} seen */
function reportCard(seen) {
  const tick = h('input', { type: 'checkbox', data: { testid: 'report-addresses' } });
  return h(
    'section',
    { class: 'card page-section' },
    h('h2', {}, words.report),
    h('p', { class: 'hint' }, words.reportHint),
    h('label', { class: 'check-row' }, tick, words.addresses),
    h(
      'div',
      { class: 'button-row' },
      copyButton({ ...words.copy, label: words.copyText, testid: 'report-text', text: () => asText(seen(tick.checked)) }),
      copyButton({ ...words.copy, label: words.copyJson, testid: 'report-json', text: () => JSON.stringify(seen(tick.checked), null, 2) }),
    ),
  );
}

/** One check of the network after the other; a new one ends the one before. */
class Run {
  /** @type {LegResult[]} */ legs = [];
  /** @type {Row[]} */ rows = [];
  /** @type {Mapping|null} */ mapping = null;
  /** @type {Server[]} what somebody typed; then the server's own are left alone */ #typed = [];
  /** @type {RTCIceTransportPolicy} */ policy = 'all';
  /** @type {(row: Row|null) => void} null: from the start again */ row = () => {};
  done = false;
  #signaling = true;
  #ending = new AbortController();

  /** @param {() => void} changed */
  constructor(changed) {
    this.changed = changed;
  }

  dispose = () => this.#ending.abort();

  /** @param {Server} server @returns {FormFault|null} */
  add(server) {
    const others = this.#typed.filter(({ url }) => url !== server.url);
    if (others.length >= MAX_SERVERS) return 'tooMany';
    this.#typed = [...others, server];
    void this.start();
    return null;
  }

  reset() {
    this.#typed = [];
    void this.start();
  }

  async start() {
    this.#ending.abort();
    const { signal } = (this.#ending = new AbortController());
    [this.done, this.legs, this.rows, this.mapping] = [false, [], [], null];
    this.row(null);
    this.changed();
    if (!navigator.onLine) return this.#end();
    const told = await askServer().catch(() => null);
    if (signal.aborted) return undefined;
    this.#signaling = told !== null;
    const servers = this.#typed.length ? this.#typed : eachUrl(told?.iceServers);
    this.legs = servers.map((server) => ({ server, outcome: null, code: null, ms: 0 }));
    this.changed();
    const here = { firefox: thisBrowser().startsWith('firefox'), selfSigned: told?.invitation.selfSigned === true && this.#typed.length === 0 };
    const alone = servers.map(async (server) => {
      const result = await askAlone(server, here, signal);
      if (signal.aborted) return;
      this.legs = this.legs.map((leg) => (leg.server === server ? result : leg));
      this.changed();
    });
    const discovery = this.#typed.length ? [] : (told?.discovery ?? []);
    await Promise.all([...alone, this.#gatherAll(servers, signal), this.#askNat(discovery, here, signal)]);
    return signal.aborted ? undefined : this.#end();
  }

  /** @param {Server[]} servers @param {AbortSignal} signal */
  async #gatherAll(servers, signal) {
    const row = (/** @type {Row} */ one) => {
      if (signal.aborted) return;
      this.rows.push(one);
      this.row(one);
    };
    await gather({ servers, policy: this.policy, signal, row });
  }

  /** @param {string[]} urls @param {Here} here @param {AbortSignal} signal */
  async #askNat(urls, here, signal) {
    const mapping = await askMapping(urls, here, signal);
    if (!signal.aborted) this.mapping = mapping;
  }

  #end() {
    this.done = true;
    this.changed();
    return undefined;
  }

  /** @returns {Observed} */
  observed() {
    return {
      online: navigator.onLine, secure: isSecureContext, signaling: this.#signaling, done: this.done, page: location.hostname, legs: this.legs,
      candidates: this.rows.filter((row) => row.kind === 'candidate'), mapping: this.mapping,
    };
  }
}
