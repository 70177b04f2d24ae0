// What the web app costs: see docs/bench.md. Run in the tests' network namespace, with the release build:
//   cargo build --release && tests/e2e/browser/namespace.sh node bench/web/run.mjs [join|cpu|messages]
import { Server } from '../../tests/e2e/browser/harness/server.mjs';
import { benchCpu } from './cpu.mjs';
import { benchJoin } from './join.mjs';
import { benchMessages } from './messages.mjs';
import { serveMinimal } from './minimal-site.mjs';

const KEY = 'bench-bench-bench-bench';
const only = process.argv[2];
const server = await Server.start();
const site = await serveMinimal();
const room = (/** @type {string} */ name) => `${server.local}/r/${name}?join&name=Ada#${KEY}`;
try {
  // The network card has just come up; browsers drop what they load while it does.
  await new Promise((wake) => setTimeout(wake, 2500));
  if (!only || only === 'join') {
    const { talkie, minimal, ratio, rounds } = await benchJoin({ talkie: room('bench-join'), minimal: site.address });
    console.log(`join to first frame, median of ${rounds}: talkie ${ms(talkie)}, minimal page ${ms(minimal)}, ratio ${ratio.toFixed(2)}`);
  }
  if (!only || only === 'cpu') {
    const { talkie, minimal, ratio, rounds } = await benchCpu({ talkie: (round) => room(`bench-cpu-${round}`), minimal: site.address });
    console.log(`CPU of three idle pages, median of ${rounds}: talkie ${percent(talkie)}, minimal page ${percent(minimal)}, ratio ${ratio.toFixed(2)}`);
  }
  if (!only || only === 'messages') {
    for (const { others, sent, received, bytes } of await benchMessages({ talkie: room('bench-messages') })) {
      console.log(`signaling of a join to ${others}: ${sent} sent, ${received} received, ${bytes} bytes`);
    }
  }
} finally {
  site.close();
  await server.stop();
}

/** @param {number|undefined} value */
function ms(value) {
  return `${value?.toFixed(0)} ms`;
}

/** @param {number|undefined} share of one core */
function percent(share) {
  return `${((share ?? NaN) * 100).toFixed(1)} %`;
}
