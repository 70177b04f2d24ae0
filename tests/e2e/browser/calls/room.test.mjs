// What people do in the room beside talking: layouts, hands, reactions, keys, push-to-talk.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Company, goHome } from '../harness/company.mjs';
import { hears, hearsNothing, moves } from '../harness/media.mjs';
import { id } from '../harness/person.mjs';
import { enter, linkTo, meets, newRoom, openPanel, OTHERS, OWN } from '../harness/room.mjs';
import { closeSettings, openSettings, pick } from '../harness/settings.mjs';
import { until } from '../harness/until.mjs';

/** @typedef {import('../harness/person.mjs').Person} Person */

const company = Company.gather();
/** @type {Person} */ let ada;
/** @type {Person} */ let grace;
/** @type {string} */ let room;

before(async () => {
  ada = await company.chromium('Ada', { context: { viewport: { width: 800, height: 500 } } });
  grace = await company.firefox('Grace');
  room = newRoom();
  await enter(ada, company.server.local, room);
  await enter(grace, company.server.local, room);
  for (const person of [ada, grace]) await meets(person, 1);
});
after(() => goHome(ada, grace));

/** @param {Person} person @param {string} selector */
const box = (person, selector) =>
  person.evaluate((s) => {
    const { x, y, width, height } = document.querySelector(s)?.getBoundingClientRect() ?? new DOMRect();
    return { x, y, width, height };
  }, selector);

/** @param {Person} person @param {string} selector @param {string} name @param {string|null} value */
const says = (person, selector, name, value) =>
  until(`${person.name}'s ${selector} has ${name} ${value}`, async () => {
    const now = await person.attribute(selector, name);
    if (now === value) return true;
    throw new Error(`it is ${now}`);
  });

test('with two, the own picture floats, and is moved by hand and by key', async () => {
  for (const person of [ada, grace]) {
    await says(person, OWN, 'data-size', 'floating');
    await moves(person, `${OTHERS} video`);
  }
  const tiles = await box(ada, id('tiles'));
  const before = await box(ada, OWN);
  assert.ok(before.width < tiles.width / 3 && before.x > tiles.width / 2 && before.y < tiles.height / 2, JSON.stringify(before));
  const mouse = ada.page.mouse;
  await mouse.move(before.x + before.width / 2, before.y + before.height / 2);
  await mouse.down();
  await mouse.move(tiles.x + 80, tiles.y + tiles.height - 80, { steps: 4 });
  await mouse.up();
  await until('it is in the lower left', async () => {
    const now = await box(ada, OWN);
    return now.x < tiles.x + tiles.width / 4 && now.y > tiles.y + tiles.height / 2;
  });
  await ada.evaluate(() => /** @type {HTMLElement|null} */ (document.querySelector('[data-testid="move-self"]'))?.focus());
  await ada.press('ArrowRight');
  await until('it is in the lower right', async () => (await box(ada, OWN)).x > tiles.x + tiles.width / 2);
});

test('hands are seen with their order, by key and by button', async () => {
  await ada.press('r');
  await says(ada, id('hand'), 'aria-pressed', 'true');
  await grace.reads(`${OTHERS} ${id('tile-hand')}`, '1');
  await grace.click(id('hand'));
  await ada.reads(`${OTHERS} ${id('tile-hand')}`, '2');
  await ada.reads(`${OWN} ${id('tile-hand')}`, '1');
  await ada.reads(id('announcer'), 'Grace raised a hand');
  await ada.press('r');
  await grace.reads(`${OWN} ${id('tile-hand')}`, '1');
  await until('the hand is down', async () => (await grace.text(`${OTHERS} ${id('tile-hand')}`)) === '');
  await grace.click(id('hand'));
});

