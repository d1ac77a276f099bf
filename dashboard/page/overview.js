// The first panel: the experiments, and what happened that is out of the ordinary.

import { attribute, h, list, say } from './dom.js';
import { count, duration, flight, moment, share, time } from './format.js';
import { address, matcher } from './route.js';
import { table } from './table.js';

const failed = (/** @type {any} */ ends) => ends.error + ends.timeout;
const ended = (/** @type {any} */ ends) => ends.ok + ends.error + ends.timeout + ends.cancelled;
const failures = (/** @type {any} */ ends) => (failed(ends) ? `${count(failed(ends))} (${share(failed(ends) / ended(ends))})` : '0');
const open = (/** @type {any} */ row) => row.cases.filter((/** @type {any} */ each) => each.circuit !== 'closed').length;

/** How many of its calls branches of other calls made. @param {any} row */
function inside(row) {
  if (!row.inner_calls) return '';
  return row.inner_calls === row.calls ? ' (inside)' : ` (${count(row.inner_calls)} inside)`;
}

/** In which of the processes it is: nothing if there is but one. @param {any} row @param {any} store */
export function where(row, store) {
  const all = store.overview.processes?.length ?? 0;
  if (all < 2) return '';
  const services = row.services.length ? `: ${row.services.join(', ')}` : '';
  return `in ${count(row.processes.length)} of ${count(all)} processes${services}`;
}

/** @type {import('./table.js').Column[]} */
const COLUMNS = [
  {
    key: 'name', label: 'experiment', by: (row) => row.name,
    show(cell, row) {
      cell.link ??= cell.appendChild(h('a', { class: 'row', href: address('experiment', row.name) }));
      say(cell.link, row.name);
      cell.note ??= cell.appendChild(h('small', { class: 'where' }));
      say(cell.note, row.where);
      attribute(cell.note, 'hidden', row.where === '');
    },
  },
  { key: 'strategy', label: 'strategy', wide: true, by: (row) => row.strategy, text: (row) => (row.strategy ?? '').replace(/Strategy$/, '') },
  {
    key: 'state', label: 'state', by: (row) => `${!row.is_disabled}${!row.pinned}${9999 - open(row)}`,
    text: (row) => (row.is_disabled ? '■ disabled' : row.pinned ? `■ pinned: ${row.pinned}` : open(row) ? `▲ ${open(row)} circuit${open(row) === 1 ? '' : 's'} open` : 'on'),
    tone: (row) => (row.is_disabled || row.pinned || open(row) ? 'warn' : ''),
  },
  { key: 'configs', label: 'configs', number: true, wide: true, by: (row) => row.configs ?? row.cases.length, text: (row) => count(row.configs ?? row.cases.length) },
  { key: 'calls', label: 'calls', title: 'All its calls; inside: those of them that branches of other calls made', number: true, by: (row) => row.calls, text: (row) => `${count(row.calls)}${inside(row)}` },
  { key: 'flying', label: 'in flight', title: 'Branches that run just now; with ? those of a process that is silent', number: true, wide: true, by: (row) => row.in_flight + row.unknown, text: flight },
  { key: 'ok', label: 'ok', title: 'Branches that ended well, of all roles', number: true, wide: true, by: (row) => row.ok, text: (row) => count(row.ok) },
  {
    key: 'errors', label: 'errors', title: 'Errors and timeouts of those somebody waits for: primaries, and branches of which all answer', number: true,
    by: (row) => failed(row.leads), text: (row) => failures(row.leads), tone: (row) => (failed(row.leads) ? 'bad' : ''),
  },
  {
    key: 'shadow-errors', label: 'of shadows', title: 'Errors and timeouts of shadows', number: true, wide: true,
    by: (row) => failed(row.shadows), text: (row) => failures(row.shadows), tone: (row) => (failed(row.shadows) ? 'warn' : ''),
  },
  { key: 'shed', label: 'shed', number: true, wide: true, by: (row) => row.shed, text: (row) => count(row.shed), tone: (row) => (row.shed ? 'warn' : '') },
  { key: 'skipped', label: 'skipped', number: true, wide: true, by: (row) => row.skipped, text: (row) => count(row.skipped) },
  { key: 'p50', label: 'p50', title: 'Of its primaries', number: true, wide: true, by: (row) => row.p50_ms, text: (row) => duration(row.p50_ms) },
  { key: 'p95', label: 'p95', title: 'Of its primaries', number: true, wide: true, by: (row) => row.p95_ms, text: (row) => duration(row.p95_ms) },
  { key: 'p99', label: 'p99', title: 'Of its primaries', number: true, by: (row) => row.p99_ms, text: (row) => duration(row.p99_ms) },
  { key: 'last', label: 'last', title: 'When it was last heard of', number: true, wide: true, by: (row) => row.last_ts, text: (row) => time(row.last_ts) },
];

