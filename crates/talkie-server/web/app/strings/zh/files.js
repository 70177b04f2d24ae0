/**
 * File drops.
 * @module
 */

/** @type {typeof import('../en/files.js').default} */
export default {
  files: {
    title: 'Files',
    empty: 'Send files of any kind straight to everybody in the room.',
    choose: 'Send files…',
    nobody: 'Nobody is connected who could receive a file.',
    /** @param {string} name */
    from: (name) => `from ${name}`,
    accept: 'Accept',
    decline: 'Decline',
    cancel: 'Cancel',
    save: 'Save',
    verified: 'Verified',
    /** @param {string} from @param {string} file */
    offered: (from, file) => `${from} wants to send you “${file}”`,
    /** @param {string} file */
    received: (file) => `“${file}” has arrived`,
    /** @param {string} name @param {number} percent */
    progressOf: (name, percent) => `${name}, ${percent} percent`,
    state: {
      offered: 'Waiting for you',
      waiting: 'Waiting for them to accept',
      active: 'In transfer',
      done: 'Done',
      declined: 'Declined',
      cancelled: 'Cancelled',
      failed: 'Failed',
    },
  },
  /** @type {Record<string, string>} */
  transferReasons: {
    left: 'The other side left.',
    lost: 'The connection was lost.',
    changed: 'The file could not be read to its end.',
    damaged: 'A part arrived damaged.',
    protocol: 'The other side sent something unexpected.',
    storage: 'There was no room to store it.',
    'too-big': 'Too big for this browser to receive.',
  },
};
