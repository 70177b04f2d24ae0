/**
 * Where it starts: reads the address, shows the view that belongs to it, and moves between them.
 * @module
 */
import { exposeDiagnostics } from './diagnostics.js';
import { LocalMedia } from './media/local.js';
import { cleanName } from './names.js';
import { readOptions, readRoom } from './options.js';
import { Call } from './session/call.js';
import { Door } from './session/door.js';
import { pageAt } from './pages/pages.js';
import { preferences } from './preferences.js';
import { rememberRoom } from './recent.js';
import { createStore, emptyCall, initialState, toast } from './state.js';
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
/** @type {Door|null} */
let door = null;
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
  store.set({ ...emptyCall(), options, room: target?.room ?? '', key: target?.key ?? null, brokenKey: target?.key === null && location.hash.length > 1, name: options.name ?? rememberedName() });
  const page = pageAt(location.pathname);
  if (page) return void openPage(page);
  document.title = target ? `${target.room} – ${strings.appName}` : strings.appName;
  if (!target) {
    store.set({ view: 'home' });
    show(() => homeView({ store, go }));
  } else if (options.join && !store.get().brokenKey) {
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
  }, (kind, text) => toast(store, kind, text));
  local = opened;
  if (!store.get().options.nomedia) void opened.start();
  return opened;
}

/** @param {string|null} [notice] why we are (again) outside */
function enterLobby(notice = null) {
  endVisit();
  store.set({ view: 'lobby', notice });
  door = new Door(store);
  door.start();
  showLobby();
}

function showLobby() {
  const media = openMedia();
  show(() => lobbyView({ store, local: media, enter: enterRoom, cancel: () => enterLobby(), home: goHome }));
}

/** @param {string} typed */
function enterRoom(typed) {
  const name = cleanName(typed);
  rememberName(name);
  const media = openMedia();
  const opened = door?.handOver();
  door = null;
  // Who has to knock stays in the lobby until somebody opens.
  const waiting = store.get().door?.locked === true;
  store.set({ ...emptyCall(), view: 'lobby', name, waiting });
  const entered = () => {
    if (store.get().view === 'room') return;
    store.set({ view: 'room' });
    show(() => roomView({ store, local: media, call: started, leave, retry: route }));
  };
  const started = new Call(store, media, { refused: enterLobby, waiting: knock, entered }, opened);
  call = started;
  if (!waiting) entered();
  started.join();
}

/** The room turned out to be locked. */
function knock() {
  if (store.get().view === 'lobby') return;
  store.set({ view: 'lobby' });
  showLobby();
}

function leave() {
  endCall();
  store.set({ view: 'left' });
  show(() => leftView({ store, rejoin: () => enterLobby(), home: goHome }));
}

/** Whatever we have to do with the server, before or in the room. */
function endVisit() {
  const [left, ending] = [door, call];
  door = call = null;
  left?.close();
  ending?.leave();
  store.set({ door: null });
}

function endCall() {
  endVisit();
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
  if (!navigator.onLine) return;
  door?.signaling.wake();
  call?.networkChanged();
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
  if (document.visibilityState === 'visible') (call ?? door)?.signaling.wake();
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
store.subscribe((s) => s.selfId, (id) => {
  // Only a room that let us in is worth finding again.
  if (id !== null && preferences.get().rememberRooms) rememberRoom(store.get());
});
route();
