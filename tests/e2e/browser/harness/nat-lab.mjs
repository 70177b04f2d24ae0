// Browsers behind NATs, and the server on the Internet between them: `talkie lab up`.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, chmod, constants, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { binary, settingless } from './server.mjs';
import { until } from './until.mjs';

const run = promisify(execFile);

/** @typedef {'left' | 'right'} Side */

export class NatLab {
  /** @type {import('node:child_process').ChildProcess | undefined} */ #server;
  #folder = '';
  #printed = '';
  #name;

  /** @param {string} name */
  constructor(name) {
    this.#name = name;
  }

  /**
   * With `talkie serve` on its server host.
   * @param {{left: string, right: string, kind?: 'tun' | 'kernel'}} types
   */
  static async up({ left, right, kind = 'tun' }) {
    await ownRun();
    const lab = new NatLab(`e2e-${process.pid}`);
    await lab.#talkie('up', '--left', left, '--right', right, '--kind', kind);
    try {
      lab.#folder = await mkdtemp(join(tmpdir(), 'talkie-e2e-lab-'));
      await lab.#serve();
    } catch (error) {
      // Nobody else knows of it yet.
      await lab.down();
      throw error;
    }
    return lab;
  }

  /** The address of the server. */
  get server() {
    return 'https://198.51.100.1:8443';
  }

  /** What starts Chromium on a host. @param {Side} side */
  async browser(side) {
    const executablePath = join(this.#folder, `chromium-${side}`);
    const command = `"${binary}" lab exec --name ${this.#name} ${side} -- "\${TALKIE_CHROMIUM:-/usr/bin/chromium}" "$@"`;
    await writeFile(executablePath, `#!/bin/sh\nexec ${command}\n`);
    await chmod(executablePath, 0o755);
    return { executablePath };
  }

  /** The tables of both NATs, as a person sees them. */
  async status() {
    return (await this.#talkie('status')).stdout;
  }

  async down() {
    const server = this.#server;
    await this.#talkie('down');
    if (server && server.exitCode === null && server.signalCode === null) await once(server, 'exit');
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #serve() {
    const data = ['--data-dir', join(this.#folder, 'data')];
    const server = spawn(binary, ['lab', 'exec', '--name', this.#name, 'server', '--', binary, 'serve', ...data], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...settingless(), NO_COLOR: '1' },
    });
    this.#server = server;
    for (const stream of [server.stdout, server.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => (this.#printed += text));
    }
    await until('the server in the lab prints its address', async () => {
      if (this.#printed.includes(this.server)) return true;
      throw new Error(`it printed:\n${this.#printed}`);
    });
  }

  /** @param {string} command @param {string[]} words */
  #talkie(command, ...words) {
    return run(binary, ['lab', command, '--name', this.#name, ...words], { env: settingless() });
  }
}

/** Whoever is root only in a namespace cannot write where labs have their files; there it gets a place of its own. */
async function ownRun() {
  try {
    await access('/run', constants.W_OK);
  } catch {
    await run('mount', ['-t', 'tmpfs', 'run', '/run']);
  }
}
