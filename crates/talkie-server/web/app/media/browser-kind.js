/**
 * Which browser this is, as far as the way to its permission settings depends on it. For words only:
 * what a browser can do is asked of the browser.
 * @module
 */

/** @typedef {'chromium'|'chromiumPhone'|'firefox'|'firefoxPhone'|'safari'|'safariPhone'} BrowserKind */

/**
 * @param {string} agent navigator.userAgent
 * @param {number} [touches] navigator.maxTouchPoints: an iPad calls itself a Mac
 * @returns {BrowserKind}
 */
export function browserKind(agent, touches = 0) {
  const apple = /iPhone|iPad|iPod/.test(agent) || (/Macintosh/.test(agent) && touches > 1);
  // All browsers of iOS are the system's own inside, and so is the place of their settings.
  if (apple) return 'safariPhone';
  const phone = /Android|Mobile/.test(agent);
  if (/Firefox\//.test(agent)) return phone ? 'firefoxPhone' : 'firefox';
  if (/Chrom(e|ium)\//.test(agent)) return phone ? 'chromiumPhone' : 'chromium';
  return /Safari\//.test(agent) ? 'safari' : 'chromium';
}

export const thisBrowser = () => browserKind(navigator.userAgent, navigator.maxTouchPoints);
