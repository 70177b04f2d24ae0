/**
 * A WebSocket whose other end is the test.
 */
export class FakeSocket {
  readyState = 0;
  /** @type {any[]} what the page sent on this socket */
  sent = [];
  closed = false;
  /** @type {any} */ onopen;
  /** @type {any} */ onclose;
  /** @type {any} */ onmessage;

  /** @param {string} text */
  send(text) {
    if (this.readyState !== 1) throw new Error('sent on a socket that is not open');
    this.sent.push(JSON.parse(text));
  }

  close() {
    this.closed = true;
    this.readyState = 3;
  }

  accept() {
    this.readyState = 1;
    this.onopen?.({});
  }

  /** @param {object} message */
  say(message) {
    this.onmessage?.({ data: JSON.stringify(message) });
  }

  /** The network takes it away. */
  drop() {
    this.readyState = 3;
    this.onclose?.({});
  }

  /** @param {string} type */
  of(type) {
    return this.sent.filter((message) => message.type === type);
  }
}
