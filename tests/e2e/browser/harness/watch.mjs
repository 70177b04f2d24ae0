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

/**
 * What the page's policy refuses is said on its console: Chromium does so itself, Firefox keeps it from
 * who drives it. `Person.wellBehaved` looks for it.
 */
export function watchPolicy() {
  addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI, sourceFile, lineNumber }) => {
    console.error(`Content Security Policy: ${effectiveDirective} refused ${blockedURI} at ${sourceFile}:${lineNumber}`);
  });
}