export function overview() {
  const experiments = table(COLUMNS, { caption: 'Experiments', keyOf: (row) => row.name, sort: 'name' });
  const nothing = h('div', { class: 'empty', hidden: true });
  const notices = h('ol', { class: 'feed' });
  const lags = h('ol', { class: 'feed' });
  const noNotices = h('p', { class: 'none' }, 'None so far.');
  const noLags = h('p', { class: 'none' }, 'Nothing held the loop.');
  const happened = h('div', { class: 'pair' },
    h('section', {}, h('h2', {}, 'notices'), notices, noNotices),
    h('section', {}, h('h2', {}, 'what held the loop'), lags, noLags));
  const node = h('div', {},
    h('section', { 'aria-label': 'Experiments' }, experiments.node, nothing),
    happened);
  return {
    node,
    title: () => 'overview',
    /** @param {any} store @param {import('./route.js').Route} route */
    update(store, route) {
      const matches = matcher(route.options.get('q') ?? '');
      const all = store.experiments;
      const rows = all.filter((/** @type {any} */ row) => matches({ name: row.name, strategy: row.strategy ?? '', labels: row.cases.map((/** @type {any} */ each) => each.label).join(' '), service: row.services.join(' '), process: row.processes.join(' ') }));
      experiments.update(rows.map((/** @type {any} */ row) => ({ ...row, where: where(row, store) })));
      attribute(experiments.node, 'hidden', rows.length === 0);
      empty(nothing, store, all.length > 0, rows.length > 0, ['No experiments so far. A function becomes one by', '@runtime.experiment']);
      attribute(happened, 'hidden', !store.overview.events);
      const told = store.document.notices ?? [];
      list(notices, told.slice(0, 30), (each) => each.key ?? JSON.stringify(each), notice);
      attribute(noNotices, 'hidden', told.length > 0);
      const held = store.document.lags ?? [];
      list(lags, held.slice(0, 15), (each) => JSON.stringify(each), lag);
      attribute(noLags, 'hidden', held.length > 0);
    },
  };
}

/**
 * Say what to do where there is nothing to see.
 * @param {any} node @param {any} store @param {boolean} isAny @param {boolean} isShown
 * @param {[string, string]} [advice] where there are events, but none of the kind: what is missing, and what makes it
 */
export function empty(node, store, isAny, isShown, advice) {
  attribute(node, 'hidden', isShown);
  if (isShown) return;
  const state = isAny ? 'filtered' : store.overview.events ? 'none' : 'silent';
  if (node.state === state) return;
  node.state = state;
  if (state === 'filtered') node.replaceChildren(h('p', {}, 'Nothing here matches the filter.'));
  else if (state === 'none') node.replaceChildren(h('p', {}, advice?.[0] ?? 'Nothing of the kind so far.'), advice ? h('pre', {}, advice[1]) : '');
  else {
    node.replaceChildren(
      h('p', {}, 'No events yet. A runtime writes them to a file:'),
      h('pre', {}, 'runtime = Runtime(events="events.jsonl")'),
      h('p', {}, 'and this page shows them, while they are written or afterwards:'),
      h('pre', {}, 'understudy dashboard events.jsonl'));
  }
}

const CIRCUITS = /** @type {Record<string, string>} */ ({
  'breaker.opened': 'circuit open', 'breaker.half_opened': 'circuit half open', 'breaker.closed': 'circuit closed',
});

/** @param {any} told */
function notice(told) {
  const said = [
    told.experiment && told.experiment !== '' ? told.experiment : null, told.label, told.actor && !told.label ? told.actor : null, told.source,
    told['error.type'] ? `${told['error.type']}: ${told['error.message'] ?? ''}` : null,
    told.event === 'log.dropped' ? `${count(told.count)} events` : null, CIRCUITS[told.event], told.reason,
  ].filter((part) => part !== null && part !== undefined && part !== '').join('  ');
  return h('li', { 'data-level': told.level ?? level(told.event) },
    h('time', {}, time(told.ts)), h('b', {}, told.event), h('span', {}, said));
}

/** @param {string} event */
function level(event) {
  if (/failed|rejected|gave_up|crashed/.test(event)) return 'error';
  return /opened|disabled|dropped/.test(event) && !/half/.test(event) ? 'warning' : 'info';
}

/** @param {any} lag */
function lag(lag) {
  return h('li', {}, h('time', { title: moment(lag.ts) }, time(lag.ts)),
    h('b', {}, duration(lag.lag_ms)),
    h('span', {}, [lag.experiment, lag.label, lag.role].filter(Boolean).join(' '), h('br'), h('code', {}, lag.where ?? lag.place ?? '')));
}
