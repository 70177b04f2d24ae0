/**
 * A QR code as a drawing: made here, so that no server ever learns what is in it. Dark on light in both
 * themes, with the quiet zone of four modules that readers want (ISO/IEC 18004 §6.3.8).
 * @module
 */
const SVG = 'http://www.w3.org/2000/svg';
const QUIET = 4;

/**
 * @param {string} text
 * @param {string} words what it is, for those who do not see it
 * @returns {Promise<SVGSVGElement>}
 */
export async function qrCode(text, words) {
  const { correction, generate } = await import('../../vendor/lean-qr/lean-qr.mjs');
  const code = generate(text, { minCorrectionLevel: correction.M });
  const svg = document.createElementNS(SVG, 'svg');
  const side = code.size + 2 * QUIET;
  const attributes = { viewBox: `0 0 ${side} ${side}`, class: 'qr', role: 'img', 'aria-label': words, 'shape-rendering': 'crispEdges', 'data-testid': 'qr' };
  for (const [name, value] of Object.entries(attributes)) svg.setAttribute(name, value);
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', outline(code));
  svg.append(path);
  return svg;
}

/**
 * Runs of dark modules, row by row.
 * @param {{size: number, get: (x: number, y: number) => boolean}} code
 */
export function outline(code) {
  const { size } = code;
  let d = '';
  for (let y = 0; y < size; y += 1) {
    for (let x = 0; x < size; x += 1) {
      const start = x;
      while (x < size && code.get(x, y)) x += 1;
      if (x > start) d += `M${start + QUIET} ${y + QUIET}h${x - start}v1h${start - x}z`;
    }
  }
  return d;
}
