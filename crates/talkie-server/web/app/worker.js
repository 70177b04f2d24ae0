/**
 * The page's side of the service workers: registers them where the browser allows it, and tells when the
 * page came from what the shell's (/sw.js) keeps. They are no condition for anything: without them the
 * app needs the network to open, and files take another way to the disk.
 * @module
 */

/** The shell's, and the one that answers downloads, which must not wait until the first has kept all its files. */
const SHELL = '/sw.js';
export const SAVING = '/sw/download.js';

/** @type {Map<string, Promise<ServiceWorker|null>>} */
const active = new Map();

/**
 * The worker once it runs; null where there is none: no secure context, a certificate that the browser
 * does not trust, storage switched off, a private window.
 * @param {string} script
 * @param {string} scope
 * @returns {Promise<ServiceWorker|null>}
 */
export function activeWorker(script, scope) {
  const known = active.get(script);
  if (known) return known;
  const coming = register(script, scope).catch(() => null);
  active.set(script, coming);
  return coming;
}

/** @param {string} script @param {string} scope */
async function register(script, scope) {
  if (!globalThis.isSecureContext || !navigator.serviceWorker) return null;
  const registration = await navigator.serviceWorker.register(/** @type {string} */ (trusted(script)), { scope, updateViaCache: 'none' });
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

/** @type {any} */
let policy;

/** Where a page may run only the scripts that its policies allow by name. @param {string} path */
function trusted(path) {
  const types = /** @type {any} */ (globalThis).trustedTypes;
  if (!types) return path;
  policy ??= types.createPolicy('talkie-worker', { createScriptURL: (/** @type {string} */ url) => url });
  return policy.createScriptURL(path);
}

/** @param {() => void} kept the page came from the worker because the server did not answer */
export function whenKept(kept) {
  const workers = navigator.serviceWorker;
  if (!workers) return;
  workers.addEventListener('message', ({ data }) => {
    if (data?.kind === 'kept') kept();
  });
  workers.startMessages();
  workers.controller?.postMessage({ kind: 'kept?' });
}

/** Once the page has settled, so that keeping files does not compete with a call that begins. */
export function registerWhenIdle() {
  const later = () => void activeWorker(SHELL, '/');
  const whenLoaded = () => ('requestIdleCallback' in window ? requestIdleCallback(later, { timeout: 5000 }) : setTimeout(later, 2000));
  if (document.readyState === 'complete') whenLoaded();
  else addEventListener('load', whenLoaded, { once: true });
}
