// Starts the real program with its defaults, kills it and starts it again.
//
// The tests have a network namespace of their own (namespace.sh), so every port is free and the
// defaults are what is tested.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from './until.mjs';

/** The program. */
export const binary =
  process.env.TALKIE_BINARY ??
  new URL('../../../../target/release/talkie', import.meta.url).pathname;

/** Where the server is seen on the network card of the namespace. */
export const CARD = '198.51.100.10';

export class Server {
  /** @type {import('node:child_process').ChildProcess | null} */
  #child = null;
  #dataDir = '';
  /** @type {string[]} */
  #flags;
  #printed = '';

  /** @param {string[]} flags */
  constructor(flags) {
    this.#flags = flags;
  }

  /** @param {string[]} flags */
  static async start(...flags) {
    const server = new Server(flags);
    server.#dataDir = await mkdtemp(join(tmpdir(), 'talkie-e2e-'));
    try {
      await server.run();
    } catch (error) {
      // Nobody else knows of it yet.
      await server.stop();
      throw error;
    }
    return server;
  }

  /** The address for browsers on the same machine: a secure context without a certificate. */
  get local() {
    return 'http://localhost:8080';
  }

  /** The address for browsers elsewhere. */
  get network() {
    return `https://${CARD}:8443`;
  }

  /** The address by a name, for browsers to which somebody tells what it stands for. */
  get named() {
    return 'https://talkie.example:8443';
  }

  /** All that the program printed since it was started last. */
  get printed() {
    return this.#printed;
  }

  async run() {
    if (this.#child) throw new Error('the server runs already');
    this.#printed = '';
    const child = spawn(binary, ['serve', '--data-dir', this.#dataDir, ...this.#flags], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...settingless(), NO_COLOR: '1' },
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => (this.#printed += text));
    }
    await until('the server prints its address and is ready', async () => {
      if (child.exitCode !== null || child.signalCode !== null) {
        throw new Fatal(`the server ended (${child.exitCode ?? child.signalCode}):\n${this.#printed}`);
      }
      if (this.#printed.includes(this.local) && (await ready())) return true;
      throw new Error(`it printed:\n${this.#printed}`);
    });
  }

  /** Ends it as a crash would: nobody is told. */
  async kill() {
    await this.#end('SIGKILL');
  }

  async stop() {
    // Twice: the second ends it without waiting for the rooms to empty.
    this.#child?.kill('SIGTERM');
    await this.#end('SIGTERM');
    await rm(this.#dataDir, { recursive: true, force: true });
  }

  /** @param {NodeJS.Signals} signal */
  async #end(signal) {
    const child = this.#child;
    this.#child = null;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    const hopeless = setTimeout(() => child.kill('SIGKILL'), 20_000);
    await gone;
    clearTimeout(hopeless);
  }
}

/** The environment without what the program would take for its settings. */
export function settingless() {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('TALKIE_')));
}

class Fatal extends Error {
  fatal = true;
}

async function ready() {
  try {
    return (await fetch('http://127.0.0.1:9464/readyz')).ok;
  } catch {
    return false;
  }
}
