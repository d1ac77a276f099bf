// Runs next to each other: their curves on top of each other, their parameters side by side.

import { Failed, Source, path } from './api.js';
import { curves } from './curves.js';
import { attribute, h, list, say } from './dom.js';
import { MOST } from './list.js';
import { columnOf, lasted, ofMetric, span, statusText, statusTone } from './names.js';
import { address, change, current } from './route.js';
import { values } from './values.js';

export function compare() {
  const legend = h('ul', { class: 'legend', 'aria-label': 'Runs' });
  const missing = h('p', { class: 'none', role: 'alert', 'data-tone': 'warn', hidden: true });
  const empty = h('div', { class: 'empty', hidden: true }, h('p', {}, 'No runs to compare: tick some in the list, and press c.'));
  const drawing = curves({ project: () => route.project, pointed: highlight });
  const params = values('Parameters, side by side');
  const outcomes = values('Metrics, side by side');
  const differing = h('input', { type: 'checkbox', id: 'differing', onchange: () => change({ all: differing.checked ? null : '1' }) });
  const told = h('span', { class: 'note' });
  const search = h('input', { type: 'search', id: 'find-value', placeholder: 'find a parameter', 'aria-label': 'Find a parameter', oninput: () => change({ value: search.value }) });
  const back = h('a', { class: 'up' }, '‹ runs');
  const below = h('div', {},
    h('section', {}, h('div', { class: 'bar' }, h('h2', {}, 'parameters'), told, h('label', {}, differing, ' differences only'), search), params.node),
    h('section', {}, h('div', { class: 'bar' }, h('h2', {}, 'metrics: last values')), outcomes.node));
  const node = h('section', { class: 'comparison' }, h('div', { class: 'title' }, back, h('h1', {}, 'Compare')), legend, missing, empty, drawing.node, below);

  let route = current();
  let ids = /** @type {string[]} */ ([]);
  /** @type {Map<string, {source: Source, data: any}>} */
  let kept = new Map();

  /** @param {string | null} id */
  function highlight(id) {
    for (const item of legend.children) attribute(item, 'data-chosen', item.dataset.id === id);
  }

  function draw() {
    const shown = ids.flatMap((id, colour) => {
      const info = kept.get(id)?.data?.info;
      return info ? [{ id, name: info.prefix, colour, info }] : [];
    });
    // Runs of one name are told apart by the end of their id.
    const names = shown.map(({ name }) => name);
    for (const each of shown) if (names.indexOf(each.name) !== names.lastIndexOf(each.name)) each.name += ` ${each.id.slice(-4)}`;
    list(legend, shown, ({ id }) => id, ({ id }) => {
      const link = h('a', {});
      const status = h('small');
      const item = h('li', { 'data-id': id }, link, status, h('button', { type: 'button', title: 'Leave it out', 'aria-label': 'Leave it out', onclick: () => change({ run: ids.filter((each) => each !== id) }) }, '×'));
      const point = (/** @type {string | null} */ now) => () => { drawing.point(now); highlight(now); };
      for (const kind of ['mouseenter', 'focusin']) item.addEventListener(kind, point(id));
      for (const kind of ['mouseleave', 'focusout']) item.addEventListener(kind, point(null));
      item.update = (/** @type {any} */ now) => {
        attribute(item, 'data-colour', now.colour % 10);
        attribute(item, 'data-dashed', now.colour >= 10);
        attribute(link, 'href', address('run', route.project, id));
        say(link, now.name);
        say(status, ` ${statusText(now.info.status)}`);
        attribute(status, 'data-tone', statusTone(now.info.status));
      };
      return item;
    });
    for (const [index, item] of [...legend.children].entries()) /** @type {any} */ (item).update(shown[index]);
    attribute(empty, 'hidden', ids.length > 0);
    attribute(below, 'hidden', shown.length === 0);
    attribute(drawing.node, 'hidden', shown.length === 0);
    attribute(back, 'href', address('runs', route.project, '', { pick: ids }));
    drawing.show(shown);
    const columns = shown.map(({ id, name, colour, info }) => ({ id, name, colour, href: address('run', route.project, id), info }));
    const found = params.show(columns.map((column) => ({ ...column, values: column.info.params ?? {} })), { onlyDiffering: !route.options.has('all'), text: route.options.get('value') ?? '' });
    say(told, `${found.differing} of ${found.all} differ`);
    outcomes.show(columns.map((column) => ({ ...column, values: { duration: span(lasted(column.info)), ...lastOf(column.info) } })));
    differing.checked = !route.options.has('all');
    const text = route.options.get('value') ?? '';
    if (document.activeElement !== search && search.value !== text) search.value = text;
  }

  return {
    node,
    title: () => 'compare',
    /** @param {import('./route.js').Route} now */
    show(now) {
      if (now.project !== route.project) kept = new Map();
      route = now;
      ids = [...new Set(now.options.getAll('run'))].slice(0, MOST);
      draw();
    },
    async refresh() {
      const { project } = route;
      /** @type {string[]} */
      const lost = [];
      await Promise.all(ids.map(async (id) => {
        const entry = kept.get(id) ?? { source: new Source(), data: null };
        try {
          entry.data = await entry.source.get(path(project, id));
          kept.set(id, entry);
        } catch (error) {
          if (!(error instanceof Failed) || error.status !== 404) throw error;
          lost.push(id);
          kept.delete(id);
        }
      }));
      if (project !== route.project) return;
      attribute(missing, 'hidden', lost.length === 0);
      say(missing, `▲ Not here (any more): ${lost.join(', ')}`);
      draw();
      await drawing.load();
    },
  };
}

/** @param {any} info @returns {Record<string, any>} */
function lastOf(info) {
  return Object.fromEntries(Object.entries(info.metrics ?? {}).flatMap(([metric, fields]) => Object.keys(/** @type {any} */ (fields)).map((field) => {
    const column = columnOf(ofMetric(metric, field));
    return [`${metric} · ${field}`, column?.of(info)];
  })));
}
