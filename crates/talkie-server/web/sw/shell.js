/**
 * The app without a network. All of its files are kept when this worker is installed: it starts at the
 * page and follows every import. While there is a network the browser gets what the server says, always;
 * what is kept answers only where the network does not. A page is of one piece: one that came from here
 * gets its modules from here, too.
 */
{
  const worker = /** @type {any} */ (self);
  const KEPT = 'talkie-shell-1';
  /** All addresses that show the app share one page; no room's name or key is kept. */
  const PAGE = '/';
  /** How long a page may keep somebody waiting before they get the one that is kept. */
  const PATIENCE_MS = 5000;
  const MOST_FILES = 400;
  const AT_ONCE = 8;
  const OURS = /^\/(?:(?:app|styles|vendor|icons)\/.+|icon\.svg|manifest\.webmanifest)$/;
  /** A page of the app; everything else at an address without an ending is none of ours. */
  const PAGES = /^\/(?:$|r\/[^/]+\/?$|(?:check|sdp|compare)\/?$)/;

  /** Pages that were answered from here. @type {Set<string>} */
  const offline = new Set();
  /** @type {Promise<void>|null} */
  let refreshing = null;

  worker.addEventListener('install', (/** @type {any} */ event) => event.waitUntil(keepAll()));

  worker.addEventListener('activate', (/** @type {any} */ event) => {
    event.waitUntil(Promise.all([dropOld(), worker.clients.claim()]));
  });

  worker.addEventListener('fetch', (/** @type {any} */ event) => {
    const { method, mode, url } = event.request;
    const { origin, pathname } = new URL(url);
    if (method !== 'GET' || origin !== worker.location.origin) return;
    if (mode === 'navigate') {
      if (PAGES.test(pathname)) event.respondWith(page(event));
    } else if (OURS.test(pathname)) {
      event.respondWith(file(event, pathname));
    }
  });

  /** @param {any} event */
  async function page(event) {
    const kept = await (await caches.open(KEPT)).match(PAGE);
    const network = fresh(event);
    if (!kept) return network;
    const late = new Promise((_, reject) => setTimeout(reject, PATIENCE_MS));
    try {
      return await Promise.race([network, late]);
    } catch {
      offline.add(event.resultingClientId);
      return kept;
    }
  }

  /**
   * A page asks, once it listens, whether it came from here. This worker may have been ended and started
   * again meanwhile and know of no page any more: then the server is asked.
   */
  worker.addEventListener('message', (/** @type {any} */ event) => {
    if (event.data?.kind !== 'kept?') return;
    const answer = () => event.source?.postMessage({ kind: 'kept' });
    if (offline.has(event.source?.id)) answer();
    else event.waitUntil(fetch(PAGE, { method: 'HEAD', cache: 'no-store' }).then(() => {}, answer));
  });

  /** @param {any} event */
  async function fresh(event) {
    const response = await fetch(event.request);
    if (response.ok) event.waitUntil(compare(PAGE, response.clone()));
    return response;
  }

  /** @param {any} event @param {string} pathname */
  async function file(event, pathname) {
    const kept = async () => (await caches.open(KEPT)).match(pathname);
    if (offline.has(event.clientId)) {
      const found = await kept();
      if (found) return found;
    }
    try {
      const response = await fetch(event.request);
      if (response.ok) event.waitUntil(compare(pathname, response.clone()));
      return response;
    } catch (error) {
      const found = await kept();
      if (found) return found;
      throw error;
    }
  }

  /** One file that is another than the one kept: then there is a new version, and all are asked for again. */
  async function compare(/** @type {string} */ pathname, /** @type {Response} */ response) {
    const kept = await (await caches.open(KEPT)).match(pathname);
    const same = kept && kept.headers.get('etag') !== null && kept.headers.get('etag') === response.headers.get('etag');
    if (!same) await refresh();
  }

  function refresh() {
    refreshing ??= keepAll().finally(() => (refreshing = null));
    return refreshing;
  }

  /** First all are fetched, then all are kept: never half of a version. */
  async function keepAll() {
    const files = await collect();
    const cache = await caches.open(KEPT);
    await Promise.all([...files].map(([path, response]) => cache.put(path, response)));
    for (const request of await cache.keys()) {
      if (!files.has(new URL(request.url).pathname)) await cache.delete(request);
    }
  }

  async function collect() {
    /** @type {Map<string, Response>} */
    const files = new Map();
    const found = new Set([PAGE]);
    const waiting = [PAGE];
    while (waiting.length > 0) {
      const now = waiting.splice(0, AT_ONCE);
      const named = await Promise.all(now.map(async (path) => {
        const response = await fetch(path, { cache: 'no-cache', credentials: 'same-origin' });
        // What is missing is missing online, too, and no reason to do without the rest.
        if (!response.ok) return [];
        files.set(path, response.clone());
        return mentioned(path, await response.text());
      }));
      for (const path of named.flat()) {
        if (!found.has(path) && found.size < MOST_FILES) {
          found.add(path);
          waiting.push(path);
        }
      }
    }
    return files;
  }

  /** The files of ours that a file names. @param {string} path @param {string} text */
  function mentioned(path, text) {
    const names = [];
    if (path === PAGE) {
      for (const [, name] of text.matchAll(/<(?:link|script)\b[^>]*\b(?:href|src)="([^"]+)"/g)) names.push(name);
    } else if (path.endsWith('.js')) {
      for (const [, name] of text.matchAll(/(?:\bfrom|^import|\bimport\()\s*'(\.{1,2}\/[^']+|\/[^']+)'/gm)) {
        // A type that is imported in a comment is no module that runs, yet being kept does it no harm.
        names.push(name);
      }
    }
    const base = new URL(path, worker.location.origin);
    return names.map((name) => new URL(String(name), base)).filter((url) => url.origin === base.origin && OURS.test(url.pathname)).map((url) => url.pathname);
  }

  async function dropOld() {
    const names = await caches.keys();
    await Promise.all(names.filter((name) => name.startsWith('talkie-shell-') && name !== KEPT).map((name) => caches.delete(name)));
  }
}
