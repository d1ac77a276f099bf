// Runs and batches: how far they are.

import { attribute, h, list, say } from './dom.js';
import { NONE, SIGNS, count, duration, time, tone } from './format.js';
import { empty } from './overview.js';
import { matcher } from './route.js';

export function runs() {
  const parts = [part('batches', 'batch'), part('runs', 'run')];
  const nothing = h('div', { class: 'empty', hidden: true });
  return {
    node: h('div', {}, ...parts.map((each) => each.node), nothing),
    title: () => 'runs',
    /** @param {any} store @param {import('./route.js').Route} route */
    update(store, route) {
      const matches = matcher(route.options.get('q') ?? '');
      const shown = parts.map((each) => each.update(store, matches));
      const isAny = parts.some((each) => (store.document[each.key] ?? []).length);
      empty(nothing, store, isAny, shown.some(Boolean), ['No run is told of so far. Results are recorded into one by', 'Runtime(events="events.jsonl", record=run)']);
    },
  };
}

/** @param {string} key @param {string} idKey */
function part(key, idKey) {
  const body = h('tbody');
  const head = [idKey, 'of', 'status', 'progress', 'items', 'started', 'took', 'last item'];
  const node = h('section', {}, h('h2', {}, key), h('div', { class: 'scroll' }, h('table', {}, h('caption', { class: 'hidden' }, key),
    h('thead', {}, h('tr', {}, ...head.map((text) => h('th', { scope: 'col' }, text)))), body)));
  return {
    key,
    node,
    /** @param {any} store @param {(fields: any) => boolean} matches */
    update(store, matches) {
      const rows = (store.document[key] ?? []).filter((/** @type {any} */ each) => matches({ id: each[idKey], name: each.name ?? '', status: each.status ?? '' }));
      attribute(node, 'hidden', rows.length === 0);
      list(body, rows, (each) => each[idKey], (each) => work(each, idKey, store));
      return rows.length > 0;
    },
  };
}

/** @param {any} first @param {string} idKey @param {any} store */
function work(first, idKey, store) {
  const fill = h('span', { class: 'fill' });
  const track = h('span', { class: 'track long' }, fill);
  const percent = h('span', { class: 'waiting' });
  const [id, name, status, items, started, took, last] = Array.from({ length: 7 }, () => h('td'));
  const node = h('tr', {}, id, name, status, h('td', {}, track, percent), items, started, took, last);
  node.update = (/** @type {any} */ now) => {
    say(id, now[idKey]);
    say(name, now.name ?? NONE);
    attribute(name, 'title', now.path ?? null);
    say(status, now.status === 'running' ? '▸ running' : `${SIGNS[now.status] ?? (now.status ? '■' : '')} ${now.status ?? NONE}`);
    attribute(track, 'hidden', !now.count);
    fill.style.width = `${(now.progress ?? 0) * 100}%`;
    say(percent, now.count ? `${count(now.done)} of ${count(now.count)}` : now.done ? count(now.done) : NONE);
    const kinds = Object.entries(now.lost ? { ...now.counts, lost: now.lost } : now.counts);
    list(items, kinds, ([kind]) => kind, ([kind]) => {
      const part = h('span', { class: 'part', 'data-tone': (kind === 'lost' ? 'bad' : tone(kind)) || null });
      part.update = (/** @type {[string, number]} */ [, times]) => say(part, `${SIGNS[kind] ?? ''} ${count(times)} ${kind} `);
      return part;
    });
    say(started, time(now.started));
    const until = now.ended ?? store.overview.ts;
    say(took, now.started === null ? NONE : duration((until - now.started) * 1e3));
    say(last, now.last_item ?? NONE);
  };
  return node;
}
