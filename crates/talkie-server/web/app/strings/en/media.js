/**
 * Devices, and what keeps a page from having them.
 * @module
 */

export default {
  media: {
    refused: { mic: 'This page may not use your microphone.', camera: 'This page may not use your camera.', both: 'This page may not use your camera and microphone.' },
    system: {
      mic: 'Your computer does not let the browser use the microphone.',
      camera: 'Your computer does not let the browser use the camera.',
      both: 'Your computer does not let the browser use camera and microphone.',
    },
    missing: { mic: 'No microphone was found.', camera: 'No camera was found.', both: 'No camera was found, and no microphone either.' },
    busy: {
      mic: 'Another program seems to be using your microphone.',
      camera: 'Another program seems to be using your camera.',
      both: 'Another program seems to be using your camera and microphone.',
    },
    insecure: {
      mic: 'Browsers give a page microphone and camera only over https or on localhost. Open this room by its https address.',
      camera: 'Browsers give a page microphone and camera only over https or on localhost. Open this room by its https address.',
      both: 'Browsers give a page microphone and camera only over https or on localhost. Open this room by its https address.',
    },
    unsupported: { mic: 'This browser offers no microphone.', camera: 'This browser offers no camera.', both: 'This browser offers neither camera nor microphone.' },
    failed: { mic: 'The microphone could not be started.', camera: 'The camera could not be started.', both: 'Camera and microphone could not be started.' },
    /** What to click, by browser. */
    allow: {
      chromium: 'Click the icon left of the address, allow camera and microphone there, and switch it on again.',
      chromiumPhone: 'Tap the icon left of the address, then “Permissions”, allow camera and microphone, and switch it on again.',
      firefox: 'Click the crossed-out camera or microphone left of the address, remove the block there, and switch it on again.',
      firefoxPhone: 'Tap the lock left of the address, allow camera and microphone, and switch it on again.',
      safari: 'In the menu Safari, choose “Settings for This Website…”, set camera and microphone to “Allow”, and reload the page.',
      safariPhone: 'Tap the page icon at the address, open the website settings, set camera and microphone to “Allow”, and reload the page.',
    },
    allowSystem: 'Allow it in the privacy settings of your system, under Camera and Microphone, then start the browser again.',
    free: 'Close the other program or tab that uses it, and switch it on again.',
    plug: 'Plug one in: it is taken at once.',
    goesOn: 'You can join without.',
    youAreMuted: 'You are muted: nobody hears you.',
    mic: {
      /** @param {string} gone @param {string} now */
      replaced: (gone, now) => `${gone || 'The microphone'} is gone; ${now || 'another microphone'} has taken its place.`,
      /** @param {string} gone */
      gone: (gone) => `${gone || 'The microphone'} is gone, and there is no other: nobody hears you.`,
      /** @param {string} back */
      back: (back) => `${back || 'The microphone'} is there and in use.`,
      label: 'Microphone',
      /** @param {number} n */
      unnamed: (n) => `Microphone ${n}`,
    },
    camera: {
      /** @param {string} gone @param {string} now */
      replaced: (gone, now) => `${gone || 'The camera'} is gone; ${now || 'another camera'} has taken its place.`,
      /** @param {string} gone */
      gone: (gone) => `${gone || 'The camera'} is gone, and there is no other: nobody sees you.`,
      /** @param {string} back */
      back: (back) => `${back || 'The camera'} is there and in use.`,
      label: 'Camera',
      /** @param {number} n */
      unnamed: (n) => `Camera ${n}`,
    },
    speaker: {
      label: 'Speaker',
      /** @param {number} n */
      unnamed: (n) => `Speaker ${n}`,
      ask: 'Choose a speaker…',
      onlyDefault: 'This browser plays through the speaker that is set in the system.',
      test: 'Test speaker',
      testing: 'Playing…',
    },
    choose: 'Camera, microphone, speaker',
    byDefault: 'The browser’s default',
    level: 'Microphone level',
    screen: {
      refused: 'The screen was not shared.',
      system: 'Your computer does not let the browser capture the screen. Allow it in the privacy settings of your system, under Screen Recording.',
      missing: 'There is nothing to share on this device.',
      busy: 'The screen could not be captured.',
      insecure: 'Sharing the screen needs https or localhost.',
      unsupported: 'This browser cannot share the screen.',
      failed: 'The screen could not be shared.',
    },
  },
};
