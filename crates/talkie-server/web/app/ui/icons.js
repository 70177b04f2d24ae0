/**
 * The icons, drawn as lines on a 24 by 24 grid in the colour of the text around them. Decorative: what
 * a button does, its label says.
 * @module
 */

const SLASH = 'M4 4l16 16';
const MIC = 'M12 3a3 3 0 0 0-3 3v5a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3zM6 11a6 6 0 0 0 12 0M12 17v4M9 21h6';
const CAMERA = 'M5 7h8a2 2 0 0 1 2 2v6a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2V9a2 2 0 0 1 2-2zM15 11l5-3v8l-5-3';

const PATHS = {
  mic: [MIC],
  micOff: [MIC, SLASH],
  camera: [CAMERA],
  cameraOff: [CAMERA, SLASH],
  screen: ['M4 5h16a1 1 0 0 1 1 1v10a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V6a1 1 0 0 1 1-1zM8 21h8M12 14V8.5M9.5 10.8L12 8.3l2.5 2.5'],
  screenStop: ['M4 5h16a1 1 0 0 1 1 1v10a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V6a1 1 0 0 1 1-1zM8 21h8M9.8 8.8l4.4 4.4M14.2 8.8l-4.4 4.4'],
  chat: ['M20 12a7.5 7.5 0 0 1-11 6.6L4.5 20l1.3-4A7.5 7.5 0 1 1 20 12z'],
  files: ['M13 3H7a2 2 0 0 0-2 2v14a2 2 0 0 0 2 2h10a2 2 0 0 0 2-2V9zM13 3v6h6M12 17v-5M9.8 14L12 11.8l2.2 2.2'],
  leave: ['M3.5 14.5c-.8-3.6 3.6-6 8.5-6s9.3 2.4 8.5 6c-.2.9-1 1.3-1.9 1.1l-2.8-.7c-.8-.2-1.3-.8-1.3-1.6v-1.2c-1.6-.5-3.4-.5-5 0v1.2c0 .8-.5 1.4-1.3 1.6l-2.8.7c-.9.2-1.7-.2-1.9-1.1z'],
  qr: ['M4 4h6v6H4zM14 4h6v6h-6zM4 14h6v6H4zM14 14h2.5v2.5H14zM20 14v.1M20 17.5V20h-3M14 20v.1'],
  link: ['M10 14a4 4 0 0 0 6 .4l3-3a4 4 0 0 0-5.7-5.7l-1.5 1.5M14 10a4 4 0 0 0-6-.4l-3 3a4 4 0 0 0 5.7 5.7l1.5-1.5'],
  share: ['M12 15V4M8.5 7.2L12 3.7l3.5 3.5M6 11H5v9h14v-9h-1'],
  shuffle: ['M19 8a7.5 7.5 0 0 0-13.6 1.5M5 4.5v5h5M5 16a7.5 7.5 0 0 0 13.6-1.5M19 19.5v-5h-5'],
  send: ['M4 12l16-8-5 16-3.5-6.5zM11.5 13.5L20 4'],
  close: ['M6 6l12 12M18 6L6 18'],
  check: ['M5 12.5l4.5 4.5L19 7.5'],
  down: ['M12 4v11M7.5 11L12 15.5 16.5 11M5 20h14'],
  up: ['M12 20V9M7.5 13L12 8.5l4.5 4.5M5 4h14'],
  sound: ['M4 9.5v5h3.5L12 18V6L7.5 9.5zM15.5 9a4 4 0 0 1 0 6M18 6.5a7.5 7.5 0 0 1 0 11'],
  direct: ['M4 12h16M16 8l4 4-4 4M8 8l-4 4 4 4'],
  nat: ['M3 12h5M16 12h5M12 4v16M8.5 8.5L12 12l-3.5 3.5M18 9l3 3-3 3'],
  relay: ['M4 17c3-9 13-9 16 0M12 6.2a2.2 2.2 0 1 0 0 4.4 2.2 2.2 0 0 0 0-4.4M2.5 17h3M18.5 17h3'],
  warning: ['M12 4l9 16H3zM12 10v4.5M12 17.3v.2'],
  offline: ['M2.5 9.5a14 14 0 0 1 19 0M6 13a9 9 0 0 1 12 0M9.5 16.5a4 4 0 0 1 5 0M12 20v.1', SLASH],
  lock: ['M6 10.5h12a1 1 0 0 1 1 1V20a1 1 0 0 1-1 1H6a1 1 0 0 1-1-1v-8.5a1 1 0 0 1 1-1zM8 10.5V7.5a4 4 0 0 1 8 0v3M12 14.5v2.5'],
  shield: ['M12 3l7.5 2.8v5.4c0 4.6-3 8-7.5 9.8-4.5-1.8-7.5-5.2-7.5-9.8V5.8zM8.8 12l2.3 2.3 4.2-4.4'],
  knock: ['M6 21V4a1 1 0 0 1 1-1h10a1 1 0 0 1 1 1v17M4 21h16M14.5 12v.2'],
  people: ['M9 11.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 20a6.5 6.5 0 0 1 13 0M16 4.8a3.5 3.5 0 0 1 0 6.4M18 14.2a6.5 6.5 0 0 1 3.5 5.8'],
  hand: ['M8 12V5.5a1.5 1.5 0 0 1 3 0V11M11 11V4a1.5 1.5 0 0 1 3 0v7M14 11V5.5a1.5 1.5 0 0 1 3 0V14a7 7 0 0 1-7 7c-2.6 0-4-1.2-5.2-3.4l-1.9-3.4a1.5 1.5 0 0 1 2.5-1.6L8 15'],
  pin: ['M9 3h6l-1 6 3.5 3.5v2h-11v-2L10 9zM12 14.5V21'],
  move: ['M12 3v18M3 12h18M9 6l3-3 3 3M9 18l3 3 3-3M6 9l-3 3 3 3M18 9l3 3-3 3'],
  smile: ['M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM8 14.5a5 5 0 0 0 8 0M9 9.5v.2M15 9.5v.2'],
  layout: ['M4 4h16a1 1 0 0 1 1 1v14a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V5a1 1 0 0 1 1-1zM15 4v16M15 9.3h6M15 14.6h6'],
  grid: ['M4 4h6v6H4zM14 4h6v6h-6zM4 14h6v6H4zM14 14h6v6h-6z'],
  pip: ['M4 5h16a1 1 0 0 1 1 1v12a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V6a1 1 0 0 1 1-1zM12 12h6v4h-6z'],
  record: ['M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 8.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7z'],
  stop: ['M7 7h10v10H7z'],
  more: ['M5 11.2a.8.8 0 1 0 0 1.6.8.8 0 0 0 0-1.6zM12 11.2a.8.8 0 1 0 0 1.6.8.8 0 0 0 0-1.6zM19 11.2a.8.8 0 1 0 0 1.6.8.8 0 0 0 0-1.6z'],
  keyboard: ['M4 6h16a1 1 0 0 1 1 1v10a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V7a1 1 0 0 1 1-1zM7 10v.1M11 10v.1M15 10v.1M8 14h8'],
  pause: ['M8 5v14M16 5v14'],
  play: ['M7 4.5v15l12-7.5z'],
  settings: ['M4 7h9M17 7h3M15 5v4M4 17h3M11 17h9M9 15v4'],
  chart: ['M4 20h16M6 16v-4M11 16V6M16 16V9'],
};

/** @typedef {keyof typeof PATHS} IconName */

const SVG = 'http://www.w3.org/2000/svg';

/** @param {IconName} name @returns {SVGSVGElement} */
export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  for (const d of PATHS[name]) {
    const path = document.createElementNS(SVG, 'path');
    path.setAttribute('d', d);
    svg.append(path);
  }
  return svg;
}

/** The mark: two bubbles that overlap. */
export function logo() {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('class', 'logo');
  svg.setAttribute('aria-hidden', 'true');
  const bubbles = [
    ['back', 'M21.5 15.2a5.6 5.6 0 0 0-3.7-5.3v1.3a7.3 7.3 0 0 1-7.3 7.3H9.9a5.7 5.7 0 0 0 5.6 4h6z'],
    ['front', 'M2.5 9.2a6.2 6.2 0 0 1 12.8 0v1.4a6.2 6.2 0 0 1-6.2 6.2H2.5z'],
  ];
  for (const [name, d] of bubbles) {
    const path = document.createElementNS(SVG, 'path');
    path.setAttribute('d', d ?? '');
    path.setAttribute('class', `logo-${name}`);
    svg.append(path);
  }
  return svg;
}
