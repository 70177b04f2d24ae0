/**
 * Labelled controls for settings: a switch, a choice, a slider. Each has its label tied to it and says
 * what it changed through one callback.
 * @module
 */
import { h } from './dom.js';

let ids = 0;

/**
 * @param {{label: string, hint?: string, testid: string, on: boolean, change: (on: boolean) => void, disabled?: boolean}} field
 */
export function switchField({ label, hint, testid, on, change, disabled = false }) {
  const id = `field-${++ids}`;
  const input = h('input', { type: 'checkbox', role: 'switch', class: 'switch', id, disabled, ...(hint && { 'aria-describedby': `${id}-hint` }), data: { testid } });
  input.checked = on;
  input.addEventListener('change', () => change(input.checked));
  return Object.assign(
    h('div', { class: 'field-row' }, h('div', {}, h('label', { for: id }, label), hint && h('p', { class: 'hint', id: `${id}-hint` }, hint)), input),
    { input },
  );
}

/**
 * @template {string} V
 * @param {{label: string, testid: string, value: V, choices: readonly (readonly [V, string])[], change: (value: V) => void, hint?: string}} field
 */
export function selectField({ label, testid, value, choices, change, hint }) {
  const id = `field-${++ids}`;
  const input = h('select', { class: 'input', id, ...(hint && { 'aria-describedby': `${id}-hint` }), data: { testid } });
  input.addEventListener('change', () => change(/** @type {V} */ (input.value)));
  /** @param {readonly (readonly [V, string])[]} now @param {V} chosen */
  const fill = (now, chosen) => {
    input.replaceChildren(...now.map(([v, words]) => h('option', { value: v }, words)));
    input.value = chosen;
  };
  fill(choices, value);
  return Object.assign(
    h('div', { class: 'field-column' }, h('label', { for: id }, label), input, hint && h('p', { class: 'hint', id: `${id}-hint` }, hint)),
    { input, fill },
  );
}

/**
 * @param {{label: string, testid: string, value: number, min: number, max: number, step: number, words: (value: number) => string, change: (value: number) => void}} field
 *   `words`: the value as it is shown and read out
 */
export function sliderField({ label, testid, value, min, max, step, words, change }) {
  const id = `field-${++ids}`;
  const input = h('input', { type: 'range', class: 'slider', id, min, max, step, value, data: { testid } });
  const shown = h('output', { for: id, class: 'slider-value' });
  const show = () => {
    shown.textContent = words(input.valueAsNumber);
    input.setAttribute('aria-valuetext', words(input.valueAsNumber));
  };
  input.addEventListener('input', () => {
    show();
    change(input.valueAsNumber);
  });
  show();
  return Object.assign(h('div', { class: 'field-column' }, h('div', { class: 'slider-head' }, h('label', { for: id }, label), shown), input), {
    input,
    /** @param {number} now */
    set(now) {
      input.value = String(now);
      show();
    },
  });
}
