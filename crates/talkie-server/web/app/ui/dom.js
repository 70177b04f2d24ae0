/**
 * Making elements. Text only ever becomes text nodes, so nothing that a peer or a server said can
 * become markup.
 * @module
 */

/** @typedef {Node|string|null|undefined|false} Child */
/**
 * @typedef {object} Special
 * @property {Record<string, (event: any) => void>} [on]
 * @property {Record<string, string>} [data]
 */

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Special & {[attribute: string]: unknown}} [props] attributes; `true` is an empty one, false and null none
 * @param {Child[]} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  const { on = {}, data = {}, ...attributes } = props;
  for (const [name, value] of Object.entries(attributes)) setAttribute(element, name, value);
  for (const [name, value] of Object.entries(data)) element.dataset[name] = value;
  for (const [type, listener] of Object.entries(on)) element.addEventListener(type, listener);
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/**
 * An element of a drawing; its colours come from the stylesheet, by class.
 * @param {string} tag
 * @param {Record<string, string|number>} [attributes]
 * @param {(Node|string)[]} children
 */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

/** @param {Element} element @param {string} name @param {unknown} value */
export function setAttribute(element, name, value) {
  if (value === false || value === null || value === undefined) element.removeAttribute(name);
  else element.setAttribute(name, value === true ? '' : String(value));
}

/**
 * A child per item, kept as long as its item's key is there: no flicker, no lost focus, no restarted video.
 * @template T
 * @param {Element} parent
 * @param {readonly T[]} items
 * @param {{key: (item: T) => string, create: (item: T) => Element & {update?: (item: T) => void, dispose?: () => void}}} how
 * @param {Map<string, any>} kept the caller's memory between calls
 */
export function keyed(parent, items, { key, create }, kept) {
  const seen = new Set(items.map(key));
  for (const [k, element] of kept) {
    if (seen.has(k)) continue;
    element.dispose?.();
    element.remove();
    kept.delete(k);
  }
  items.forEach((item, at) => {
    let element = kept.get(key(item));
    if (!element) kept.set(key(item), (element = create(item)));
    element.update?.(item);
    if (parent.children[at] !== element) parent.insertBefore(element, parent.children[at] ?? null);
  });
}

/**
 * @typedef {object} View
 * @property {HTMLElement} element
 * @property {() => void} dispose
 */

/** Collects what has to be undone when a view goes. */
export class Cleanup {
  /** @type {(() => void)[]} */ #undo = [];

  /** @param {() => void} undo */
  add(undo) {
    this.#undo.push(undo);
  }

  run() {
    for (const undo of this.#undo.splice(0)) undo();
  }
}
