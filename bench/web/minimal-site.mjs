// Serves the minimal page.
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';

const TYPES = { html: 'text/html', js: 'text/javascript' };

/** @returns {Promise<{address: string, close: () => void}>} */
export async function serveMinimal() {
  const server = createServer(async (request, response) => {
    const name = { '/': 'minimal.html', '/minimal.js': 'minimal.js' }[request.url ?? ''];
    if (!name) return response.writeHead(404).end();
    const type = TYPES[/** @type {keyof typeof TYPES} */ (name.split('.').pop())];
    return response.writeHead(200, { 'content-type': type }).end(await readFile(new URL(name, import.meta.url)));
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', () => listening(null)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return { address: `http://localhost:${port}/`, close: () => server.close() };
}
