/**
 * A service worker of its own: lets a page save a stream as an ordinary download, so that a received
 * file of any size goes to disk and never into memory. The page hands over a port and then follows a
 * link to `/sw/save/ID/NAME`; the answer to that is an attachment whose body is pulled from the port,
 * piece by piece, as the browser writes it down.
 *
 *     page → worker  {type: 'talkie-save', id, name, size}  with the port
 *     page → worker  {type: 'talkie-ping', id}   keeps the worker alive and asks whether it still knows
 *     worker → port  {type: 'ready'|'started'|'pull'|'pong'|'cancelled'}
 *     port → worker  an ArrayBuffer (the page gives it away), {type: 'end'}, {type: 'abort'}
 */
{
  const worker = /** @type {any} */ (self);
  const SAVES = '/sw/save/';
  const SAVES_AT_ONCE = 64;
  /** @type {Map<string, {port: MessagePort, name: string, size: number|null, started: boolean}>} */
  const saves = new Map();

  worker.addEventListener('message', (/** @type {any} */ event) => {
    const { type, id, name, size } = event.data ?? {};
    if (type === 'talkie-ping') saves.get(id)?.port.postMessage({ type: 'pong' });
    const port = event.ports[0];
    if (type !== 'talkie-save' || !port || typeof id !== 'string' || typeof name !== 'string' || saves.size >= SAVES_AT_ONCE) return;
    saves.set(id, { port, name, size: Number.isSafeInteger(size) ? size : null, started: false });
    port.onmessage = (/** @type {MessageEvent} */ { data }) => void (data?.type === 'abort' && saves.delete(id));
    port.postMessage({ type: 'ready' });
  });

  worker.addEventListener('fetch', (/** @type {any} */ event) => {
    const { origin, pathname } = new URL(event.request.url);
    if (origin !== worker.location.origin || !pathname.startsWith(SAVES)) return;
    const id = pathname.split('/')[3] ?? '';
    const save = saves.get(id);
    // 204: a navigation that leads nowhere leaves the page where it is.
    if (!save || save.started) return void event.respondWith(new Response(null, { status: 204 }));
    save.started = true;
    event.respondWith(new Response(bodyOf(id, save.port), { headers: headersOf(save) }));
  });

  /** @param {{name: string, size: number|null}} save */
  function headersOf({ name, size }) {
    const headers = new Headers({
      'Content-Type': 'application/octet-stream',
      'Content-Disposition': `attachment; filename*=UTF-8''${encoded(name)}`,
      'Content-Security-Policy': "default-src 'none'; sandbox",
      'X-Content-Type-Options': 'nosniff',
      'Cache-Control': 'no-store',
    });
    if (size !== null) headers.set('Content-Length', String(size));
    return headers;
  }

  /** RFC 8187: everything but letters and digits is percent-encoded, so that no name can end the field. */
  function encoded(/** @type {string} */ name) {
    return encodeURIComponent(name).replace(/['()*!~]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  }

  /** @param {string} id @param {MessagePort} port */
  function bodyOf(id, port) {
    let pulled = () => {};
    /** @type {UnderlyingDefaultSource<Uint8Array>} */
    const source = {
      start(controller) {
        port.onmessage = ({ data }) => {
          if (data instanceof ArrayBuffer) controller.enqueue(new Uint8Array(data));
          else saves.delete(id);
          if (data?.type === 'end') controller.close();
          if (data?.type === 'abort') controller.error(new Error('aborted'));
          pulled();
        };
        port.postMessage({ type: 'started' });
      },
      pull() {
        port.postMessage({ type: 'pull' });
        return new Promise((resolve) => (pulled = () => resolve()));
      },
      cancel() {
        saves.delete(id);
        port.postMessage({ type: 'cancelled' });
      },
    };
    return new ReadableStream(source, { highWaterMark: 1 });
  }
}
