/**
 * The verdict in words: one sentence, and what else is to be known.
 * @module
 */
import { h } from '../../ui/dom.js';
import { icon } from '../../ui/icons.js';

/** @import {Finding, Verdict} from './verdict.js' */
/** @typedef {typeof import('../../strings/en/check.js').default} Words */

/** @param {Words} words @param {() => void} again */
export function verdictView(words, again) {
  const headline = h('p', { class: 'headline', role: 'status', data: { testid: 'verdict' } });
  const mark = h('span', { class: 'headline-mark' });
  const findings = h('ul', { class: 'findings', data: { testid: 'findings' } });
  const button = h('button', { type: 'button', class: 'button', data: { testid: 'check-again' }, on: { click: again } }, words.again);
  const element = h('section', { class: 'card page-section verdict', 'aria-label': words.verdict }, h('div', { class: 'headline-row' }, mark, headline, button), findings);
  return {
    element,
    /** @param {Verdict} verdict */
    show(verdict) {
      const text = headlineText(words, verdict);
      // A live region: only what is new is to be said.
      if (headline.textContent !== text) headline.textContent = text;
      element.dataset.severity = verdict.headline.severity;
      headline.dataset.code = verdict.headline.code;
      mark.replaceChildren(icon(verdict.headline.severity === 'good' ? 'check' : verdict.headline.code === 'checking' ? 'nat' : 'warning'));
      findings.replaceChildren(
        ...verdict.findings.map((one) =>
          h('li', { class: 'finding', data: { severity: one.severity, code: one.code } }, icon(one.severity === 'bad' || one.severity === 'stop' ? 'warning' : 'check'), h('span', {}, findingText(words, one))),
        ),
      );
    },
  };
}

/** @param {Words} words @param {Verdict} verdict */
export function headlineText(words, { headline }) {
  return say(/** @type {any} */ (words.headlines), headline);
}

/** @param {Words} words @param {Finding} finding */
export function findingText(words, finding) {
  return say(/** @type {any} */ (words.findings), finding);
}

/** @param {Record<string, (...values: string[]) => string>} sentences @param {Finding} finding */
function say(sentences, { code, values }) {
  return sentences[code]?.(...values) ?? code;
}
