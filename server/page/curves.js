// The curves of one run, or of several on top of each other: a chart for each field of each metric.
// What is in sight is asked for, and only when the run says that there is more of it.

import { Source, path } from './api.js';
import { attribute, h, list, say } from './dom.js';
import { nothing } from './empty.js';
import { isCounter } from './names.js';
import { plot, recolour } from './plot.js';
import { change, current } from './route.js';
import { smooth, xsOf, yOf } from './series.js';

/** More than one sees, so that one may look closer before it is asked for again. */
const POINTS = 1000;
/** More charts at once are a burden, and nobody looks at them: they are found by name. */
const CHARTS = 200;
export { recolour };

/**
 * @typedef {object} Subject
 * @property {string} id
 * @property {string} name
 * @property {number} colour
 * @property {any} info what the server says of the run
 */

/** @param {{project: () => string, pointed?: (id: string | null) => void}} given */
export function curves({ project, pointed = () => {} }) {
  const x = h('select', { id: 'x', onchange: () => change({ x: x.value === 'step' ? null : x.value, from: null, to: null }) });
  const smoothing = h('input', { id: 'smooth', type: 'range', min: 0, max: 0.99, step: 0.01, oninput: () => change({ smooth: Number(smoothing.value) ? smoothing.value : null }) });
  const amount = h('output', { for: 'smooth' });
  const log = h('input', { id: 'log', type: 'checkbox', onchange: () => change({ log: log.checked ? '1' : null }) });
  const search = h('input', { id: 'find-curve', type: 'search', placeholder: 'find a curve', 'aria-label': 'Find a curve', oninput: () => change({ curve: search.value }) });
  const back = h('button', { type: 'button', id: 'unzoom', hidden: true, onclick: () => change({ from: null, to: null }) }, 'whole range');
  const bar = h('div', { class: 'bar curve-bar' }, h('label', {}, 'x ', x), h('label', { class: 'smoothing' }, 'smooth ', smoothing, amount), h('label', {}, log, ' log scale'), back, search);
  const grid = h('div', { class: 'curves' });
  const none = h('div', { hidden: true });
  const more = h('p', { class: 'more', hidden: true });
  const node = h('section', { 'aria-label': 'Curves' }, bar, grid, more, none);

  let subjects = /** @type {Subject[]} */ ([]);
  /** @type {Map<string, {source: Source, what: string, about: string, data: any}>} */
  const kept = new Map();
  /** @type {Map<string, any>} */
  const charts = new Map();
  /** What each chart was drawn from: it is not drawn again from the same. @type {Map<string, any[]>} */
  const drawnFor = new Map();
  const inSight = new Set();
  const watcher = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) inSight.add(target);
      else inSight.delete(target);
    }
    load().catch(() => {}); // the next turn says what is wrong
  }, { rootMargin: '200px' });

  /** What is to be drawn: each field of each metric that any of them has numbers of. */
  function wanted() {
    const text = (current().options.get('curve') ?? '').toLowerCase();
    const found = new Map();
    for (const { info } of subjects) {
      for (const [metric, fields] of Object.entries(info.metrics ?? {})) {
        for (const [field, summary] of Object.entries(/** @type {Record<string, any>} */ (fields))) {
          const title = `${metric} · ${field}`;
          if (field !== 'step' && typeof summary.min === 'number' && title.toLowerCase().includes(text)) found.set(title, { metric, field, title, counts: Number(isCounter(summary)) });
        }
      }
    }
    return [...found.values()].sort((a, b) => a.counts - b.counts || a.title.localeCompare(b.title, 'en', { numeric: true }));
  }

  function draw() {
    const { options } = current();
    const chosen = options.get('x') ?? 'step';
    const fields = new Set(subjects.flatMap(({ info }) => Object.values(info.metrics ?? {}).flatMap((each) => Object.keys(each))));
    fields.delete('step');
    const choices = [['step', 'step'], ['elapsed', 'time since the start'], ['ts', 'time of day'], ...[...fields].sort().map((name) => [`=${name}`, name])];
    if (!choices.some(([key]) => key === chosen)) choices.push([chosen, chosen.replace(/^=/, '')]);
    list(x, choices, ([key]) => key, ([key, label]) => h('option', { value: key }, label));
    x.value = chosen;
    const factor = Math.min(Math.max(Number(options.get('smooth') ?? 0) || 0, 0), 0.99);
    if (Number(smoothing.value) !== factor) smoothing.value = String(factor);
    say(amount, factor ? factor.toFixed(2) : 'off');
    log.checked = options.has('log');
    const text = options.get('curve') ?? '';
    if (document.activeElement !== search && search.value !== text) search.value = text;
    const [from, to] = ['from', 'to'].map((name) => (options.has(name) ? Number(options.get(name)) : null));
    attribute(back, 'hidden', from === null);
    const found = wanted();
    const all = found.slice(0, CHARTS);
    attribute(more, 'hidden', found.length === all.length);
    say(more, `${found.length - all.length} more curves: find them by name`);
    const hasAny = subjects.some(({ info }) => Object.keys(info.metrics ?? {}).length > 0);
    attribute(bar, 'hidden', !hasAny);
    attribute(none, 'hidden', all.length > 0 || subjects.length === 0);
    if (all.length === 0) {
      const kind = hasAny ? 'found' : 'nothing';
      if (none.dataset.kind !== kind) {
        none.dataset.kind = kind;
        none.replaceChildren(hasAny ? h('p', { class: 'none' }, 'No curve is called that.') : nothing('No metrics yet. A run logs them by', 'run.metrics("train").log(step=step, loss=loss)'));
      }
    }
    const before = new Set(charts.keys());
    list(grid, all, ({ title }) => title, ({ title }) => {
      const chart = plot(title, {
        zoomed: (low, high) => change({ from: low === null ? null : String(low), to: high === null ? null : String(high) }),
        pointed,
      });
      charts.set(title, chart);
      watcher.observe(chart.node);
      return chart.node;
    });
    for (const { title } of all) before.delete(title);
    for (const title of before) {
      const chart = charts.get(title);
      watcher.unobserve(chart.node);
      inSight.delete(chart.node);
      chart.close();
      charts.delete(title);
      drawnFor.delete(title);
    }
    for (const each of all) if (inSight.has(charts.get(each.title).node)) drawOne(each, { chosen, factor, from, to, isLog: log.checked });
  }

  /** @param {any} about @param {any} how */
  function drawOne({ metric, field, title }, { chosen, factor, from, to, isLog }) {
    const datas = subjects.map(({ id }) => kept.get(`${id}\n${metric}`)?.data ?? null);
    const about = [JSON.stringify([chosen, factor, from, to, isLog, subjects.map(({ id, name, colour }) => [id, name, colour])]), ...datas];
    const before = drawnFor.get(title) ?? [];
    if (before.length === about.length && about.every((each, place) => each === before[place])) return;
    drawnFor.set(title, about);
    let isCounted = false;
    const drawnNow = subjects.flatMap((subject, place) => {
      const data = datas[place];
      if (!data || !subject.info.metrics?.[metric]?.[field]) return [];
      const { xs, points, isCounted: counts } = xsOf(data.points, chosen, field, subject.info.started ?? subject.info.created ?? 0);
      isCounted ||= counts;
      const ys = points.map((point) => yOf(point[field]));
      return [{ id: subject.id, name: subject.name, colour: subject.colour, xs, ys: factor ? smooth(ys, factor) : ys, raw: factor ? ys : null }];
    });
    const hint = isCounted ? `no ${chosen.replace(/^=/, '')} was logged: by the order of the points` : '';
    charts.get(title).draw(drawnNow, { x: isCounted ? 'point' : chosen.replace(/^=/, ''), isLog, from: isCounted ? null : from, to: isCounted ? null : to, hint });
  }

  /** Ask for what is in sight and is not here, or is not all. */
  async function load() {
    const { options } = current();
    const chosen = options.get('x') ?? 'step';
    const isDue = wanted().slice(0, CHARTS).filter(({ title }) => inSight.has(charts.get(title)?.node));
    const metrics = new Set(isDue.map(({ metric }) => metric));
    await Promise.all([...metrics].flatMap((metric) => subjects.map(async ({ id, info }) => {
      const summaries = info.metrics?.[metric];
      if (!summaries) return;
      const query = new URLSearchParams({ max_points: String(POINTS) });
      const by = chosen === 'elapsed' ? 'ts' : chosen.replace(/^=/, '');
      if (options.has('from') && options.has('to') && (by === 'ts' || summaries[by])) {
        const offset = chosen === 'elapsed' ? info.started ?? info.created ?? 0 : 0;
        query.set('start', String(Number(options.get('from')) + offset));
        query.set('stop', String(Number(options.get('to')) + offset));
        query.set('by', by);
      }
      const what = `${path(project(), id, 'metrics', metric)}?${query}`;
      const about = JSON.stringify(summaries);
      const entry = kept.get(`${id}\n${metric}`) ?? { source: new Source(), what: '', about: '', data: null };
      if (entry.what === what && entry.about === about) return;
      const data = await entry.source.get(what);
      Object.assign(entry, { what, about, data });
      kept.set(`${id}\n${metric}`, entry);
    })));
    if (node.isConnected) draw();
  }

  return {
    node,
    /** @param {Subject[]} now */
    show(now) {
      const ids = new Set(now.map(({ id }) => id));
      for (const key of kept.keys()) if (!ids.has(key.slice(0, key.indexOf('\n')))) kept.delete(key);
      subjects = now;
      if (node.isConnected) draw();
    },
    load,
    /** @param {string | null} id */
    point(id) {
      for (const chart of charts.values()) chart.point(id);
    },
  };
}
