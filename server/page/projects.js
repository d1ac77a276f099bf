// The projects that a token may see.

import { Source } from './api.js';
import { attribute, h, list, say } from './dom.js';
import { noRuns } from './empty.js';
import { count, time } from './format.js';
import { address } from './route.js';
import { walk } from './walking.js';

/** @param {import('./main.js').Shared} shared */
export function projects(shared) {
  const body = h('tbody');
  const none = h('div', { hidden: true });
  const table = h('div', { class: 'scroll' }, h('table', {}, h('caption', { class: 'hidden' }, 'Projects'),
    h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, 'project'), h('th', { scope: 'col', class: 'number' }, 'runs'), h('th', { scope: 'col', class: 'number' }, 'last heard of'))), body));
  const node = h('section', { class: 'narrow' }, h('h1', {}, 'Projects'), table, none);
  body.addEventListener('keydown', walk);
  return {
    node,
    title: () => 'projects',
    show() {},
    refresh() {
      const { all, who } = shared;
      attribute(table, 'hidden', all.length === 0);
      attribute(none, 'hidden', all.length > 0);
      if (all.length === 0 && !none.firstChild) none.append(noRuns(who.projects?.find((/** @type {string} */ name) => name !== '*') ?? 'project', who));
      list(body, all, (each) => each.project, (each) => {
        const cells = [h('td', { class: 'number' }), h('td', { class: 'number' })];
        const row = h('tr', {}, h('th', { scope: 'row' }, h('a', { class: 'row', href: address('runs', each.project) }, each.project)), ...cells);
        row.update = (/** @type {any} */ now) => {
          say(cells[0], count(now.runs));
          say(cells[1], time(now.last_seen));
        };
        row.update(each);
        return row;
      });
    },
  };
}

/** Ask for the projects. */
export function asking() {
  const source = new Source();
  return async () => {
    const data = await source.get('projects');
    return /** @type {any[]} */ (Array.isArray(data) ? data : data.projects);
  };
}