test('a reaction flies from the tile of who sent it, and a flood of them is bounded', async () => {
  // They are there for a moment only: Grace's page keeps what it showed.
  await grace.evaluate(() => {
    const seen = { emoji: /** @type {string[]} */ ([]), peers: /** @type {string[]} */ ([]), most: 0 };
    Object.assign(window, { talkieReactions: seen });
    const layer = /** @type {HTMLElement} */ (document.querySelector('[data-testid="reactions"]'));
    new MutationObserver((changes) => {
      for (const node of changes.flatMap((change) => [...change.addedNodes])) {
        seen.emoji.push(node.textContent ?? '');
        seen.peers.push(/** @type {HTMLElement} */ (node).dataset.peer ?? '');
      }
      seen.most = Math.max(seen.most, layer.children.length);
    }).observe(layer, { childList: true });
  });
  const seen = () => grace.evaluate(() => /** @type {{emoji: string[], peers: string[], most: number}} */ (/** @type {any} */ (window).talkieReactions));
  await ada.click(id('react'));
  await ada.click(id('react-5'));
  await until('Grace saw it', async () => (await seen()).emoji.includes('🎉'));
  assert.deepEqual((await seen()).peers, [await grace.attribute(OTHERS, 'data-peer')]);
  await grace.reads(id('announcer'), 'Ada: 🎉');
  await ada.press('Escape');
  await ada.evaluate(() => {
    const { control } = /** @type {any} */ (window).talkie.peers[0];
    for (let n = 0; n < 300; n += 1) control.send(JSON.stringify({ type: 'reaction', emoji: n % 2 ? '👍' : '<img src=x>' }));
  });
  await until('Grace saw some', async () => (await seen()).emoji.includes('👍'));
  await until('they are gone', async () => (await grace.count(id('reaction'))) === 0);
  const all = await seen();
  // Five at once and one more every 0.7 s; the 150 valid ones come within a few seconds.
  assert.ok(all.emoji.length < 40 && all.most <= 24, JSON.stringify(all.most));
  assert.ok(all.emoji.every((one) => one === '🎉' || one === '👍'));
});

test('keys work the controls, and never while somebody writes', async () => {
  await grace.press('c');
  await grace.sees(id('chat-input'));
  await until('the field has the focus', () => grace.evaluate(() => document.activeElement?.getAttribute('data-testid') === 'chat-input'));
  for (const key of 'mvrhsc1? ') await grace.press(key);
  assert.equal(await grace.evaluate(() => /** @type {HTMLTextAreaElement|null} */ (document.querySelector('[data-testid="chat-input"]'))?.value), 'mvrhsc1? ');
  assert.equal(await grace.attribute(id('mic'), 'data-state'), 'on');
  assert.equal(await grace.attribute(id('hand'), 'aria-pressed'), 'false');
  assert.equal(await grace.count(id('shortcuts-help')), 0);
  await grace.fill(id('chat-input'), '');
  await grace.press('Escape');
  await until('the panel is shut', async () => (await grace.attribute(id('chat'), 'aria-expanded')) === 'false');
  await grace.press('v');
  await says(ada, OTHERS, 'data-picture', 'false');
  await grace.press('v');
  await says(ada, OTHERS, 'data-picture', 'true');
  await grace.press('?');
  await grace.reads(id('shortcuts-help'), 'M');
  await grace.click(id('shortcuts-enabled'));
  await grace.click(id('shortcuts-help-close'));
  await grace.press('r');
  await grace.press('?');
  assert.equal(await grace.attribute(id('hand'), 'aria-pressed'), 'false');
  assert.equal(await grace.count(id('shortcuts-help')), 0);
  await grace.evaluate(() => localStorage.removeItem('talkie-preferences'));
});

test('push-to-talk is heard only while it is held', async () => {
  await ada.press('m');
  await says(grace, OTHERS, 'data-mic', 'false');
  await hearsNothing(grace);
  await ada.evaluate(() => /** @type {HTMLElement} */ (document.activeElement)?.blur());
  await ada.page.keyboard.down('Space');
  await says(grace, OTHERS, 'data-mic', 'true');
  await hears(grace);
  await ada.page.keyboard.up('Space');
  await says(grace, OTHERS, 'data-mic', 'false');
  await hearsNothing(grace);
  // Who looks elsewhere has let go.
  await ada.page.keyboard.down('Space');
  await says(ada, id('mic'), 'data-state', 'on');
  await ada.evaluate(() => window.dispatchEvent(new Event('blur')));
  await says(ada, id('mic'), 'data-state', 'off');
  await ada.page.keyboard.up('Space');
  await ada.press('m');
  await says(grace, OTHERS, 'data-mic', 'true');
});

