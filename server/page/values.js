// Values side by side: of one run, or of several; or only those that differ.

import { attribute, h, list, say } from './dom.js';
import { NONE } from './format.js';
import { shown } from './names.js';

/**
 * @param {string} caption
 * @param {{isOne?: boolean}} [options]
 */
export function values(caption, { isOne = false } = {}) {
  const heads = h('tr');
  const body = h('tbody');
  const none = h('p', { class: 'none', hidden: true });
  const table = h('table', { class: isOne ? 'values' : 'sides' }, h('caption', { class: 'hidden' }, caption), h('thead', {}, heads), body);
  const room = h('div', { class: 'scroll' }, table);
  return {
    node: h('div', {}, room, none),
    /**
     * @param {{id: string, name: string, colour?: number, href?: string, values: Record<string, any>}[]} columns
     * @param {{onlyDiffering?: boolean, text?: string}} [options]
     */
    show(columns, { onlyDiffering = false, text = '' } = {}) {
      const names = [...new Set(columns.flatMap((column) => Object.keys(column.values)))].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
      const all = names.map((name) => {
        const cells = columns.map((column) => (Object.hasOwn(column.values, name) ? column.values[name] : undefined));
        return { name, cells, differ: new Set(cells.map((cell) => (cell === undefined ? 'undefined' : JSON.stringify(cell)))).size > 1 };
      });
      const fitting = all.filter(({ name, cells, differ }) => (!onlyDiffering || differ)
        && (text === '' || `${name}\n${cells.map(shown).join('\n')}`.toLowerCase().includes(text.toLowerCase())));
      if (!isOne) {
        list(heads, [{ id: '', name: '' }, ...columns], ({ id }) => id, (column) => (column.id === '' ? h('th', { class: 'corner' }, h('span', { class: 'hidden' }, 'name')) : h('th', { scope: 'col', 'data-colour': (column.colour ?? 0) % 10 }, column.href ? h('a', { href: column.href }, column.name) : column.name)));
      }
      list(body, fitting, ({ name }) => name, ({ name }) => {
        const row = h('tr', {}, h('th', { scope: 'row', title: name }, name));
        row.update = (/** @type {any} */ now) => {
          while (row.children.length > now.cells.length + 1) row.lastChild.remove();
          now.cells.forEach((/** @type {any} */ cell, /** @type {number} */ index) => {
            const place = row.children[index + 1] ?? row.appendChild(h('td'));
            const said = shown(cell);
            say(place, said);
            attribute(place, 'title', said.length > 20 ? said : null);
            attribute(place, 'data-zero', said === NONE);
            attribute(place, 'data-tone', now.differ && said !== NONE ? 'accent' : null);
          });
        };
        return row;
      });
      for (const [index, row] of [...body.children].entries()) row.update(fitting[index]);
      attribute(room, 'hidden', fitting.length === 0);
      attribute(none, 'hidden', fitting.length > 0);
      say(none, names.length === 0 ? '' : onlyDiffering && !text ? `All ${names.length} are the same.` : 'None is called that, or has that value.');
      return { all: names.length, differing: all.filter(({ differ }) => differ).length };
    },
  };
}
