// A server that cannot be trusted: stands before the real one, hands pages and all else on, and may
// change every message of signaling on its way to a browser. It has what a server has, and no key.
import { connect, createServer } from 'node:net';
import { once } from 'node:events';

/** @typedef {{type: string, [field: string]: any}} Message */
/**
 * One browser's WebSocket, numbered from 0 in the order in which they came.
 * @typedef {{number: number, self: string|null}} Victim
 */
/** What reaches the browser instead of the message. @typedef {(message: Message, victim: Victim) => Message} Attack */

const TEXT = 1;
const PORT = 9090;

export class MaliciousServer {
  /** @type {import('node:net').Server} */ #listener;
  /** @type {Set<import('node:net').Socket>} */ #sockets = new Set();
  #victims = 0;
  /** All frames that a server sees, in both directions. @type {string[]} */ seen = [];
  /** @type {Attack} */ attack = honest;

  constructor() {
    this.#listener = createServer((browser) => this.#serve(browser));
  }

  static async start() {
    const server = new MaliciousServer();
    server.#listener.listen(PORT, '127.0.0.1');
    await once(server.#listener, 'listening');
    return server;
  }

  get local() {
    return `http://localhost:${PORT}`;
  }

  async stop() {
    for (const socket of this.#sockets) socket.destroy();
    this.#listener.close();
    await once(this.#listener, 'close');
  }

  /** @param {import('node:net').Socket} browser */
  #serve(browser) {
    const real = connect(8080, '127.0.0.1');
    for (const socket of [browser, real]) {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        this.#sockets.delete(socket);
        (socket === browser ? real : browser).destroy();
      });
    }
    browser.once('data', (head) => {
      const request = head.toString('latin1');
      if (!/^GET \/signal /.test(request)) {
        // One request a connection: a WebSocket that took an old one over would pass unseen.
        real.write(request.replace(/^connection:.*$/im, 'Connection: close'), 'latin1');
        browser.pipe(real);
        real.pipe(browser);
        return;
      }
      // Without extensions frames are what they seem.
      real.write(request.replace(/^sec-websocket-extensions:.*\r\n/im, ''), 'latin1');
      this.#listen(browser, real);
    });
  }

  /** @param {import('node:net').Socket} browser @param {import('node:net').Socket} real */
  #listen(browser, real) {
    /** @type {Victim} */
    const victim = { number: this.#victims++, self: null };
    browser.on('data', (bytes) => {
      real.write(bytes);
      toServer.take(bytes);
    });
    const toServer = new Frames((opcode, content) => opcode === TEXT && this.seen.push(content.toString()));
    const toBrowser = new Frames((opcode, content) => {
      if (opcode !== TEXT) return void browser.write(frame(opcode, content));
      this.seen.push(content.toString());
      const message = JSON.parse(content.toString());
      if (message.type === 'joined') victim.self = message.self;
      browser.write(frame(TEXT, Buffer.from(JSON.stringify(this.attack(message, victim)))));
    });
    let greeted = false;
    let greeting = Buffer.alloc(0);
    real.on('data', (bytes) => {
      if (greeted) return toBrowser.take(bytes);
      greeting = Buffer.concat([greeting, bytes]);
      const end = greeting.indexOf('\r\n\r\n');
      if (end < 0) return;
      greeted = true;
      browser.write(greeting.subarray(0, end + 4));
      toBrowser.take(greeting.subarray(end + 4));
    });
  }
}

/** @type {Attack} */
export const honest = (message) => message;

/** Something else in the place of a message, so that its number is not missed. @param {Message} message @returns {Message} */
export const nothing = ({ seq, ack }) => ({ type: 'nothing', ...(seq && { seq }), ...(ack && { ack }) });

/** Cuts a stream into WebSocket frames (RFC 6455 §5.2) and joins the pieces of a message. */
class Frames {
  #rest = Buffer.alloc(0);
  /** @type {Buffer[]} */ #pieces = [];
  #opcode = 0;

  /** @param {(opcode: number, content: Buffer) => void} each */
  constructor(each) {
    this.each = each;
  }

  /** @param {Buffer} bytes */
  take(bytes) {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    for (let one = parse(this.#rest); one; one = parse(this.#rest)) {
      this.#rest = this.#rest.subarray(one.length);
      // Control frames may come between the pieces of a message.
      if (one.opcode >= 8) this.each(one.opcode, one.content);
      else this.#piece(one);
    }
  }

  /** @param {{final: boolean, opcode: number, content: Buffer}} piece */
  #piece({ final, opcode, content }) {
    if (opcode !== 0) this.#opcode = opcode;
    this.#pieces.push(content);
    if (final) this.each(this.#opcode, Buffer.concat(this.#pieces.splice(0)));
  }
}

/** @param {Buffer} bytes the first frame in them, null while it is not whole */
function parse(bytes) {
  if (bytes.length < 2) return null;
  const masked = (bytes[1] & 0x80) !== 0;
  const short = bytes[1] & 0x7f;
  const extra = short === 126 ? 2 : short === 127 ? 8 : 0;
  const head = 2 + extra + (masked ? 4 : 0);
  if (bytes.length < head) return null;
  const size = extra === 2 ? bytes.readUInt16BE(2) : extra === 8 ? Number(bytes.readBigUInt64BE(2)) : short;
  if (bytes.length < head + size) return null;
  const content = Buffer.from(bytes.subarray(head, head + size));
  if (masked) for (let i = 0; i < size; i += 1) content[i] ^= bytes[head - 4 + (i % 4)];
  return { final: (bytes[0] & 0x80) !== 0, opcode: bytes[0] & 0x0f, content, length: head + size };
}

/** As a server sends it: whole and without a mask. @param {number} opcode @param {Buffer} content */
function frame(opcode, content) {
  const long = Buffer.alloc(content.length < 126 ? 2 : content.length < 65536 ? 4 : 10);
  long[0] = 0x80 | opcode;
  long[1] = long.length === 2 ? content.length : long.length === 4 ? 126 : 127;
  if (long.length === 4) long.writeUInt16BE(content.length, 2);
  if (long.length === 10) long.writeBigUInt64BE(BigInt(content.length), 2);
  return Buffer.concat([long, content]);
}
