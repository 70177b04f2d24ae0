/**
 * The way to the settings, loaded when somebody takes it.
 * @module
 */

/** @import {SettingsApp, TabName} from './settings.js' */

/** @param {SettingsApp} app @param {TabName} [tab] which one is shown first */
export async function openSettings(app, tab) {
  const { showSettings } = await import('./settings.js');
  showSettings(app, tab);
}
