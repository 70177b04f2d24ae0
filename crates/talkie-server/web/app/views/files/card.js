/**
 * A card for each offer in the files panel, a row in it for each peer: what it is, where it will be
 * saved, how far it is, and what can be done about it.
 * @module
 */
import { isOpen } from '../../files/ledger.js';
import { sizeText, strings } from '../../strings.js';
import { h, keyed, setAttribute } from '../../ui/dom.js';
import { icon } from '../../ui/icons.js';
import { detailsOf, percentOf, placeWords, statusOf, titleOf } from './words.js';

/** @import {Transfers} from '../../files/transfers.js' */
/** @import {TransferView} from '../../types.js' */

/** @param {TransferView[]} rows of one group, at least one @param {Transfers} transfers */
export function card(rows, transfers) {
  const [first] = /** @type {[TransferView]} */ (rows);
  const incoming = first.direction === 'in';
  const title = titleOf(first);
  const list = h('div', { class: 'file-rows' });
  const details = h('span', { class: 'file-size' });
  const element = h(
    'article',
    { class: 'file', 'aria-label': incoming ? strings.files.offered(nameOf(first), title) : title },
    h(
      'header',
      {},
      h('span', { class: 'file-icon' }, icon(incoming ? 'down' : 'up')),
      h('div', {}, h('bdi', { class: 'file-name', title }, title), details),
    ),
    contents(first),
    list,
  );
  const kept = new Map();
  /** @param {TransferView[]} now */
  const update = (now) => {
    if (now[0]) details.textContent = detailsOf(now[0]);
    keyed(list, now, { key: (r) => r.id, create: (r) => row(r, transfers) }, kept);
  };
  return Object.assign(element, { update });
}

/** @param {TransferView} transfer */
const nameOf = ({ peerName }) => peerName || strings.room.guest;

/** The names of many files, on demand. @param {TransferView} transfer */
function contents({ files, count, folder }) {
  if (count === 1 && !folder) return null;
  const items = () => files.map(({ path, size }) => h('li', {}, h('bdi', {}, path), h('span', {}, sizeText(size))));
  const list = h('ul', {});
  const rest = count > files.length ? h('p', { class: 'hint' }, strings.files.more(count - files.length)) : null;
  const element = h('details', { class: 'file-contents', data: { testid: 'file-contents' } }, h('summary', {}, strings.files.contents), list, rest);
  element.addEventListener('toggle', () => list.replaceChildren(...(element.open ? items() : [])));
  return element;
}

/** @param {TransferView} first @param {Transfers} transfers */
function row(first, transfers) {
  const t = strings.files;
  const { id } = first;
  const bar = h('progress', { max: 100, value: 0, data: { testid: 'file-progress' } });
  const words = h('span', { class: 'file-words', data: { testid: 'file-words' } });
  const current = h('bdi', { class: 'file-current', data: { testid: 'file-current' } });
  const place = h('p', { class: 'file-place', data: { testid: 'file-place' } }, placeWords(first));
  const peer = h('bdi', { class: 'file-peer' });
  const { buttons, show } = buttonsOf(first, transfers);
  const element = h(
    'div',
    { class: 'file-row', role: 'group', data: { testid: 'file', transfer: id, direction: first.direction, peer: first.peer } },
    h('div', { class: 'file-line' }, peer, words),
    bar,
    current,
    place,
    buttons,
  );
  /** @param {TransferView} now */
  const update = (now) => {
    const percent = percentOf(now);
    element.dataset.state = now.state;
    element.dataset.peer = now.peer;
    element.setAttribute('aria-label', `${titleOf(now)}, ${nameOf(now)}`);
    setAttribute(element, 'data-verified', now.verified);
    setAttribute(element, 'data-paused', now.paused);
    peer.textContent = now.direction === 'in' ? t.from(nameOf(now)) : nameOf(now);
    bar.value = percent;
    bar.setAttribute('aria-label', t.progressOf(titleOf(now), percent));
    bar.hidden = now.state !== 'active' && now.state !== 'interrupted';
    words.textContent = statusOf(now, percent);
    current.hidden = now.count === 1 || now.state !== 'active' || now.currentName === '';
    current.textContent = t.current(now.current + 1, now.count, now.currentName);
    place.hidden = now.state !== 'offered' || !now.place;
    show(now);
  };
  return Object.assign(element, { update });
}

/** @param {TransferView} first @param {Transfers} transfers */
function buttonsOf(first, transfers) {
  const t = strings.files;
  const { id } = first;
  /** @param {string} name @param {string} label @param {string} style @param {() => void} press */
  const button = (name, label, style, press) =>
    h('button', { type: 'button', class: `button small ${style}`, 'aria-label': t.buttonFor(label, titleOf(first)), data: { testid: `file-${name}` }, on: { click: press } }, label);
  /** Finding a place takes a moment; a second press would be lost. @param {boolean} zip */
  const take = async (zip) => {
    accept.disabled = acceptZip.disabled = true;
    await transfers.accept(id, zip);
    accept.disabled = acceptZip.disabled = false;
  };
  const accept = button('accept', t.accept, 'primary', () => void take(false));
  const acceptZip = button('accept-zip', t.acceptZip, '', () => void take(true));
  const decline = button('decline', t.decline, '', () => transfers.decline(id));
  const pause = button('pause', t.pause, '', () => transfers.pause(id, true));
  const resume = button('resume', t.resume, 'primary', () => transfers.pause(id, false));
  const cancel = button('cancel', t.cancel, '', () => transfers.cancel(id));
  const save = h('a', { class: 'button small primary', data: { testid: 'file-save' } }, icon('down'), t.save);
  /** @param {TransferView} now */
  const show = (now) => {
    accept.hidden = decline.hidden = now.state !== 'offered';
    if (now.place === 'none') accept.disabled = true;
    acceptZip.hidden = accept.hidden || now.place !== 'folder';
    const moving = now.state === 'active' || now.state === 'interrupted';
    pause.hidden = !moving || now.paused === 'us';
    resume.hidden = !moving || now.paused !== 'us';
    cancel.hidden = !isOpen(now) || now.state === 'offered';
    save.hidden = now.url === null;
    if (now.url && save.href !== now.url) {
      save.href = now.url;
      save.download = now.saveAs;
    }
  };
  return { buttons: h('div', { class: 'file-buttons' }, accept, acceptZip, decline, pause, resume, cancel, save), show };
}
