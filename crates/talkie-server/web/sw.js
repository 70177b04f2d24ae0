/**
 * The service worker: the app's shell for when there is no network, and downloads that are written to
 * disk while they arrive. Classic, because not every browser runs modules here.
 */
importScripts('/sw/shell.js', '/sw/download.js');
