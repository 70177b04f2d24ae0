/** The service worker for the app's shell, for when there is no network. Classic, because not every browser runs modules here. */
importScripts('/sw/shell.js');
