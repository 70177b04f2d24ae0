/**
 * From what somebody chose, dropped or pasted to offers.
 * @module
 */
import { TooMany } from '../../files/gather.js';
import { toast } from '../../state.js';
import { strings } from '../../strings.js';

/** @import {AppStore} from '../../state.js' */
/** @import {Item} from '../../files/source.js' */
/** @import {Transfers} from '../../files/transfers.js' */
/** @import {Link} from '../../peer/link.js' */

/** A few loose files are offered one by one, so that each can be taken by itself and is saved as it is. */
const LOOSE = 3;

/**
 * @param {AppStore} store
 * @param {Transfers} transfers
 * @param {() => Promise<Item[]>} gather
 * @param {Link[]} links
 */
export async function offer(store, transfers, gather, links) {
  try {
    const items = await gather();
    const loose = items.length <= LOOSE && items.every(({ path }) => !path.includes('/'));
    for (const one of loose ? items.map((item) => [item]) : [items]) transfers.send(one, links);
  } catch (error) {
    toast(store, 'bad', error instanceof TooMany ? strings.files.tooMany : strings.files.unreadable);
  }
}
