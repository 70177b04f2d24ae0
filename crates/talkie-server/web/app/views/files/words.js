/**
 * What a transfer says of itself. Pure but for the strings.
 * @module
 */
import { secondsLeft } from '../../files/rate.js';
import { sizeText, strings, timeText } from '../../strings.js';

/** @import {TransferView} from '../../types.js' */

/** @param {Pick<TransferView, 'size'|'bytes'|'state'>} transfer */
export function percentOf({ size, bytes, state }) {
  if (size > 0) return Math.floor((bytes / size) * 100);
  return state === 'done' ? 100 : 0;
}

/** @param {Pick<TransferView, 'name'|'folder'|'count'>} transfer */
export function titleOf({ name, folder, count }) {
  return folder || count === 1 ? name : strings.files.several(name, count);
}

/** Size, number of files, type. @param {TransferView} transfer */
export function detailsOf({ size, count, folder, mime, direction, state }) {
  const type = direction === 'in' && state === 'offered' && count === 1 ? mime || strings.files.unknownType : '';
  return [sizeText(size), (folder || count > 1) && strings.files.count(count), type].filter(Boolean).join(' · ');
}

/** @param {TransferView} transfer whether it becomes a ZIP file unless there is a folder for it */
export const isZipped = ({ direction, count, folder, place }) => direction === 'in' && (folder || count > 1) && place !== 'folder';

/** @param {TransferView} transfer */
export function placeWords(transfer) {
  if (!transfer.place) return '';
  const t = strings.files.places;
  return isZipped(transfer) ? `${t.zip} ${t[transfer.place]}` : t[transfer.place];
}

/** @param {TransferView} now @param {number} percent */
export function statusOf(now, percent) {
  const t = strings.files;
  if (now.state === 'active') {
    if (now.paused) return `${percent} % · ${t.paused[now.paused]}`;
    if (now.stalled) return `${percent} % · ${t.stalled}`;
    const left = timeText(secondsLeft(now.size, now.bytes, now.rate));
    return [`${percent} %`, now.rate > 0 && `${sizeText(now.rate)}/s`, left].filter(Boolean).join(' · ');
  }
  if (now.state === 'done') return `${t.state.done} · ${now.verified ? t.verified : t.unverified}`;
  if (now.state === 'failed' && now.reason) return strings.transferReasons[now.reason] ?? t.state.failed;
  return t.state[now.state];
}
