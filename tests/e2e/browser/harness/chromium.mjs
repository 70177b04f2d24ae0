// Starts Debian's Chromium with its fake camera and microphone.
import { chromium } from 'playwright-core';

const installed = process.env.TALKIE_CHROMIUM ?? '/usr/bin/chromium';

/**
 * @param {{realPermissions?: boolean, devices?: boolean, args?: string[], executablePath?: string}} [options]
 *   realPermissions: keep Chromium's own permission machinery, which also keeps its mDNS candidates
 *   (the flag that answers every prompt by itself switches them off); devices: false for a machine
 *   without camera and microphone
 */
export async function launchChromium({ realPermissions = false, devices = true, args = [], executablePath = installed } = {}) {
  const flags = [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--disable-renderer-backgrounding',
    '--disable-backgrounding-occluded-windows',
    '--autoplay-policy=no-user-gesture-required',
    '--ignore-certificate-errors',
  ];
  if (devices) flags.push('--use-fake-device-for-media-stream');
  if (!realPermissions) flags.push('--use-fake-ui-for-media-stream');
  return chromium.launch({ executablePath, args: [...flags, ...args] });
}
