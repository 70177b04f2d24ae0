/**
 * Where it starts: reads the address, shows the view that belongs to it, and moves between them.
 * @module
 */
import { exposeDiagnostics } from './diagnostics.js';
import { randomKey, randomRoomName } from './names.js';
import { readOptions, readRoom } from './options.js';
import { pageAt } from './pages/pages.js';
import { rememberedName } from './own-name.js';
import { preferences } from './preferences.js';
import { rememberRoom } from './recent.js';
import { createStore, emptyCall, initialState } from './state.js';
import { onLanguage, strings } from './strings.js';
import { homeView } from './views/start/home.js';
import { showToasts } from './views/toasts.js';
import { registerWhenIdle, whenKept } from './worker.js';

/** @import {View} from './ui/dom.js' */
/** @import {Visit} from './visit.js' */

const store = createStore(initialState());
const place = /** @type {HTMLElement} */ (document.getElementById('app'));
/** @type {View|null} */
let shown = null;
/** @type {Visit|null} what a room needs is loaded by those who go there */
let visit = null;

/** How what is shown was made, to make it anew in another language. @type {() => View} */
let made;

/** @param {() => View} make */
function show(make) {
  made = make;
  shown?.dispose();
  shown = make();
  place.replaceChildren(shown.element);
}

/** The same view in other words; what somebody has typed stays. */
function showAnew() {
  const fields = () => /** @type {NodeListOf<HTMLInputElement>} */ (place.querySelectorAll('input.input, textarea'));
  const typed = new Map([...fields()].map((field) => [field.dataset.testid, field.value]));
  show(made);
  for (const field of fields()) field.value = typed.get(field.dataset.testid) ?? field.value;
}

/** The view that the address names. */
function route() {
  visit?.end();
  const options = readOptions(location.search);
  const target = readRoom(location);
  store.set({ ...emptyCall(), options, room: target?.room ?? '', key: target?.key ?? null, brokenKey: target?.key === null && location.hash.length > 1, name: options.name ?? rememberedName() });
  const page = pageAt(location.pathname);
  if (page) return void openPage(page);
  if (!target && new URLSearchParams(location.search).has('start')) return startRoom();
  document.title = target ? `${target.room} – ${strings.appName}` : strings.appName;
  if (!target) {
    store.set({ view: 'home' });
    show(() => homeView({ store, go }));
  } else {
    visitRoom(options.join && !store.get().brokenKey).catch(() => store.set({ unreachable: true }));
  }
}

/** @param {boolean} straight without a stop in the lobby */
async function visitRoom(straight) {
  const at = location.href;
  const { Visit } = await import('./visit.js');
  if (location.href !== at) return; // somebody went on meanwhile
  visit ??= new Visit(store, { show, home: goHome, retry: route });
  if (straight) visit.enterRoom(store.get().name);
  else visit.enterLobby();
}

/** What the installed app's shortcut asks for (manifest.webmanifest). */
function startRoom() {
  history.replaceState(null, '', `/r/${randomRoomName()}#${randomKey()}`);
  route();
}

/** @param {import('./pages/pages.js').Page} page */
async function openPage(page) {
  store.set({ view: 'page' });
  const at = location.href;
  const { view, title } = await page.load();
  if (location.href !== at) return; // somebody went on meanwhile
  document.title = `${title} – ${strings.appName}`;
  show(() => view({ store, home: goHome }));
}

/** @param {string} room @param {string|null} key */
function go(room, key) {
  // The flags stay: who opened the page with ?relay wants that for the room.
  history.pushState(null, '', `/r/${room}${location.search}${key ? `#${key}` : ''}`);
  route();
}

function goHome() {
  history.pushState(null, '', '/');
  route();
}

function networkChanged() {
  store.set({ online: navigator.onLine });
  if (navigator.onLine) visit?.networkChanged();
}

/** From Wi-Fi to mobile and back, on the phones that tell. The other properties are estimates that change all the time. */
function watchConnectionType() {
  const connection = /** @type {any} */ (navigator).connection;
  let type = connection?.type;
  connection?.addEventListener?.('change', () => {
    if (connection.type === type) return;
    type = connection.type;
    networkChanged();
  });
}

addEventListener('popstate', route);
addEventListener('online', networkChanged);
addEventListener('offline', networkChanged);
watchConnectionType();
document.addEventListener('visibilitychange', () => {
  // Timers sleep in the background; see at once what became of the socket.
  if (document.visibilityState === 'visible') visit?.wake();
});
addEventListener('pagehide', () => visit?.end());
addEventListener('pageshow', (event) => {
  // Back from the browser's page cache: the call that was here has ended.
  if (event.persisted) location.reload();
});

onLanguage(showAnew);
showToasts(store, /** @type {HTMLElement} */ (document.getElementById('toasts')));
exposeDiagnostics(store, () => visit?.call ?? null, () => visit?.local ?? null);
whenKept(() => store.set({ unreachable: true }));
registerWhenIdle();
store.subscribe((s) => s.selfId, (id) => {
  // Only a room that let us in is worth finding again.
  if (id !== null && preferences.get().rememberRooms) rememberRoom(store.get());
});
route();
