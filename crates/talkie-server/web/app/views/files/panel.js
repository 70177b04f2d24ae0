/**
 * The files panel: who to send to, how to choose, and a card for each offer.
 * @module
 */
import { fromFiles } from '../../files/gather.js';
import { strings } from '../../strings.js';
import { Cleanup, h, keyed } from '../../ui/dom.js';
import { selectField } from '../../ui/fields.js';
import { icon } from '../../ui/icons.js';
import { card } from './card.js';
import { offer } from './offer.js';

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
export function filesPanel(store, call) {
  const cleanup = new Cleanup();
  const list = h('div', { class: 'file-list', data: { testid: 'file-list' } });
  const empty = h('p', { class: 'panel-empty' }, icon('files'), h('span', {}, strings.files.empty));
  const kept = new Map();
  cleanup.add(
    store.subscribe((s) => s.transfers, (all) => {
      empty.hidden = all.length > 0;
      /** @type {Map<string, TransferView[]>} */
      const groups = new Map();
      for (const transfer of all) groups.set(transfer.group, [...(groups.get(transfer.group) ?? []), transfer]);
      // The latest is what somebody looks for.
      const cards = [...groups.values()].reverse();
      keyed(list, cards, { key: (rows) => rows[0]?.group ?? '', create: (rows) => card(rows, call.transfers) }, kept);
    }),
  );
  const element = h('div', { class: 'panel-body' }, h('div', { class: 'file-scroll' }, list, empty), sending(store, call, cleanup));
  return { element, dispose: () => cleanup.run() };
}

/**
 * @param {AppStore} store
 * @param {{transfers: Transfers, links: () => Link[]}} call
 * @param {Cleanup} cleanup
 */
function sending(store, call, cleanup) {
  const t = strings.files;
  let chosen = '';
  const to = selectField({ label: t.to, testid: 'file-to', value: /** @type {string} */ (''), choices: [['', t.everybody]], change: (key) => (chosen = key) });
  cleanup.add(
    store.subscribe((s) => s.peers, (peers) => {
      if (!peers.some(({ key }) => key === chosen)) chosen = '';
      to.fill([['', t.everybody], ...peers.map(({ key, name }) => /** @type {const} */ ([key, name || strings.room.guest]))], chosen);
      to.hidden = peers.length < 2;
    }),
  );
  /** @param {string} testid @param {string} label @param {Record<string, unknown>} more */
  const picker = (testid, label, more) => {
    const input = h('input', { type: 'file', multiple: true, hidden: true, 'aria-label': label, tabindex: -1, data: { testid }, ...more });
    input.addEventListener('change', () => {
      const files = [...(input.files ?? [])];
      const links = chosen ? call.links().filter(({ key }) => key === chosen) : call.links();
      offer(store, call.transfers, async () => fromFiles(files), links);
      input.value = '';
    });
    return input;
  };
  const files = picker('file-input', t.choose, {});
  const folder = picker('file-folder-input', t.chooseFolder, { webkitdirectory: true });
  /** @param {string} testid @param {string} label @param {'up'|'files'} sign @param {string} style @param {HTMLInputElement} input */
  const button = (testid, label, sign, style, input) =>
    h('button', { type: 'button', class: `button ${style}`, data: { testid }, on: { click: () => input.click() } }, icon(sign), label);
  return h(
    'div',
    { class: 'file-send' },
    to,
    files,
    folder,
    button('file-choose', t.choose, 'up', 'primary wide', files),
    'webkitdirectory' in folder && button('file-folder', t.chooseFolder, 'files', 'wide', folder),
  );
}
