/**
 * Where it starts: reads the address, shows the view that belongs to it, and moves between them.
 * @module
 */
import { exposeDiagnostics } from './diagnostics.js';
import { LocalMedia } from './media/local.js';
import { cleanName } from './names.js';
import { readOptions, readRoom } from './options.js';
import { Call } from './session/call.js';
import { pageAt } from './pages/pages.js';
import { createStore, emptyCall, initialState } from './state.js';
import { strings } from './strings.js';
import { homeView } from './views/start/home.js';
import { leftView } from './views/start/left.js';
import { lobbyView } from './views/start/lobby.js';
import { roomView } from './views/room/room.js';
import { showToasts } from './views/toasts.js';
import { registerWhenIdle, whenKept } from './worker.js';

/** @import {View} from './ui/dom.js' */

const NAME_KEPT = 'talkie-name';

const store = createStore(initialState());
const place = /** @type {HTMLElement} */ (document.getElementById('app'));
/** @type {View|null} */
let shown = null;
/** @type {Call|null} */
let call = null;
/** @type {LocalMedia|null} */
let local = null;

/** @param {() => View} make */
function show(make) {
  shown?.dispose();
  shown = make();
  place.replaceChildren(shown.element);
}

/** The view that the address names. */
function route() {
  endCall();
  const options = readOptions(location.search);
  const target = readRoom(location);
  store.set({ ...emptyCall(), options, room: target?.room ?? '', key: target?.key ?? null, name: options.name ?? rememberedName() });
  const page = pageAt(location.pathname);
  if (page) return void openPage(page);
  document.title = target ? `${target.room} – ${strings.appName}` : strings.appName;
  if (!target) {
    store.set({ view: 'home' });
    show(() => homeView({ go }));
  } else if (options.join) {
    enterRoom(store.get().name);
  } else {
    enterLobby();
  }
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

/** The devices are opened once and carried from the lobby into the room. */
function openMedia() {
  if (local) return local;
  const opened = new LocalMedia((media) => {
    if (local !== opened) return;
    store.set({ media });
    call?.presence.changed();
  });
  local = opened;
  if (!store.get().options.nomedia) void opened.open(['mic', 'camera']);
  return opened;
}

/** @param {string|null} [notice] why we are (again) outside */
function enterLobby(notice = null) {
  const media = openMedia();
  store.set({ view: 'lobby', notice });
  show(() => lobbyView({ store, local: media, enter: enterRoom, home: goHome }));
}

/** @param {string} typed */
function enterRoom(typed) {
  const name = cleanName(typed);
  rememberName(name);
  const media = openMedia();
  store.set({ ...emptyCall(), view: 'room', name });
  const started = new Call(store, media, (code) => {
    call?.leave();
    call = null;
    enterLobby(code);
  });
  call = started;
  show(() => roomView({ store, local: media, call: started, leave, retry: route }));
  started.join();
}

function leave() {
  endCall();
  store.set({ view: 'left' });
  show(() => leftView({ store, rejoin: () => enterLobby(), home: goHome }));
}

function endCall() {
  const ending = call;
  call = null;
  ending?.leave();
  local?.close();
  local = null;
  store.set({ media: initialState().media });
}

/** @returns {string} */
function rememberedName() {
  try {
    return cleanName(localStorage.getItem(NAME_KEPT));
  } catch {
    return ''; // storage is switched off
  }
}

/** @param {string} name */
function rememberName(name) {
  // A name that the address gave (a kiosk's) is not the person's own.
  if (store.get().options.name !== null) return;
  try {
    localStorage.setItem(NAME_KEPT, name);
  } catch {
    // Then it is asked for next time.
  }
}

function networkChanged() {
  store.set({ online: navigator.onLine });
  if (navigator.onLine) call?.networkChanged();
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
  if (document.visibilityState === 'visible') call?.signaling.wake();
});
addEventListener('pagehide', () => endCall());
addEventListener('pageshow', (event) => {
  // Back from the browser's page cache: the call that was here has ended.
  if (event.persisted) location.reload();
});

showToasts(store, /** @type {HTMLElement} */ (document.getElementById('toasts')));
exposeDiagnostics(store, () => call, () => local);
whenKept(() => store.set({ unreachable: true }));
registerWhenIdle();
route();
