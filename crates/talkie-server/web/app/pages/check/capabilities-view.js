/**
 * What the browser can do: features with what it means to lack them, and codecs.
 * @module
 */
import { h } from '../../ui/dom.js';
import { browserName, codecRows, features } from './capabilities.js';
import { table, tableRow } from './table.js';

/** @import {Feature} from './capabilities.js' */
/** @import {Words} from './verdict-view.js' */

/** @param {Words} words */
export function capabilitiesView(words) {
  const t = words.codec;
  const list = table({ caption: words.capabilities, columns: [words.feature, words.available, words.missing], testid: 'features' });
  const codecs = table({ caption: words.codecs, columns: Object.values(t), testid: 'codecs' });
  const rows = codecRows();
  codecs.body.append(...rows.map(({ kind, name, format, sends, receives }) => tableRow([words.media[kind], name, h('code', {}, format), sends ? words.yes : words.no, receives ? words.yes : words.no], { testid: 'codec', name })));
  /** @type {Feature[]} */
  let known = [];
  void features().then((found) => {
    known = found;
    list.body.append(...found.map(({ name, there }) => tableRow([words.features[name][0] ?? name, there ? words.yes : words.no, there ? '' : words.features[name][1] ?? ''], { testid: 'feature', feature: name, there: String(there) })));
  });
  const element = h(
    'section',
    { class: 'card page-section' },
    h('h2', {}, words.capabilities),
    h('p', { class: 'hint' }, browserName()),
    list.element,
    h('details', { class: 'more' }, h('summary', { data: { testid: 'codecs-more' } }, words.codecs), codecs.element),
  );
  return {
    element,
    /** For the report. */
    seen: () => ({
      features: Object.fromEntries(known.map(({ name, there }) => [name, there])),
      codecs: rows.map(({ kind, name, format, sends, receives }) => `${kind} ${name} ${format} ${sends ? 'send' : ''}${receives ? ' receive' : ''}`.trim()),
    }),
  };
}
