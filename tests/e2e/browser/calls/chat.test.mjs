// The chat: links, typing, unread messages, what was said before somebody came, and hostile peers.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Company, goHome } from '../harness/company.mjs';
import { id } from '../harness/person.mjs';
import { enter, meets, newRoom, openPanel, OTHERS, readsInChat, say } from '../harness/room.mjs';
import { until } from '../harness/until.mjs';

/** @typedef {import('../harness/person.mjs').Person} Person */

const company = Company.gather();
/** @type {Person} */ let ada;
/** @type {Person} */ let grace;
/** @type {string} */ let room;

before(async () => {
  ada = await company.chromium('Ada');
  grace = await company.firefox('Grace');
  room = newRoom();
  await enter(ada, company.server.local, room, 'nomedia');
  await enter(grace, company.server.local, room, 'nomedia');
  for (const person of [ada, grace]) await meets(person, 1);
});
after(() => goHome(ada, grace));

/** Sends whatever a hostile page could. @param {Person} person @param {string[]} messages */
async function send(person, messages) {
  await until(`the channels of ${person.name} are open`, () =>
    person.evaluate(() => /** @type {any} */ (window).talkie.peers.every((/** @type {any} */ { control }) => control?.readyState === 'open')),
  );
  await person.evaluate((all) => {
    for (const { control } of /** @type {any} */ (window).talkie.peers) for (const message of all) control.send(message);
  }, messages);
}

test('unread messages are counted, in the title too; typing is seen; links are safe', async () => {
  const title = await grace.evaluate(() => document.title);
  await say(ada, 'first');
  await grace.reads(`${id('chat')} .count`, '1');
  await until('the title counts', async () => (await grace.evaluate(() => document.title)) === `(1) ${title}`);
  await openPanel(grace, 'chat');
  await until('nothing is unread', async () => (await grace.evaluate(() => document.title)) === title);
  await ada.fill(id('chat-input'), 'I am writing');
  await grace.reads(id('chat-typing'), 'Ada is writing');
  await ada.fill(id('chat-input'), '');
  await until('she stopped', async () => (await grace.text(id('chat-typing'))) === '');
  await say(ada, 'see https://example.org/a?b=1 not javascript:alert(1)');
  await grace.sees(id('chat-link'));
  const link = await grace.evaluate(() => {
    const a = /** @type {HTMLAnchorElement|null} */ (document.querySelector('[data-testid="chat-link"]'));
    return { href: a?.href, text: a?.textContent, rel: a?.rel, links: document.querySelectorAll('.chat-log a').length };
  });
  assert.deepEqual(link, { href: 'https://example.org/a?b=1', text: 'https://example.org/a?b=1', rel: 'noreferrer noopener', links: 1 });
});

test('emoji are picked by key', async () => {
  await openPanel(grace, 'chat');
  await grace.click(id('emoji-open'));
  await grace.sees(id('emoji-picker'));
  await until('an emoji has the focus', () => grace.evaluate(() => document.activeElement?.getAttribute('data-testid') === 'emoji'));
  await grace.press('ArrowRight');
  await grace.press('Enter');
  await grace.press('Escape');
  await grace.click(id('chat-send'));
  await readsInChat(ada, '😄');
});

test('a message of 100 kB is cut where it is written, and said so', async () => {
  await openPanel(ada, 'chat');
  await ada.fill(id('chat-input'), 'x'.repeat(100_000));
  await ada.reads(id('chat-hint'), '4,000');
  await ada.click(id('chat-send'));
  await until('Grace has what was sent', () =>
    grace.evaluate(() => [...document.querySelectorAll('[data-testid="chat-message"] p')].some((one) => one.textContent?.length === 4000)),
  );
  const wide = await grace.evaluate(() => {
    const log = document.querySelector('[data-testid="chat-log"]');
    return log ? log.scrollWidth - log.clientWidth : 1;
  });
  assert.equal(wide, 0);
});

test('who comes later reads what was said, marked as hearsay, and once', async () => {
  const joan = await company.chromium('Joan');
  await enter(joan, company.server.local, room, 'nomedia');
  await meets(joan, 2);
  await openPanel(joan, 'chat');
  await joan.reads(id('chat-log'), 'first');
  await joan.reads(id('chat-log'), '😄');
  await joan.reads(id('chat-told'), 'as told by Ada');
  await say(grace, 'welcome Joan');
  await readsInChat(joan, 'welcome Joan');
  const told = await joan.evaluate(() => [...document.querySelectorAll('[data-testid="chat-message"]')].map((one) => /** @type {HTMLElement} */ (one).dataset.id));
  assert.equal(new Set(told).size, told.length);
  assert.equal(await joan.count(`${id('chat-message')}[data-told="false"]`), 1);

  // Nobody asked Grace: what she tells of the past is not believed. Nor does Ada's word count a second time.
  const lie = JSON.stringify({ type: 'history', last: true, messages: [{ id: 'a-lie-0001', name: 'Ada', text: 'I never said this', age: 1000 }] });
  await send(grace, [lie]);
  await send(ada, [lie]);
  await say(ada, 'after the lie');
  await readsInChat(joan, 'after the lie');
  assert.doesNotMatch(await joan.text(id('chat-log')), /never said/);
  await goHome(joan);
});

test('markup, reversed text and a flood are inert, bounded, and stop nobody else', async () => {
  const mallory = await company.chromium('<b>Mal\u202elory</b><img src=x onerror=document.title=1>');
  await enter(mallory, company.server.local, room, 'nomedia');
  for (const person of [ada, mallory]) await meets(person, 2);
  await until('the name stands there as text', async () =>
    ada.evaluate((s) => [...document.querySelectorAll(`${s} [data-testid="tile-name"]`)].some((one) => one.textContent?.startsWith('<b>Mallory</b>')), OTHERS),
  );
  await openPanel(ada, 'chat');
  await send(mallory, [
    JSON.stringify({ type: 'chat', id: 'hostile-01', text: '<img src=x onerror=alert(1)> \u202eevil\u2066 <script>1</script>' }),
    JSON.stringify({ type: 'chat', id: 'hostile-02', text: 'y'.repeat(100_000) }),
    '{"type":"chat"', '[]', 'null', JSON.stringify({ type: 'typing', on: { toString: 1 } }),
  ]);
  await readsInChat(ada, '<img src=x onerror=alert(1)>');
  const shown = await ada.evaluate(() => {
    const log = document.querySelector('.chat-log');
    return { text: log?.textContent ?? '', bad: log?.querySelectorAll('img, script, b').length };
  });
  assert.equal(shown.bad, 0);
  assert.doesNotMatch(shown.text, /[\u202a-\u202e\u2066-\u2069]|yyyyy/);
  const before = await ada.count(id('chat-message'));
  await send(mallory, Array.from({ length: 1000 }, (_, n) => JSON.stringify({ type: 'chat', id: `flood-${String(n).padStart(6, '0')}`, text: `flood ${n}` })));
  await readsInChat(ada, 'flood 1');
  await say(grace, 'still here');
  await readsInChat(ada, 'still here');
  const after = await ada.count(id('chat-message'));
  assert.ok(after - before <= 60, `${after - before} of 1000 are shown`);
  await mallory.page.close();
  await meets(ada, 1);
});
