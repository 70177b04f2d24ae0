// Starts Debian's Firefox ESR with its fake camera and microphone, driven over WebDriver BiDi.
import puppeteer from 'puppeteer-core';
import { CARD } from './server.mjs';

const executablePath = process.env.TALKIE_FIREFOX ?? '/usr/bin/firefox-esr';

/**
 * @param {string} downloads the folder where it saves what is downloaded
 * @param {Record<string, unknown>} [prefs] other settings than these
 */
export function launchFirefox(downloads, prefs) {
  return puppeteer.launch({
    browser: 'firefox',
    executablePath,
    headless: true,
    acceptInsecureCerts: true,
    extraPrefsFirefox: {
      'media.navigator.streams.fake': true,
      'media.navigator.permission.disabled': true,
      'media.autoplay.default': 0,
      // A sound output that nobody hears: without one, as on most machines that run tests, Firefox
      // starts no audio graph at all.
      'media.cubeb.force_mock_context': true,
      'network.captive-portal-service.enabled': false,
      'network.connectivity-service.enabled': false,
      // Every name is the server: for TURN over TLS Firefox asks for a name, an address won't do.
      'network.dns.forceResolve': CARD,
      // The tests' network has no Internet, and nobody to answer a question.
      'browser.download.folderList': 2,
      'browser.download.dir': downloads,
      'browser.download.always_ask_before_handling_new_types': false,
      'browser.download.alwaysOpenPanel': false,
      ...prefs,
    },
  });
}
