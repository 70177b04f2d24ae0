// Signaling messages that one join costs the one who joins, by how many are there already.
import { firstFrame, startCall } from './call.mjs';

/** @param {{talkie: string}} where */
export async function benchMessages({ talkie }) {
  const call = await startCall(talkie);
  await call.open();
  const joins = [];
  for (let others = 1; others <= 2; others += 1) {
    const page = await call.browser.contexts()[0]?.newPage();
    if (!page) throw new Error('no context');
    const count = { sent: 0, received: 0, bytes: 0 };
    page.on('websocket', (socket) => {
      socket.on('framesent', ({ payload }) => ((count.sent += 1), (count.bytes += payload.length)));
      socket.on('framereceived', ({ payload }) => ((count.received += 1), (count.bytes += payload.length)));
    });
    await page.goto(talkie);
    await firstFrame(page);
    await new Promise((wake) => setTimeout(wake, 3000));
    joins.push({ others, ...count });
  }
  await call.close();
  return joins;
}
