// Starts Debian's Firefox ESR with its fake camera and microphone, driven over WebDriver BiDi.
import puppeteer from 'puppeteer-core';

const executablePath = process.env.TALKIE_FIREFOX ?? '/usr/bin/firefox-esr';

/** @param {Record<string, unknown>} [prefs] */
export async function launchFirefox(prefs = {}) {
  return puppeteer.launch({
    browser: 'firefox',
    executablePath,
    headless: true,
    acceptInsecureCerts: true,
    extraPrefsFirefox: {
      'media.navigator.streams.fake': true,
      'media.navigator.permission.disabled': true,
      'media.autoplay.default': 0,
      'network.captive-portal-service.enabled': false,
      'network.connectivity-service.enabled': false,
      ...prefs,
    },
  });
}
