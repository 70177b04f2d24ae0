// What is in a page's memory, with Chromium.

/** @typedef {import('./person.mjs').Person} Person */
/** @typedef {{heap: number, listeners: number, nodes: number, alive: Record<string, number>}} Weight */

/** What a call makes of its own, and has to let go of. Not streams: Chromium keeps those of getUserMedia, then empty, for some minutes. */
const KINDS = ['RTCPeerConnection', 'RTCDataChannel', 'MediaStreamTrack', 'AudioContext', 'WebSocket', 'HTMLVideoElement', 'HTMLAudioElement'];

/** @param {Person} person @returns {Promise<Weight>} */
export async function weigh(person) {
  // The harness's own list of connections would hold on to them.
  await person.evaluate(() => {
    const page = /** @type {any} */ (window);
    page.talkieConnections = page.talkieConnections.filter((/** @type {RTCPeerConnection} */ pc) => pc.connectionState !== 'closed');
  });
  const session = await person.page.context().newCDPSession(person.page);
  await session.send('Performance.enable');
  // What only the collector has not got to yet is no leak.
  for (let round = 0; round < 3; round += 1) await session.send('HeapProfiler.collectGarbage');
  const { metrics } = await session.send('Performance.getMetrics');
  /** @type {Record<string, number>} */
  const alive = {};
  for (const kind of KINDS) alive[kind] = await count(session, kind);
  await session.detach();
  /** @param {string} name */
  const metric = (name) => Number(metrics.find((/** @type {any} */ m) => m.name === name)?.value);
  return { heap: metric('JSHeapUsedSize'), listeners: metric('JSEventListeners'), nodes: metric('Nodes'), alive };
}

/** How many there are that something still holds on to; prototypes of subclasses are none. @param {any} session @param {string} kind */
async function count(session, kind) {
  const objectGroup = 'weigh';
  const { result } = await session.send('Runtime.evaluate', { expression: `${kind}.prototype`, objectGroup });
  const { objects } = await session.send('Runtime.queryObjects', { prototypeObjectId: result.objectId, objectGroup });
  const { result: length } = await session.send('Runtime.callFunctionOn', { objectId: objects.objectId, functionDeclaration: 'function () { return this.filter((one) => !Object.hasOwn(one, "constructor")).length; }', returnByValue: true });
  await session.send('Runtime.releaseObjectGroup', { objectGroup });
  return Number(length.value);
}
