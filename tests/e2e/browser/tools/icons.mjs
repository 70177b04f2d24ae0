// Draws the PNG icons of the manifest from icon.svg with Chromium: `node tests/e2e/browser/tools/icons.mjs`.
import { readFile, writeFile } from 'node:fs/promises';
import { launchChromium } from '../harness/chromium.mjs';

const web = new URL('../../../../crates/talkie-server/web/', import.meta.url);
const svg = await readFile(new URL('icon.svg', web), 'utf8');

/** What a launcher may cut off is a fifth of a maskable icon: the mark is smaller, its ground goes to the edges. */
const maskable = svg
  .replace(/ rx="\d+"/, '')
  .replace(/(<rect[^>]*>)/, '$1<g transform="translate(3.2 3.2) scale(0.8)">')
  .replace('</svg>', '</g></svg>');

const ICONS = [
  { name: '192', side: 192, drawing: svg },
  { name: '512', side: 512, drawing: svg },
  { name: 'maskable-512', side: 512, drawing: maskable },
  // iOS rounds the corners itself and fills what is transparent with black.
  { name: 'apple-180', side: 180, drawing: maskable },
];

const browser = await launchChromium();
try {
  for (const { name, side, drawing } of ICONS) {
    const page = await browser.newPage({ viewport: { width: side, height: side } });
    const sized = drawing.replace('<svg ', `<svg width="${side}" height="${side}" style="display:block" `);
    await page.setContent(`<body style="margin:0">${sized}</body>`);
    await writeFile(new URL(`icons/${name}.png`, web), await page.screenshot({ omitBackground: true }));
    await page.close();
  }
} finally {
  await browser.close();
}
