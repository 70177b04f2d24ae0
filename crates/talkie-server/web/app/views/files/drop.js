/**
 * Dropping and pasting files anywhere in the room. While files are dragged over it, the room shows where
 * they can be dropped and what will happen then: one place for everybody, one for each person. The same
 * can be had by keyboard in the files panel.
 * @module
 */
import { fromDrop, fromFiles } from '../../files/gather.js';
import { sizeText, strings } from '../../strings.js';
import { showDialog } from '../../ui/dialog.js';
import { h } from '../../ui/dom.js';
import { icon } from '../../ui/icons.js';
import { offer } from './offer.js';

/** @import {AppStore} from '../../state.js' */
/** @import {Transfers} from '../../files/transfers.js' */
/** @import {Link} from '../../peer/link.js' */
/** @import {Cleanup} from '../../ui/dom.js' */

/** @typedef {{transfers: Transfers, links: () => Link[]}} Sending */

/**
 * @param {AppStore} store
 * @param {Sending} call
 * @param {Cleanup} cleanup
 * @returns {HTMLElement} lies over the room while files are dragged
 */
export function dropOverlay(store, call, cleanup) {
  const element = h('div', { class: 'drop', hidden: true, data: { testid: 'drop-overlay' } });
  /** @param {DragEvent} event */
  const hasFiles = (event) => event.dataTransfer?.types.includes('Files') ?? false;
  const hide = () => (element.hidden = true);
  /** @template {keyof WindowEventMap} K @param {K} type @param {(event: WindowEventMap[K]) => void} listener */
  const listen = (type, listener) => {
    addEventListener(type, listener);
    cleanup.add(() => removeEventListener(type, listener));
  };
  listen('dragenter', (event) => {
    if (!hasFiles(event) || !element.hidden) return;
    element.replaceChildren(...zones(store, call, hide));
    element.hidden = false;
  });
  listen('dragover', (event) => {
    if (!hasFiles(event)) return;
    // Beside a zone nothing happens, and above all the browser does not open the file.
    event.preventDefault();
    if (event.dataTransfer) event.dataTransfer.dropEffect = inZone(event) ? 'copy' : 'none';
  });
  listen('dragleave', (event) => event.relatedTarget === null && hide());
  listen('drop', (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    hide();
  });
  listen('paste', (event) => pasted(store, call, event));
  return element;
}

/** @param {Event} event */
const inZone = ({ target }) => target instanceof Element && target.closest('[data-testid="drop-zone"]') !== null;

/** @param {AppStore} store @param {Sending} call @param {() => void} hide @returns {HTMLElement[]} */
function zones(store, call, hide) {
  const t = strings.files.drop;
  const links = call.links().filter(({ control }) => control?.readyState === 'open');
  if (links.length === 0) return [h('p', { class: 'drop-nobody' }, icon('files'), t.nobody)];
  /** @param {string} words @param {Link[]} to */
  const zone = (words, to) => {
    const element = h('div', { class: 'drop-zone', data: { testid: 'drop-zone', ...(to.length === 1 && links.length > 1 && { peer: to[0]?.key ?? '' }) } }, icon('files'), h('span', {}, words));
    element.addEventListener('dragenter', () => (element.dataset.over = ''));
    element.addEventListener('dragleave', (event) => {
      if (!(event.relatedTarget instanceof Node && element.contains(event.relatedTarget))) delete element.dataset.over;
    });
    element.addEventListener('drop', (event) => {
      event.preventDefault();
      hide();
      const { dataTransfer } = event;
      if (!dataTransfer) return;
      const gathering = fromDrop(dataTransfer);
      void offer(store, call.transfers, () => gathering, to);
      store.set({ panel: 'files' });
    });
    return element;
  };
  const all = zone(t.everybody, links);
  return links.length === 1 ? [all] : [all, ...links.map((link) => zone(t.one(link.name || strings.room.guest), [link]))];
}

/** Pasting happens by accident, so it is asked about. @param {AppStore} store @param {Sending} call @param {ClipboardEvent} event */
function pasted(store, call, event) {
  const data = event.clipboardData;
  // Text copied from an office program brings a picture of itself along.
  if (event.defaultPrevented || !data || data.files.length === 0 || data.types.includes('text/plain')) return;
  event.preventDefault();
  const t = strings.files;
  const files = [...data.files];
  const to = call.links().filter(({ control }) => control?.readyState === 'open');
  const send = () => {
    shown.close();
    void offer(store, call.transfers, async () => fromFiles(files), to);
    store.set({ panel: 'files' });
  };
  const what = files.length === 1 ? (files[0]?.name ?? '') : t.several(files[0]?.name ?? '', files.length);
  const names = to.map(({ name }) => name || strings.room.guest).join(', ');
  const shown = showDialog(
    { title: t.paste.title, testid: 'paste-dialog' },
    h('p', {}, to.length > 0 ? t.paste.question(names, what, sizeText(files.reduce((sum, { size }) => sum + size, 0))) : t.nobody),
    h(
      'div',
      { class: 'buttons' },
      to.length > 0 && h('button', { type: 'button', class: 'button primary', data: { testid: 'paste-send' }, on: { click: send } }, t.paste.send),
      h('button', { type: 'button', class: 'button', data: { testid: 'paste-cancel' }, on: { click: () => shown.close() } }, t.paste.cancel),
    ),
  );
}
