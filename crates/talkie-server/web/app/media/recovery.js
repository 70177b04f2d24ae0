/**
 * When a device goes away in the middle: another one takes its place if there is one, and makes room for
 * it again when it is back. And when what was missing or refused at first can be had after all, it is
 * taken without another click, where the browser tells.
 * @module
 */
import { strings } from '../strings.js';
import { devices, isListed, refreshDevices } from './device-list.js';
import { permission } from './devices.js';

/** @import {LocalMedia} from './local.js' */
/** @import {Device} from './devices.js' */
/** @import {Toast} from '../types.js' */

/** @type {readonly Device[]} */
const DEVICES = ['mic', 'camera'];

export class Recovery {
  /** @type {Map<Device, {id: string, label: string}>} */ #lost = new Map();
  /** Ids that were on the list: only what was there can be missed. @type {Set<string>} */ #seen = new Set();
  /** @type {Set<Device>} */ #replacing = new Set();
  #closed = false;
  /** @type {(() => void)[]} */ #undo = [];

  /** @param {LocalMedia} local @param {(kind: Toast['kind'], text: string) => void} tell */
  constructor(local, tell) {
    this.local = local;
    this.tell = tell;
    queueMicrotask(() => this.#follow());
  }

  /** Somebody chose by hand: nothing is brought back against that. @param {Device} device */
  forget(device) {
    this.#lost.delete(device);
  }

  /** @param {Device} device @param {MediaStreamTrack} track that has ended */
  async lost(device, track) {
    const { local } = this;
    const id = track.getSettings().deviceId ?? '';
    this.#replacing.add(device);
    await refreshDevices();
    const words = strings.media[device];
    const status = await permission(device);
    // Still there, but no longer ours: asking again right away would only be a nuisance.
    const revoked = status !== null && status.state !== 'granted' && isListed(device, id);
    if (!revoked) await local.open([device], '');
    this.#replacing.delete(device);
    if (this.#closed) return;
    const now = local.captured(device);
    if (now?.getSettings().deviceId !== id) this.#lost.set(device, { id, label: track.label });
    if (now) this.tell('info', words.replaced(track.label, now.label));
    else this.tell('bad', words.gone(track.label));
  }

  close() {
    this.#closed = true;
    for (const undo of this.#undo.splice(0)) undo();
  }

  #follow() {
    if (this.#closed) return;
    this.#undo.push(devices.subscribe((list) => list, () => this.#listed()));
    void refreshDevices();
    for (const device of DEVICES) void this.#followPermission(device);
  }

  #listed() {
    for (const device of DEVICES) {
      const track = this.local.captured(device);
      const id = track?.getSettings().deviceId ?? '';
      // Not every browser ends the track of a device that was pulled out.
      if (track && this.#seen.has(id) && !isListed(device, id)) this.local.lost(device, track);
      else void this.#back(device);
      for (const known of devices.get()[device]) this.#seen.add(known.id);
    }
  }

  /** @param {Device} device */
  async #back(device) {
    const { local } = this;
    if (this.#replacing.has(device)) return;
    const lost = this.#lost.get(device);
    const words = strings.media[device];
    if (lost && isListed(device, lost.id)) {
      this.#lost.delete(device);
      if (!local.captured(device) && local.view[device] === 'off') return; // switched off meanwhile
      const problem = await local.change(device, lost.id);
      if (!problem) this.tell('good', words.back(lost.label));
    } else if (local.view.problems[device] === 'missing' && !local.view.pending && devices.get()[device].length > 0) {
      await local.open([device]);
      const now = local.captured(device);
      if (now) this.tell('good', words.back(now.label));
    }
  }

  /** @param {Device} device */
  async #followPermission(device) {
    const status = await permission(device);
    if (!status || this.#closed) return;
    const changed = () => {
      const refused = this.local.view.problems[device] === 'refused';
      if (status.state === 'granted' && refused && !this.local.view.pending) void this.local.open([device]);
    };
    status.addEventListener('change', changed);
    this.#undo.push(() => status.removeEventListener('change', changed));
  }
}
