// Draws the people whom the cameras of the screenshots see: short clips of a figure that moves a
// little before a wall, as the raw video (YUV4MPEG2) that Chromium takes for a camera's.
//
// Each shape is a signed distance in pixels, negative inside, so that its edge can be smoothed; and a
// box around it, so that only what lies there is looked at.
import { existsSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

const WIDTH = 640;
const HEIGHT = 360;
const FPS = 15;
const FRAMES = 45;

/** @typedef {[number, number, number]} Colour */
/** @typedef {(x: number, y: number) => number} Distance */
/** @typedef {{at: Distance, within: [number, number, number, number]}} Shape `within`: left, top, right, bottom */
/** @typedef {Float32Array} Picture three numbers a pixel, 0 to 255 */

/**
 * @typedef {object} Looks
 * @property {[Colour, Colour]} wall from its upper left to its lower right
 * @property {Colour} thing what stands behind, out of focus
 * @property {Colour} skin
 * @property {Colour} hair
 * @property {'bun'|'short'|'bob'} cut
 * @property {Colour} clothes
 * @property {boolean} glasses
 * @property {number} beat how far into its movement the figure begins, 0 to 1
 */

/** @type {Record<'Ada'|'Grace'|'Joan', Looks>} */
export const LOOKS = {
  Ada: {
    wall: [[236, 222, 205], [205, 178, 156]], thing: [132, 150, 118], skin: [240, 200, 174], hair: [74, 46, 36],
    cut: 'bun', clothes: [122, 56, 84], glasses: false, beat: 0,
  },
  Grace: {
    wall: [[199, 217, 226], [138, 166, 186]], thing: [228, 190, 128], skin: [226, 178, 146], hair: [92, 84, 84],
    cut: 'short', clothes: [36, 58, 98], glasses: true, beat: 0.37,
  },
  Joan: {
    wall: [[214, 226, 208], [152, 184, 164]], thing: [196, 132, 104], skin: [196, 142, 108], hair: [36, 28, 30],
    cut: 'bob', clothes: [216, 152, 62], glasses: false, beat: 0.7,
  },
};

/** Makes the clip unless it is there already. @param {Looks} looks @param {string} path */
export async function draw(looks, path) {
  if (existsSync(path)) return path;
  const room = background(looks);
  const parts = [Buffer.from(`YUV4MPEG2 W${WIDTH} H${HEIGHT} F${FPS}:1 Ip A1:1 C420jpeg\n`)];
  for (let frame = 0; frame < FRAMES; frame += 1) {
    const picture = room.slice();
    figure(picture, looks, ((frame / FRAMES + looks.beat) % 1) * 2 * Math.PI);
    parts.push(Buffer.from('FRAME\n'), encode(picture));
  }
  await mkdir(dirname(path), { recursive: true });
  // Under its name only when complete: an interrupted run must not leave half a clip behind.
  await writeFile(`${path}.part`, Buffer.concat(parts));
  await rename(`${path}.part`, path);
  return path;
}

/** @param {Looks} looks */
function background({ wall: [near, far], thing }) {
  const picture = new Float32Array(WIDTH * HEIGHT * 3);
  const everywhere = box(WIDTH / 2, HEIGHT / 2, WIDTH, HEIGHT);
  paint(picture, everywhere, (x, y) => mix(near, far, (x / WIDTH + y / HEIGHT) / 2));
  // Daylight from the left.
  paint(picture, everywhere, () => [255, 250, 240], { alpha: (x, y) => 0.55 * Math.exp(-(((x - 60) / 190) ** 2) - ((y - 60) / 150) ** 2) });
  // A shelf with books, and a plant in a pot.
  const soft = { soft: 14 };
  paint(picture, box(520, 92, 130, 6), () => mix(far, [60, 44, 36], 0.5), soft);
  const books = [[440, 26, 11], [466, 34, 9], [490, 30, 12], [518, 37, 10], [544, 24, 11], [578, 33, 9]];
  books.forEach(([x = 0, tall = 0, wide = 0], at) => {
    paint(picture, box(x, 84 - tall, wide, tall), () => mix(at % 2 ? thing : near, far, 0.35 + 0.1 * (at % 3)), { soft: 10 });
  });
  paint(picture, box(96, 330, 34, 40), () => mix(far, [255, 255, 255], 0.4), soft);
  for (const [dx = 0, dy = 0, r = 0] of [[0, -60, 40], [-38, -24, 32], [36, -34, 34], [-14, -104, 28], [22, -96, 26]]) {
    paint(picture, ellipse(96 + dx, 290 + dy, r, r * 1.25), () => mix(thing, [70, 104, 76], 0.65), { soft: 16 });
  }
  return picture;
}

/** @param {Picture} picture @param {Looks} looks @param {number} phase 0 to 2π */
function figure(picture, looks, phase) {
  const { skin, hair, clothes, cut } = looks;
  const breath = 2.5 * Math.sin(2 * phase);
  const sway = 7 * Math.sin(phase);
  const nod = 3 * Math.sin(2 * phase + 1);
  const [x, y] = [320 + sway, 158 + nod];
  const shade = mix(skin, [96, 40, 30], 0.28);
  const dark = mix(hair, [0, 0, 0], 0.25);

  // What is behind the head.
  if (cut === 'bun') paint(picture, ellipse(x + 4, y - 96, 32, 28), lit(hair, y - 130, y - 60));
  if (cut === 'bob') paint(picture, union(ellipse(x, y - 8, 86, 92), box(x, y + 46, 82, 46, 26)), () => dark);

  // Shoulders, neck and collar.
  const torso = union(ellipse(320 + sway * 0.3, 412 + breath, 172, 138), ellipse(320 + sway * 0.3, 330 + breath, 96, 58));
  paint(picture, torso, lit(clothes, 262, 400));
  const collar = ellipse(320 + sway * 0.4, 276 + breath, 50, 30);
  const neck = (/** @type {number} */ _, /** @type {number} */ at) => mix(shade, skin, smooth(226, 300, at));
  paint(picture, collar, neck);
  paint(picture, box(320 + sway * 0.6, 240, 28, 42, 20), neck);
  paint(picture, outline(ellipse(320 + sway * 0.4, 276 + breath, 52, 33)), () => mix(clothes, [255, 255, 255], 0.3), {
    thick: 4,
    alpha: (_, py) => smooth(272, 286, py),
  });

  head(picture, looks, { x, y, shade, blink: blinks(phase) });
}

/**
 * @param {Picture} picture
 * @param {Looks} looks
 * @param {{x: number, y: number, shade: Colour, blink: number}} pose
 */
function head(picture, { skin, hair, cut, glasses }, { x, y, shade, blink }) {
  const dark = /** @type {Colour} */ ([52, 34, 34]);
  for (const side of [-1, 1]) paint(picture, ellipse(x + side * 66, y + 8, 11, 17), () => shade);
  const face = union(ellipse(x, y - 4, 66, 78), ellipse(x, y + 24, 54, 62));
  paint(picture, face, (px, py) => mix(mix(skin, [255, 255, 255], 0.1), shade, 0.75 * smooth(-30, 100, (px - x) * 0.8 + (py - y) * 0.5)));
  for (const side of [-1, 1]) {
    paint(picture, ellipse(x + side * 36, y + 30, 18, 12), () => [228, 110, 96], { soft: 10, alpha: () => 0.22 });
    const eye = x + side * 25;
    paint(picture, ellipse(eye, y + 2, 6.5, 8 * blink + 1), () => dark);
    if (blink > 0.6) paint(picture, ellipse(eye + 2, y - 1, 2, 2.2), () => [255, 255, 255]);
    paint(picture, curve(eye, y - 17, 14, -0.016), () => mix(hair, dark, 0.4), { thick: 2.2 });
    if (glasses) paint(picture, outline(ellipse(x + side * 26, y + 3, 22, 19)), () => [58, 50, 60], { thick: 1.8 });
  }
  if (glasses) paint(picture, curve(x, y - 1, 5, -0.03), () => [58, 50, 60], { thick: 1.6 });
  paint(picture, curve(x + 1, y + 26, 8, 0.035), () => shade, { thick: 1.8 });
  paint(picture, curve(x, y + 48, 20, 0.02), () => [168, 66, 70], { thick: 2.6 });

  // The hair over the forehead: a cap with a round cut out of it, its parting to one side.
  const cap = ellipse(x, y - 18, 74, 76);
  const parting = cut === 'short' ? ellipse(x + 14, y + 46, 84, 92) : ellipse(x + 22, y + 40, 92, 92);
  const fringe = cut === 'bob' ? union(without(cap, ellipse(x + 8, y + 52, 70, 96)), sides(x, y, 74)) : without(cap, parting);
  paint(picture, fringe, lit(hair, y - 96, y + 10));
}

/** Hair beside the face. @param {number} x @param {number} y @param {number} far @returns {Shape} */
const sides = (x, y, far) => union(box(x - far + 5, y + 26, 11, 52, 10), box(x + far - 5, y + 26, 11, 52, 10));

/** How open the eyes are: shut for a moment, once in the loop. @param {number} phase */
const blinks = (phase) => 1 - Math.exp(-(((phase - 4) / 0.16) ** 2));

/** A colour that light falls on from above. @param {Colour} colour @param {number} top @param {number} bottom */
function lit(colour, top, bottom) {
  const [bright, dull] = [mix(colour, [255, 255, 255], 0.16), mix(colour, [0, 0, 0], 0.16)];
  return (/** @type {number} */ _, /** @type {number} */ y) => mix(bright, dull, smooth(top, bottom, y));
}

/** @param {number} cx @param {number} cy @param {number} hx @param {number} hy @param {Distance} at @returns {Shape} */
const shape = (cx, cy, hx, hy, at) => ({ at, within: [cx - hx, cy - hy, cx + hx, cy + hy] });

/** @param {number} cx @param {number} cy @param {number} rx @param {number} ry */
function ellipse(cx, cy, rx, ry) {
  return shape(cx, cy, rx, ry, (x, y) => {
    const [u, v] = [(x - cx) / rx, (y - cy) / ry];
    const k = Math.sqrt(u * u + v * v);
    // Exact on the edge, which is what counts: the value by its slope there.
    return k === 0 ? -Math.min(rx, ry) : (k * (k - 1)) / Math.sqrt((u / rx) ** 2 + (v / ry) ** 2);
  });
}

/** @param {number} cx @param {number} cy @param {number} hx half its width @param {number} hy @param {number} [round] */
function box(cx, cy, hx, hy, round = 3) {
  return shape(cx, cy, hx, hy, (x, y) => {
    const [dx, dy] = [Math.abs(x - cx) - hx + round, Math.abs(y - cy) - hy + round];
    return Math.hypot(Math.max(dx, 0), Math.max(dy, 0)) + Math.min(Math.max(dx, dy), 0) - round;
  });
}

/**
 * A bent stroke: the distance to a parabola.
 * @param {number} cx
 * @param {number} cy its middle
 * @param {number} half its width
 * @param {number} bend above 0: its ends are higher
 */
function curve(cx, cy, half, bend) {
  return shape(cx, cy, half, half, (x, y) => {
    const along = Math.max(-half, Math.min(half, x - cx));
    return Math.hypot(x - cx - along, (y - cy + bend * along * along) / Math.hypot(1, 2 * bend * along));
  });
}

/** @param {Shape} a @returns {Shape} */
const outline = ({ at, within }) => ({ at: (x, y) => Math.abs(at(x, y)), within });

/** @param {Shape} a @param {Shape} b @returns {Shape} */
function union(a, b) {
  const [[left, top, right, bottom], [l, t, r, d]] = [a.within, b.within];
  return {
    at: (x, y) => Math.min(a.at(x, y), b.at(x, y)),
    within: [Math.min(left, l), Math.min(top, t), Math.max(right, r), Math.max(bottom, d)],
  };
}

/** @param {Shape} a @param {Shape} b @returns {Shape} */
const without = (a, b) => ({ at: (x, y) => Math.max(a.at(x, y), -b.at(x, y)), within: a.within });

/**
 * @param {Picture} picture
 * @param {Shape} shape
 * @param {(x: number, y: number) => Colour} colour
 * @param {{soft?: number, thick?: number, alpha?: (x: number, y: number) => number}} [how] soft: half the
 *   width of the edge; thick: half the width of a stroke
 */
function paint(picture, { at: distanceAt, within }, colour, { soft = 0.7, thick = 0, alpha } = {}) {
  const [left, top, right, bottom] = within;
  const margin = soft + thick + 1;
  const first = Math.max(0, Math.floor(left - margin));
  const last = Math.min(WIDTH - 1, Math.ceil(right + margin));
  const end = Math.min(HEIGHT - 1, Math.ceil(bottom + margin));
  for (let y = Math.max(0, Math.floor(top - margin)); y <= end; y += 1) {
    for (let x = first, at = (y * WIDTH + first) * 3; x <= last; x += 1, at += 3) {
      const distance = distanceAt(x, y) - thick;
      if (distance >= soft) continue;
      const cover = (distance <= -soft ? 1 : 1 - smooth(-soft, soft, distance)) * (alpha?.(x, y) ?? 1);
      const [r, g, b] = colour(x, y);
      picture[at] += (r - picture[at]) * cover;
      picture[at + 1] += (g - picture[at + 1]) * cover;
      picture[at + 2] += (b - picture[at + 2]) * cover;
    }
  }
}

/** @param {number} from @param {number} to @param {number} at */
function smooth(from, to, at) {
  const t = Math.max(0, Math.min(1, (at - from) / (to - from)));
  return t * t * (3 - 2 * t);
}

/** @param {Colour} a @param {Colour} b @param {number} t @returns {Colour} */
const mix = (a, b, t) => [a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t, a[2] + (b[2] - a[2]) * t];

/** To Y, U and V (BT.601), colour at half the resolution. @param {Picture} picture */
function encode(picture) {
  const [half, pixels] = [WIDTH / 2, WIDTH * HEIGHT];
  const frame = Buffer.alloc((pixels * 3) / 2);
  for (let y = 0; y < HEIGHT; y += 1) {
    for (let x = 0; x < WIDTH; x += 1) {
      const at = (y * WIDTH + x) * 3;
      const [r, g, b] = [picture[at] / 255, picture[at + 1] / 255, picture[at + 2] / 255];
      frame[y * WIDTH + x] = 16 + 65.481 * r + 128.553 * g + 24.966 * b;
      if (y % 2 || x % 2) continue;
      const chroma = pixels + (y / 2) * half + x / 2;
      frame[chroma] = 128 - 37.797 * r - 74.203 * g + 112 * b;
      frame[chroma + pixels / 4] = 128 + 112 * r - 93.786 * g - 18.214 * b;
    }
  }
  return frame;
}
