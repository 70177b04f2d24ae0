/**
 * 中文（简体）。
 * @module
 */
import chat from './zh/chat.js';
import connection from './zh/connection.js';
import errors from './zh/errors.js';
import files from './zh/files.js';
import media from './zh/media.js';
import room from './zh/room.js';
import start from './zh/start.js';
import toolbar from './zh/toolbar.js';
import trust from './zh/trust.js';

/** @type {typeof import('./en.js').default} */
export default { ...errors, ...start, ...room, ...toolbar, ...chat, ...files, ...media, ...connection, ...trust };
