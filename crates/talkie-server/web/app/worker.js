/**
 * The page's side of the service worker (/sw.js): registers it where the browser allows one, and tells
 * when the page came from what it keeps. It is no condition for anything: without one the app needs the
 * network to open, and files take another way to the disk.
 * @module
 */

/** @type {Promise<ServiceWorker|null>|null} */
let active = null;

/**
 * The worker once it runs; null where there is none: no secure context, a certificate that the browser
 * does not trust, storage switched off, a private window.
 * @returns {Promise<ServiceWorker|null>}
 */
export function activeWorker() {
  active ??= register().catch(() => null);
  return active;
}

async function register() {
  if (!globalThis.isSecureContext || !navigator.serviceWorker) return null;
  const registration = await navigator.serviceWorker.register(/** @type {string} */ (scriptAddress('/sw.js')), { updateViaCache: 'none' });
  if (registration.active) return registration.active;
  const coming = registration.installing ?? registration.waiting;
  return new Promise((resolve, reject) => {
    const look = () => {
      if (registration.active) resolve(registration.active);
      else if (coming?.state === 'redundant') reject(new Error('not installed'));
    };
    coming?.addEventListener('statechange', look);
    look();
  });
}

/** Where a page may run only the scripts that its policies allow by name. @param {string} path */
function scriptAddress(path) {
  const types = /** @type {any} */ (globalThis).trustedTypes;
  return types ? types.createPolicy('talkie-worker', { createScriptURL: (/** @type {string} */ url) => url }).createScriptURL(path) : path;
}

/** @param {() => void} kept the page came from the worker because the server did not answer */
export function whenKept(kept) {
  navigator.serviceWorker?.addEventListener('message', ({ data }) => {
    if (data?.kind === 'kept') kept();
  });
  navigator.serviceWorker?.startMessages();
}

/** Once the page has settled, so that keeping files does not compete with a call that begins. */
export function registerWhenIdle() {
  const later = () => void activeWorker();
  const whenLoaded = () => ('requestIdleCallback' in window ? requestIdleCallback(later, { timeout: 5000 }) : setTimeout(later, 2000));
  if (document.readyState === 'complete') whenLoaded();
  else addEventListener('load', whenLoaded, { once: true });
}
