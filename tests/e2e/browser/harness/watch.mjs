// Runs in the page before its own scripts: remembers every RTCPeerConnection, so that the tests can
// ask them what they have really received.

export function watchConnections() {
  const page = /** @type {any} */ (window);
  if (page.talkieConnections) return;
  /** @type {RTCPeerConnection[]} */
  page.talkieConnections = [];
  const Native = window.RTCPeerConnection;
  page.RTCPeerConnection = class extends Native {
    /** @param {RTCConfiguration} [configuration] */
    constructor(configuration) {
      super(configuration);
      page.talkieConnections.push(this);
    }
  };
}