test('the speaker view follows who speaks, and pinning holds', async () => {
  const joan = await company.chromium('Joan', { browser: { args: ['--mute-audio'] } });
  await enter(joan, company.server.local, room);
  for (const person of [ada, joan]) await meets(person, 2);
  const key = (/** @type {string} */ name) => ada.evaluate((who) => /** @type {any} */ (window).talkie.peers.find((/** @type {any} */ peer) => peer.name === who).key, name);
  const [graceKey, joanKey] = [await key('Grace'), await key('Joan')];
  const large = () => ada.attribute('[data-testid="tile"][data-size="large"]', 'data-peer');
  await ada.click(id('layout'));
  for (const [mutes, speaks, who] of /** @type {const} */ ([[grace, joan, joanKey], [joan, grace, graceKey]])) {
    if ((await speaks.attribute(id('mic'), 'data-state')) !== 'on') await speaks.click(id('mic'));
    if ((await mutes.attribute(id('mic'), 'data-state')) === 'on') await mutes.click(id('mic'));
    await until(`${speaks.name} is large`, async () => (await large()) === who);
    await says(ada, `[data-peer="${who}"]`, 'data-speaking', 'true');
  }
  await ada.evaluate((peer) => /** @type {HTMLElement|null} */ (document.querySelector(`[data-peer="${peer}"] [data-testid="pin"]`))?.click(), joanKey);
  await until('Joan stays large', async () => (await large()) === joanKey);
  await says(ada, `[data-peer="${joanKey}"] ${id('pin')}`, 'aria-pressed', 'true');
  await ada.press('2');
  await until('the second is pinned by its digit', async () => (await large()) === joanKey || (await large()) === graceKey);
  await ada.click(id('layout'));
  // Arrow keys lead through the controls; Tab knows one of them.
  assert.equal(await ada.count('.toolbar .round[tabindex="0"]'), 1);
  await ada.evaluate(() => /** @type {HTMLElement|null} */ (document.querySelector('[data-testid="mic"]'))?.focus());
  await ada.press('ArrowRight');
  assert.equal(await ada.evaluate(() => document.activeElement?.getAttribute('data-testid')), 'camera');
  await goHome(joan);
  await meets(ada, 1);
});

test('the call goes into a small window, with what one needs there', async () => {
  await ada.click(id('more'));
  await ada.click(id('pip'));
  /** What is in that window, and after `press` of a button in it. @param {string} [press] */
  const inside = (press) => ada.evaluate(([pressed]) => {
    /** @type {Document|undefined} */
    const page = /** @type {any} */ (window).documentPictureInPicture.window?.document;
    const find = (/** @type {string} */ testid) => page?.querySelector(`[data-testid="${testid}"]`);
    if (pressed) /** @type {HTMLElement} */ (find(pressed)).click();
    return page && { width: /** @type {HTMLVideoElement|undefined} */ (find('pip-video'))?.videoWidth, name: find('pip-name')?.textContent, mic: find('mic')?.getAttribute('data-state') };
  }, [press]);
  await until('Grace is seen in it', async () => {
    const now = await inside();
    if (now?.name === 'Grace' && now.width) return true;
    throw new Error(JSON.stringify(now));
  });
  await inside('mic');
  await says(grace, OTHERS, 'data-mic', 'false');
  await inside('mic');
  await says(grace, OTHERS, 'data-mic', 'true');
  await ada.click(id('more'));
  await ada.click(id('pip'));
  await until('it is closed', async () => !(await inside()));
});

test('another language is taken at once, in the lobby and in the call, which goes on', async () => {
  const joan = await company.chromium('Joan', { browser: { args: ['--mute-audio'] } });
  await joan.open(linkTo(company.server.local, room));
  await joan.fill(id('name'), joan.name);
  await openSettings(joan, 'general');
  await pick(joan, '.settings [data-testid="language"]', 'zh');
  await joan.reads('dialog.settings', '语言');
  await closeSettings(joan);
  await joan.reads(id('enter'), '加入');
  assert.equal(await joan.evaluate(() => document.documentElement.lang), 'zh');
  await joan.click(id('enter'));
  await meets(joan, 2);
  await until('Joan has her name', async () => (await ada.count(`${OTHERS}[aria-label="Joan"]`)) === 1);

  await joan.evaluate(() => Object.assign(window, { before: /** @type {any} */ (window).talkie.peers.map((/** @type {any} */ peer) => peer.pc) }));
  await openPanel(joan, 'chat');
  await joan.fill(id('chat-input'), 'half a word');
  await joan.screenshot('room-chinese-desktop');
  await openSettings(joan, 'general');
  await pick(joan, '.settings [data-testid="language"]', 'en');
  await joan.reads('dialog.settings', 'Language');
  await closeSettings(joan);
  await joan.reads(id('panel'), 'Chat');
  assert.equal(await joan.evaluate(() => /** @type {HTMLTextAreaElement|null} */ (document.querySelector('[data-testid="chat-input"]'))?.value), 'half a word');
  const left = await joan.evaluate(() => [document.documentElement.lang, ...document.body.innerHTML.match(/[\u4e00-\u9fff]+/g) ?? []]);
  assert.deepEqual(left, ['en'], 'nothing of the former language is left');
  assert.ok(await joan.evaluate(() => /** @type {any} */ (window).talkie.peers.every((/** @type {any} */ { pc }, /** @type {number} */ at) => pc === /** @type {any} */ (window).before[at] && pc.connectionState === 'connected')));
  await moves(joan, `${OTHERS} video`);
  await hears(joan);
  await joan.open(company.server.local);
  await joan.reads('h1', 'Talk, share, done.');
  await goHome(joan);
  await meets(ada, 1);
});
