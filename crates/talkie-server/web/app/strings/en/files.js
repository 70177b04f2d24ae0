/**
 * File drops.
 * @module
 */

/** @param {number} n */
const files = (n) => (n === 1 ? '1 file' : `${n.toLocaleString('en')} files`);

export default {
  files: {
    title: 'Files',
    empty: 'Send files and folders of any size straight to the others: drop or paste them here, or choose them below.',
    choose: 'Send files…',
    chooseFolder: 'Send a folder…',
    to: 'To',
    everybody: 'Everybody',
    nobody: 'Nobody is connected who could receive a file.',
    tooMany: 'More files than can be sent at once (10,000). A ZIP file may help.',
    unreadable: 'The files could not be read.',
    /** @param {string} name */
    from: (name) => `from ${name}`,
    accept: 'Accept',
    acceptZip: 'Accept as ZIP',
    decline: 'Decline',
    cancel: 'Cancel',
    pause: 'Pause',
    resume: 'Resume',
    save: 'Save',
    verified: 'Verified',
    unverified: 'Not verified',
    count: files,
    /** @param {string} name @param {number} n all of them */
    several: (name, n) => `${name} and ${files(n - 1)} more`,
    /** @param {number} n that are not listed */
    more: (n) => `and ${files(n)} more`,
    contents: 'What is in it',
    unknownType: 'unknown type',
    /** @param {number} at @param {number} of @param {string} name */
    current: (at, of, name) => `${at.toLocaleString('en')} of ${of.toLocaleString('en')}: ${name}`,
    /** @param {string} from @param {string} file */
    offered: (from, file) => `${from} wants to send you “${file}”`,
    /** @param {string} file */
    received: (file) => `“${file}” has arrived`,
    /** @param {string} name @param {number} percent */
    progressOf: (name, percent) => `${name}, ${percent} percent`,
    /** @param {string} what @param {string} name */
    buttonFor: (what, name) => `${what}: ${name}`,
    places: {
      file: 'You choose where it is saved.',
      folder: 'You choose the folder it is saved in.',
      download: 'It goes to your downloads.',
      kept: 'It is kept in the browser until it is complete, then you save it.',
      small: 'You save it when it is complete.',
      none: 'Too much for here: without https, or in a private window, this browser would have to hold it in memory.',
      zip: 'As one ZIP file.',
    },
    paused: { us: 'Paused', them: 'Paused by the other side' },
    stalled: 'Waiting for the other side',
    drop: {
      everybody: 'Drop here to send to everybody',
      /** @param {string} name */
      one: (name) => `Drop here to send to ${name}`,
      nobody: 'Nobody is here yet who could receive files.',
    },
    paste: {
      title: 'Send what you pasted?',
      send: 'Send',
      cancel: 'Don’t send',
      /** @param {string} to @param {string} what @param {string} size */
      question: (to, what, size) => `${what} (${size}) to: ${to}`,
    },
    state: {
      offered: 'Waiting for you',
      waiting: 'Waiting for them to accept',
      active: 'In transfer',
      interrupted: 'Connection lost. Goes on when it is back',
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
    changed: 'A file could not be read to its end.',
    damaged: 'A part arrived damaged.',
    protocol: 'The other side sent something unexpected.',
    storage: 'It could not be written to disk.',
    'too-big': 'Too big for this browser to receive.',
    'too-many': 'Too many files at once.',
    list: 'The list of files was not acceptable.',
    busy: 'The other side has too many offers open.',
    stalled: 'The other side did nothing for ten minutes.',
    unknown: 'The other side no longer knows of it.',
  },
};
