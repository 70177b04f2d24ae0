/**
 * The files panel: a card for each file, a row in it for each peer.
 * @module
 */
import { secondsLeft } from '../../files/rate.js';
import { isOpen } from '../../files/transfers.js';
import { sizeText, strings, timeText } from '../../strings.js';
import { h, keyed, setAttribute } from '../../ui/dom.js';
import { icon } from '../../ui/icons.js';

/** @import {AppStore} from '../../state.js' */
/** @import {Transfers} from '../../files/transfers.js' */
/** @import {Link} from '../../peer/link.js' */
/** @import {TransferView} from '../../types.js' */
/** @import {View} from '../../ui/dom.js' */

/**
 * @param {AppStore} store
 * @param {{transfers: Transfers, links: () => Link[]}} call
 * @returns {View}
 */
export function filesPanel(store, { transfers, links }) {
  const t = strings.files;
  const picker = h('input', { type: 'file', multiple: true, hidden: true, 'aria-label': t.choose, tabindex: -1, data: { testid: 'file-input' } });
  picker.addEventListener('change', () => {
    transfers.send([...(picker.files ?? [])], links());
    picker.value = '';
  });
  const list = h('div', { class: 'file-list', data: { testid: 'file-list' } });
  const empty = h('p', { class: 'panel-empty' }, icon('files'), h('span', {}, t.empty));
  const kept = new Map();
  const stop = store.subscribe((s) => s.transfers, (all) => {
    empty.hidden = all.length > 0;
    const groups = new Map(all.map((transfer) => [transfer.group, /** @type {TransferView[]} */ ([])]));
    for (const transfer of all) groups.get(transfer.group)?.push(transfer);
    // The latest is what somebody looks for.
    const cards = [...groups.values()].reverse();
    keyed(list, cards, { key: (rows) => rows[0]?.group ?? '', create: (rows) => card(rows, transfers) }, kept);
  });
  const element = h(
    'div',
    { class: 'panel-body' },
    h('div', { class: 'file-scroll' }, list, empty),
    h('div', { class: 'file-send' }, picker, h('button', { type: 'button', class: 'button primary wide', data: { testid: 'file-choose' }, on: { click: () => picker.click() } }, icon('up'), t.choose)),
  );
  return { element, dispose: stop };
}

/** @param {TransferView[]} rows @param {Transfers} transfers */
function card(rows, transfers) {
  const [first] = rows;
  const incoming = first?.direction === 'in';
  const list = h('div', { class: 'file-rows' });
  const element = h(
    'article',
    { class: 'file' },
    h(
      'header',
      {},
      h('span', { class: 'file-icon' }, icon(incoming ? 'down' : 'up')),
      h('div', {}, h('bdi', { class: 'file-name', title: first?.name ?? '' }, first?.name ?? ''), h('span', { class: 'file-size' }, sizeText(first?.size ?? 0))),
    ),
    list,
  );
  const kept = new Map();
  /** @param {TransferView[]} now */
  const update = (now) => keyed(list, now, { key: (r) => r.id, create: (r) => row(r, transfers) }, kept);
  return Object.assign(element, { update });
}

/** @param {TransferView} first @param {Transfers} transfers */
function row(first, transfers) {
  const t = strings.files;
  const { id } = first;
  const incoming = first.direction === 'in';
  const bar = h('progress', { max: 100, value: 0, data: { testid: 'file-progress' } });
  const words = h('span', { class: 'file-words', data: { testid: 'file-words' } });
  /** @param {string} name @param {string} label @param {string} style @param {() => void} press */
  const button = (name, label, style, press) =>
    h('button', { type: 'button', class: `button small ${style}`, data: { testid: `file-${name}` }, on: { click: press } }, label);
  const accept = button('accept', t.accept, 'primary', () => void transfers.accept(id));
  const decline = button('decline', t.decline, '', () => transfers.decline(id));
  const cancel = button('cancel', t.cancel, '', () => transfers.cancel(id));
  const save = h('a', { class: 'button small primary', download: first.name, data: { testid: 'file-save' } }, icon('down'), t.save);
  const element = h(
    'div',
    { class: 'file-row', data: { testid: 'file', transfer: id, direction: first.direction, peer: first.peer } },
    h('div', { class: 'file-line' }, h('bdi', { class: 'file-peer' }, incoming ? t.from(first.peerName || strings.room.guest) : first.peerName || strings.room.guest), words),
    bar,
    h('div', { class: 'file-buttons' }, accept, decline, cancel, save),
  );
  /** @param {TransferView} now */
  const update = (now) => {
    element.dataset.state = now.state;
    setAttribute(element, 'data-verified', now.verified);
    const percent = now.size ? Math.floor((now.bytes / now.size) * 100) : now.state === 'done' ? 100 : 0;
    bar.value = percent;
    bar.setAttribute('aria-label', t.progressOf(now.name, percent));
    bar.hidden = now.state !== 'active';
    words.textContent = wordsFor(now, percent);
    accept.hidden = decline.hidden = now.state !== 'offered';
    cancel.hidden = !isOpen(now) || now.state === 'offered';
    save.hidden = now.url === null;
    if (now.url && save.href !== now.url) save.href = now.url;
  };
  return Object.assign(element, { update });
}

/** @param {TransferView} now @param {number} percent */
function wordsFor(now, percent) {
  const t = strings.files;
  if (now.state === 'active') {
    const left = timeText(secondsLeft(now.size, now.bytes, now.rate));
    return [`${percent} %`, now.rate > 0 && `${sizeText(now.rate)}/s`, left].filter(Boolean).join(' · ');
  }
  if (now.state === 'done') return now.verified ? `${t.state.done} · ${t.verified}` : t.state.done;
  if (now.state === 'failed' && now.reason) return strings.transferReasons[now.reason] ?? t.state.failed;
  return t.state[now.state];
}
