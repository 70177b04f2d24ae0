// Starts Debian's Chromium with its fake camera and microphone.
import { chromium } from 'playwright-core';
import puppeteer from 'puppeteer-core';

const installed = process.env.TALKIE_CHROMIUM ?? '/usr/bin/chromium';

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--autoplay-policy=no-user-gesture-required',
  '--ignore-certificate-errors',
];
const FAKE_DEVICES = '--use-fake-device-for-media-stream';
const NO_PROMPTS = '--use-fake-ui-for-media-stream';

/**
 * @param {{realPermissions?: boolean, devices?: boolean, args?: string[], executablePath?: string}} [options]
 *   realPermissions: keep Chromium's own permission machinery, which also keeps its mDNS candidates
 *   (the flag that answers every prompt by itself switches them off); devices: false for a machine
 *   without camera and microphone
 */
export async function launchChromium({ realPermissions = false, devices = true, args = [], executablePath = installed } = {}) {
  const flags = [...FLAGS, '--disable-renderer-backgrounding', '--disable-backgrounding-occluded-windows'];
  if (devices) flags.push(FAKE_DEVICES);
  if (!realPermissions) flags.push(NO_PROMPTS);
  return chromium.launch({ executablePath, args: [...flags, ...args] });
}

/** One whose tabs know that another is in front, and are slowed down then: Playwright's take themselves to be in front all the time. */
export function launchChromiumWithTabs() {
  const unhurried = ['--disable-background-timer-throttling', '--disable-renderer-backgrounding', '--disable-backgrounding-occluded-windows'];
  return puppeteer.launch({ browser: 'chrome', executablePath: installed, headless: true, args: [...FLAGS, FAKE_DEVICES, NO_PROMPTS], ignoreDefaultArgs: unhurried });
}
