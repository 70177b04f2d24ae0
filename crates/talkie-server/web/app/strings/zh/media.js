/**
 * Devices, and what keeps a page from having them.
 * @module
 */

/** @type {typeof import('../en/media.js').default} */
export default {
  media: {
    refused: {
      mic: 'This page may not use your microphone. Allow it at the left end of the address bar and switch it on again.',
      camera: 'This page may not use your camera. Allow it at the left end of the address bar and switch it on again.',
    },
    missing: { mic: 'No microphone was found.', camera: 'No camera was found.' },
    busy: {
      mic: 'Another program seems to be using your microphone.',
      camera: 'Another program seems to be using your camera.',
    },
    insecure: {
      mic: 'Browsers give a page microphone and camera only over https or on localhost. Open this room by its https address.',
      camera: 'Browsers give a page microphone and camera only over https or on localhost. Open this room by its https address.',
    },
    unsupported: { mic: 'This browser offers no microphone.', camera: 'This browser offers no camera.' },
    failed: { mic: 'The microphone could not be started.', camera: 'The camera could not be started.' },
    goesOn: 'You can join without.',
    screen: {
      refused: 'The screen was not shared.',
      missing: 'There is nothing to share on this device.',
      busy: 'The screen could not be captured.',
      insecure: 'Sharing the screen needs https or localhost.',
      unsupported: 'This browser cannot share the screen.',
      failed: 'The screen could not be shared.',
    },
  },
};
