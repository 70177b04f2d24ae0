// Two ends of a file channel in one process, delivering in order, a little later.

export class Channel {
  /** @type {any} */ readyState = 'open';
  label = 'talkie-file';
  bufferedAmount = 0;
  /** @type {Channel|null} */ other = null;
  /** @type {any} */ onmessage;
  /** @type {any} */ onclose;
  /** @type {any} */ onbufferedamountlow;
  /** @type {any} */ onopen;
  /** @type {any[]} */ sent = [];

  /** @param {any} data */
  send(data) {
    if (this.readyState !== 'open') throw new Error('closed');
    const size = data.byteLength ?? data.length;
    // What is given may be a part of something larger; what arrives is whole.
    if (ArrayBuffer.isView(data)) data = new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice().buffer;
    this.sent.push(data);
    this.bufferedAmount += size;
    setImmediate(() => {
      this.bufferedAmount -= size;
      if (this.bufferedAmount === 0) this.onbufferedamountlow?.();
      if (this.other?.readyState === 'open') this.other.onmessage?.({ data });
    });
  }

  close() {
    if (this.readyState === 'closed') return;
    this.readyState = 'closed';
    setImmediate(() => {
      if (!this.other || this.other.readyState !== 'open') return;
      this.other.readyState = 'closed';
      this.other.onclose?.();
    });
  }

  /** The connection goes, without a word. */
  cut() {
    for (const end of [this, this.other]) {
      if (!end || end.readyState === 'closed') continue;
      end.readyState = 'closed';
      end.onclose?.();
    }
  }

  /** What a hostile other end says. @param {any} message */
  hears(message) {
    this.onmessage({ data: message instanceof ArrayBuffer ? message : JSON.stringify(message) });
  }

  /** The text messages that went out. @returns {any[]} */
  get told() {
    return this.sent.filter((data) => typeof data === 'string').map((data) => JSON.parse(data));
  }

  get poured() {
    return this.sent.reduce((sum, data) => sum + (data.byteLength ?? 0), 0);
  }
}

/** @returns {[any, any]} */
export function pair() {
  const a = new Channel();
  const b = new Channel();
  a.other = b;
  b.other = a;
  return [a, b];
}

/** @param {number} length */
export function bytesOf(length) {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i += 1) bytes[i] = (i * 31 + (i >> 8)) & 255;
  return bytes;
}

/** @param {() => boolean} done */
export async function until(done) {
  // Reading and hashing are done by other threads, which a busy machine lets wait.
  const deadline = Date.now() + 20_000;
  while (!done() && Date.now() < deadline) await new Promise((resolve) => setImmediate(resolve));
  if (!done()) throw new Error('did not come to an end');
}

/** Collects what is written; `write` can be held back. */
export class MemorySink {
  /** @type {Uint8Array[]} */ parts = [];
  finished = false;
  aborted = false;
  /** @type {Promise<void>} */ gate = Promise.resolve();

  /** @param {Uint8Array} bytes */
  async write(bytes) {
    await this.gate;
    this.parts.push(bytes.slice());
  }

  async finish() {
    this.finished = true;
    return null;
  }

  async abort() {
    this.aborted = true;
  }

  get bytes() {
    return new Uint8Array(Buffer.concat(this.parts));
  }
}
