/**
 * English: the shape that every other language has.
 * @module
 */
import chat from './en/chat.js';
import connection from './en/connection.js';
import errors from './en/errors.js';
import files from './en/files.js';
import media from './en/media.js';
import room from './en/room.js';
import start from './en/start.js';
import toolbar from './en/toolbar.js';
import trust from './en/trust.js';


export default { ...errors, ...start, ...room, ...toolbar, ...chat, ...files, ...media, ...connection, ...trust };
