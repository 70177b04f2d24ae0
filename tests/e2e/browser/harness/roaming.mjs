// Somebody whose browser is on a network of its own and changes it, as a phone does between Wi-Fi and
// mobile: a network namespace with two cables to the one in which the server and the others are.
import { execFileSync, spawn } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** @typedef {'wifi'|'mobile'} Network */

/** The first three numbers of the addresses there. */
const PREFIX = { wifi: '192.0.2', mobile: '203.0.113' };

export class Roamer {
  /** @type {import('node:child_process').ChildProcess} */ #holder;
  #folder = '';

  /** @param {import('node:child_process').ChildProcess} holder keeps the namespace */
  constructor(holder) {
    this.#holder = holder;
  }

  /** With both cables plugged in and no network up. */
  static async start() {
    const holder = spawn('unshare', ['--net', 'sh', '-c', 'ip link set lo up && echo ready && exec sleep infinity'], { stdio: ['ignore', 'pipe', 'inherit'] });
    await new Promise((resolve, reject) => {
      holder.stdout.once('data', resolve);
      holder.once('exit', (code) => reject(new Error(`no namespace: ${code}`)));
    });
    const roamer = new Roamer(holder);
    roamer.#folder = await mkdtemp(join(tmpdir(), 'talkie-e2e-roamer-'));
    await writeFile(roamer.#script, `#!/bin/sh\nexec nsenter --net=/proc/${holder.pid}/ns/net "\${TALKIE_CHROMIUM:-/usr/bin/chromium}" "$@"\n`);
    await chmod(roamer.#script, 0o755);
    for (const [name, prefix] of Object.entries(PREFIX)) {
      ip('link', 'add', `to-${name}`, 'type', 'veth', 'peer', 'name', name, 'netns', String(holder.pid));
      ip('address', 'add', `${prefix}.1/24`, 'dev', `to-${name}`);
      ip('link', 'set', `to-${name}`, 'up');
    }
    return roamer;
  }

  get #script() {
    return join(this.#folder, 'chromium');
  }

  /** What starts Chromium there. */
  get browser() {
    return { executablePath: this.#script };
  }

  /** @param {Network} network @returns {string} the address there */
  comesInto(network) {
    const address = `${PREFIX[network]}.2`;
    this.#inside('address', 'add', `${address}/24`, 'dev', network);
    this.#inside('link', 'set', network, 'up');
    this.#inside('route', 'replace', 'default', 'via', `${PREFIX[network]}.1`);
    return address;
  }

  /** @param {Network} network */
  goesOutOf(network) {
    this.#inside('link', 'set', network, 'down');
    this.#inside('address', 'flush', 'dev', network);
  }

  async end() {
    this.#holder.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** @param {string[]} words */
  #inside(...words) {
    execFileSync('nsenter', [`--net=/proc/${this.#holder.pid}/ns/net`, 'ip', ...words]);
  }
}

/** @param {string[]} words */
const ip = (...words) => execFileSync('ip', words);
