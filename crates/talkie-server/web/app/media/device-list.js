/**
 * Which cameras, microphones and speakers there are, followed as they come and go. Browsers hide names
 * and ids until the page may use one of a kind, so the list is read again after every permission.
 * @module
 */
import { createStore } from '../state.js';

/** @typedef {'mic'|'camera'|'speaker'} DeviceKind */
/** @typedef {{id: string, label: string}} ListedDevice `label` may be empty: nobody knows its name */
/** @typedef {Record<DeviceKind, readonly ListedDevice[]>} DeviceList */

/** @type {Record<string, DeviceKind>} */
const KINDS = { audioinput: 'mic', videoinput: 'camera', audiooutput: 'speaker' };

/** Chromium's own entries for "whatever the system prefers", of devices that it lists again by their ids. */
const ALIASES = new Set(['default', 'communications']);

/**
 * @param {readonly Pick<MediaDeviceInfo, 'kind'|'deviceId'|'label'>[]} infos
 * @returns {DeviceList} those that can be told apart, two of one name numbered
 */
export function listed(infos) {
  /** @type {Record<DeviceKind, ListedDevice[]>} */
  const list = { mic: [], camera: [], speaker: [] };
  for (const { kind, deviceId, label } of infos) {
    const into = KINDS[kind];
    if (!into || deviceId === '' || ALIASES.has(deviceId)) continue;
    const same = list[into].filter((other) => label !== '' && (other.label === label || other.label.startsWith(`${label} (`))).length;
    list[into].push({ id: deviceId, label: same ? `${label} (${same + 1})` : label });
  }
  return list;
}

export const devices = createStore(listed([]));

let following = false;

/** Reads the list again; follows it from the first time on. */
export async function refreshDevices() {
  const source = typeof navigator === 'undefined' ? undefined : navigator.mediaDevices;
  if (!source?.enumerateDevices) return;
  if (!following) source.addEventListener?.('devicechange', () => void refreshDevices());
  following = true;
  try {
    const list = listed(await source.enumerateDevices());
    if (JSON.stringify(list) !== JSON.stringify(devices.get())) devices.set(list);
  } catch {
    // Then we know what we knew.
  }
}

/** @param {DeviceKind} kind @param {string|undefined} id */
export function isListed(kind, id) {
  return devices.get()[kind].some((device) => device.id === id);
}
