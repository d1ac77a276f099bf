// Tables that sort, and that change in place: who reads a row does not lose it.

import { attribute, fill, h, list, say } from './dom.js';
import { change, current } from './route.js';
import { walk } from './walking.js';

/**
 * @typedef {object} Column
 * @property {string} key what it is called in the address
 * @property {string} label
 * @property {string} [title] what it means
 * @property {boolean} [number] set to the right, and sorted from the top first
 * @property {boolean} [wide] left out on a small screen
 * @property {(row: any) => any} by what it is sorted by
 * @property {(row: any) => string} [text] what stands in the cell
 * @property {(cell: any, row: any) => void} [show] or: what fills the cell
 * @property {(row: any) => string} [tone]
 */

/**
 * @param {Column[]} columns
 * @param {{caption: string, keyOf: (row: any) => string, sort: string, most?: number}} options
 */
export function table(columns, { caption, keyOf, sort, most = 500 }) {
  const heads = columns.map((column) => {
    const button = h('button', {
      type: 'button', title: column.title,
      onclick: () => change({ sort: next(column) }),
    }, column.label);
    return h('th', { scope: 'col', class: classes(column) }, button);
  });
  const body = h('tbody');
  const more = h('p', { class: 'more', hidden: true });
  const node = h('div', {},
    h('div', { class: 'scroll' },
      h('table', {}, h('caption', { class: 'hidden' }, caption), h('thead', {}, h('tr', {}, ...heads)), body)),
    more);
  body.addEventListener('keydown', walk);

  /** @param {Column} column */
  function next(column) {
    const chosen = current().options.get('sort') ?? sort;
    const first = column.number ? `-${column.key}` : column.key;
    const second = column.number ? column.key : `-${column.key}`;
    return chosen === first ? second : first;
  }

  /** @param {any} row */
  function make(row) {
    const cells = columns.map((column) => h('td', { class: classes(column), 'data-column': column.key }));
    const line = h('tr', {}, ...cells);
    line.update = (/** @type {any} */ now) => {
      columns.forEach((column, index) => {
        if (column.show) column.show(cells[index], now);
        else fill(cells[index], column.text?.(now) ?? '');
        if (column.tone) attribute(cells[index], 'data-tone', column.tone(now) || null);
      });
    };
    line.update(row);
    return line;
  }

  /** @param {any[]} rows */
  function update(rows) {
    const chosen = current().options.get('sort') ?? sort;
    const falls = chosen.startsWith('-');
    const column = columns.find(({ key }) => key === chosen.replace(/^-/, ''));
    columns.forEach(({ key }, index) => {
      const order = falls ? 'descending' : 'ascending';
      attribute(heads[index], 'aria-sort', key === column?.key ? order : null);
    });
    const sorted = column ? [...rows].sort((a, b) => compare(column.by(a), column.by(b), falls)) : rows;
    list(body, sorted.slice(0, most), keyOf, make);
    attribute(more, 'hidden', sorted.length <= most);
    say(more, `${sorted.length - most} more: filter to see them`);
  }

  return { node, update };
}

/** What is unknown comes last, whichever way. */
function compare(/** @type {any} */ a, /** @type {any} */ b, /** @type {boolean} */ falls) {
  const [known, other] = [a !== null && a !== undefined, b !== null && b !== undefined];
  if (!known || !other) return Number(other) - Number(known);
  const order = typeof a === 'string' ? a.localeCompare(String(b), 'en', { numeric: true }) : a - b;
  return falls ? -order : order;
}

/** @param {Column} column */
function classes({ number, wide }) {
  return `${number ? 'number' : ''}${wide ? ' wide' : ''}`.trim() || null;
}
