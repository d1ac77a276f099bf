// One experiment: its configs side by side, so that one sees how they differ and how they do.

import { orders } from './control.js';
import { attribute, draw, fill, h, list, say } from './dom.js';
import { NONE, SIGNS, chosen, count, duration, flat, flight, share, time, value } from './format.js';
import { where } from './overview.js';
import { address, change, matcher } from './route.js';

const MOST = 24;
const ROLES = ['primary', 'branch', 'shadow'];
const CIRCUITS = /** @type {Record<string, string>} */ ({ closed: '● closed', open: '▲ open', half_open: '◐ half open' });

export function experiment() {
  const name = h('h1');
  const facts = h('dl', { class: 'facts' });
  const raw = h('a', { class: 'quiet', target: '_blank' }, 'JSON');
  const desk = orders();
  const only = h('input', { type: 'checkbox', onchange: () => change({ all: only.checked ? null : '1' }) });
  const reasons = h('ul', { class: 'reasons' });
  const more = h('p', { class: 'more', hidden: true });
  const body = h('tbody');
  const head = h('tr');
  const tableNode = h('table', { class: 'sides' }, h('caption', { class: 'hidden' }, 'Configs side by side'), h('thead', {}, head), body);
  const found = h('div', {},
    h('div', { class: 'title' }, h('a', { href: address('overview'), class: 'quiet' }, '‹ experiments'), name, raw),
    facts, desk.node,
    h('div', { class: 'bar' }, h('h2', {}, 'configs'), h('label', {}, only, ' differences only')),
    h('div', { class: 'scroll', tabindex: 0 }, tableNode), more,
    h('section', { class: 'narrow' }, h('h2', {}, 'who chose its primaries'), reasons));
  const missing = h('div', { class: 'empty' });
  const node = h('div', {}, found, missing);

  return {
    node,
    title: (/** @type {any} */ route) => route.name,
    /** @param {any} store @param {import('./route.js').Route} route */
    update(store, route) {
      const row = store.document[`experiment:${route.name}`];
      attribute(found, 'hidden', !row);
      attribute(missing, 'hidden', Boolean(row));
      if (!row) {
        say(missing, `No experiment of the name “${route.name}” was heard of${store.overview.events ? '' : ' yet'}.`);
        return;
      }
      say(name, row.name);
      attribute(raw, 'href', `api/experiment/${encodeURIComponent(row.name)}`);
      only.checked = !route.options.has('all');
      tellFacts(facts, row, where(row, store));
      desk.update(row);
      const matches = matcher(route.options.get('q') ?? '');
      const cases = row.cases.filter((/** @type {any} */ each) => matches({ label: each.label ?? '', config: each.config_id, circuit: each.circuit }));
      const shown = cases.slice(0, MOST);
      attribute(more, 'hidden', cases.length === row.cases.length && cases.length <= MOST);
      say(more, `${shown.length} of ${row.cases.length} configs: filter by label to see others`);
      drawSides(head, body, row, shown, only.checked, desk);
      const all = Object.entries(row.reasons);
      list(reasons, all, ([reason]) => reason, ([reason]) => bar(reason));
      for (const [reason, times] of all) tellBar(reasons, reason, times, row.calls);
    },
  };
}

/** @param {Element} facts @param {any} row @param {string} place */
function tellFacts(facts, row, place) {
  const open = row.cases.filter((/** @type {any} */ each) => each.circuit !== 'closed').length;
  const all = [
    ['strategy', row.strategy ?? NONE],
    ['state', row.is_disabled ? '■ disabled: its first config answers alone' : row.pinned ? `■ pinned: ${row.pinned} answers every call` : open ? `▲ circuit${open === 1 ? '' : 's'} open: ${open} of ${row.cases.length}` : 'on'],
    ['calls', `${count(row.calls)}${row.inner_calls ? ` (${count(row.inner_calls)} inside others)` : ''}`],
    ['branches', `${count(row.planned)} planned, ${flight(row)} in flight`],
    ['primaries', `p50 ${duration(row.p50_ms)}, p95 ${duration(row.p95_ms)}, p99 ${duration(row.p99_ms)}`],
    ['last heard of', time(row.last_ts)],
  ];
  if (place) all.push(['processes', place]);
  if (row.strategy_failures) all.push(['strategy failed', `${count(row.strategy_failures)} times`]);
  if (row.rejections) all.push(['configs rejected', count(row.rejections)]);
  drawFacts(facts, all);
}

/** Names and what is known under them. @param {Element} facts @param {string[][]} all */
export function drawFacts(facts, all) {
  list(facts, all, ([key]) => key, ([key]) => {
    const text = h('dd');
    const node = h('div', { 'data-fact': key }, h('dt', {}, key), text);
    node.update = (/** @type {string[]} */ fact) => say(text, fact[1]);
    return node;
  });
}

/**
 * The table is of one row for each fact and one column for each config.
 * @param {any} head @param {any} body @param {any} row @param {any[]} cases @param {boolean} isShort @param {any} desk
 */
function drawSides(head, body, row, cases, isShort, desk) {
  const sides = cases.map((each) => ({ each, row })); // with the row of now: what is pinned changes
  list(head, [null, ...sides], (side) => (side === null ? ' corner' : `=${side.each.config_id}`), (side) => {
    if (side === null) return h('td', { class: 'corner' });
    const { each } = side;
    const label = h('span');
    const actions = h('span', { class: 'actions' });
    const cell = h('th', { scope: 'col' }, label, h('small', { title: each.config_id }, each.config_id.slice(0, 8)), actions);
    cell.update = (/** @type {any} */ now) => {
      say(label, now.each.label || now.each.config_id);
      desk.onCase(actions, now.row, now.each);
    };
    return cell;
  });
  const rows = lines(row, cases, isShort).map((line) => ({ ...line, cases }));
  list(body, rows, (line) => line.key, (line) => {
    const title = h('th', { scope: line.group ? 'rowgroup' : 'row', title: line.title }, line.label);
    if (line.group) return h('tr', { class: 'group' }, title, h('td', { class: 'rest' }));
    const node = h('tr', { class: line.tall ? 'tall' : null, 'data-row': line.key }, title);
    node.update = (/** @type {any} */ now) => {
      // One cell for each config, found again by its id.
      list(node, ['', ...now.cases], (each) => (each === '' ? ' title' : `=${each.config_id}`), (each) => (each === '' ? title : h('td', {})));
      for (const each of now.cases) now.show(node.kept.get(`=${each.config_id}`), each);
    };
    return node;
  });
  for (const group of body.querySelectorAll('.group .rest')) attribute(group, 'colspan', Math.max(cases.length, 1));
}

/**
 * @typedef {{key: string, label: string, title?: string, group?: boolean, tall?: boolean, show: (cell: any, each: any) => void}} Line
 * @param {any} row @param {any[]} cases @param {boolean} isShort
 * @returns {Line[]}
 */
function lines(row, cases, isShort) {
  /** @type {Line[]} */
  const found = [];
  const group = (/** @type {string} */ label) => found.push({ key: `group:${label}`, label, group: true, show: () => {} });
  const add = (/** @type {string} */ key, /** @type {string} */ label, /** @type {(cell: any, each: any) => void} */ show, more = {}) => found.push({ key, label, show, ...more });

  group('state');
  add('circuit', 'circuit', (cell, each) => {
    say(cell, CIRCUITS[each.circuit] ?? each.circuit);
    attribute(cell, 'data-tone', each.circuit === 'closed' ? null : 'warn');
  }, { title: 'Open: it failed too often as a shadow, and is skipped for a while' });
  add('actor', 'actor', (cell, each) => fill(cell, each.state ?? NONE));
  if (cases.some((each) => each.lagged)) {
    add('lagged', 'held the loop', (cell, each) => {
      fill(cell, each.lagged ? `${count(each.lagged)} ×, ${duration(each.lag_ms)}` : '0');
      attribute(cell, 'data-tone', each.lagged ? 'warn' : null);
    }, { title: 'How often, and the longest' });
  }

  const values = new Map(cases.map((each) => [each, flat(each.values)]));
  const paths = [...new Set([...values.values()].flatMap((each) => Object.keys(each)))];
  const shown = isShort ? paths.filter((path) => row.varying.includes(path)) : paths;
  if (shown.length) {
    group(isShort ? 'what differs' : 'values');
    for (const path of shown) {
      add(`value:${path}`, path, (cell, each) => {
        const text = value(values.get(each)?.[path]);
        say(cell, text.length > 200 ? `${text.slice(0, 200)}…` : text);
        attribute(cell, 'data-tone', row.varying.includes(path) ? 'accent' : null);
        attribute(cell, 'title', text.length > 30 ? text : null);
      });
    }
  }

  const domain = span(cases);
  for (const role of ROLES) {
    const mine = (/** @type {any} */ each) => each.roles[role];
    if (!cases.some(mine)) continue;
    group(role === 'branch' ? 'as branch' : `as ${role}`);
    for (const status of ['ok', 'error', 'timeout', 'cancelled', 'shed', 'skipped']) {
      if (status !== 'ok' && !cases.some((each) => mine(each)?.[status])) continue;
      add(`${role}:${status}`, status, (cell, each) => {
        const number = mine(each)?.[status];
        const all = mine(each)?.planned;
        cell.times ??= cell.appendChild(h('span'));
        if (!cell.share) cell.append(' ', cell.share = h('small'));
        say(cell.times, number ? `${SIGNS[status]} ${count(number)}` : count(number));
        say(cell.share, number && all ? share(number / all) : '');
        attribute(cell, 'data-zero', !number);
        attribute(cell, 'data-tone', number && status !== 'ok' ? { error: 'bad', timeout: 'bad' }[status] ?? 'warn' : null);
      });
    }
    add(`${role}:in_flight`, 'in flight', (cell, each) => fill(cell, flight(mine(each))));
    add(`${role}:histogram`, 'duration', (cell, each) => histogram(cell, mine(each)?.histogram ?? [], domain), { tall: true, title: 'How many took how long; the scale is logarithmic, and the same for all' });
    add(`${role}:quantiles`, 'p50 · p95 · p99', (cell, each) => fill(cell, quantiles(mine(each), ['p50_ms', 'p95_ms', 'p99_ms'])));
    add(`${role}:mean`, 'mean', (cell, each) => fill(cell, duration(mine(each)?.mean_ms)));
    if (cases.some((each) => mine(each)?.queue_p99_ms >= 0.05)) {
      add(`${role}:queue`, 'waited p50 · p99', (cell, each) => fill(cell, quantiles(mine(each), ['queue_p50_ms', 'queue_p99_ms'])), { title: 'How long they waited for a place' });
    }
  }

  if (cases.some((each) => Object.keys(each.why_not).length)) {
    group('why not run');
    for (const reason of new Set(cases.flatMap((each) => Object.keys(each.why_not)))) {
      add(`why:${reason}`, reason, (cell, each) => fill(cell, count(each.why_not[reason] ?? 0)));
    }
  }
  if (cases.some((each) => each.errors.length)) {
    group('errors');
    for (const type of new Set(cases.flatMap((each) => each.errors.map((/** @type {any} */ error) => error.type)))) {
      add(`error:${type}`, type, (cell, each) => failure(cell, each.errors.find((/** @type {any} */ error) => error.type === type)));
    }
  }
  return found;
}

/** @param {any} role @param {string[]} names */
function quantiles(role, names) {
  const known = names.map((name) => role?.[name]);
  return known.every((each) => each === null || each === undefined) ? NONE : known.map(duration).join(' · ');
}

/** How often an error was raised, what it said the last time, and the call. */
function failure(/** @type {any} */ cell, /** @type {any} */ error) {
  cell.times ??= cell.appendChild(h('span'));
  if (!cell.said) cell.append(' ', cell.said = h('a', { class: 'said' }));
  say(cell.times, error ? `✕ ${count(error.count)}` : '0');
  attribute(cell, 'data-tone', error ? 'bad' : null);
  attribute(cell, 'data-zero', !error);
  say(cell.said, error?.message ?? '');
  attribute(cell.said, 'title', error?.message ?? null);
  attribute(cell.said, 'href', error?.call_id ? address('call', error.call_id) : null);
}

/** The shortest and the longest of all durations, as logarithms. @param {any[]} cases */
function span(cases) {
  const uppers = cases.flatMap((each) => Object.values(each.roles).flatMap((/** @type {any} */ role) => role.histogram.map((/** @type {any} */ bar) => bar[0]))).filter((upper) => upper > 0);
  if (!uppers.length) return [0, 1];
  const [least, most] = [Math.log10(Math.min(...uppers)), Math.log10(Math.max(...uppers))];
  return most - least < 0.5 ? [least - 0.25, most + 0.25] : [least - 0.05, most + 0.02];
}

const [WIDTH, HEIGHT] = [150, 36];

/** @param {any} cell @param {[number, number][]} bars @param {number[]} domain */
function histogram(cell, bars, domain) {
  const told = JSON.stringify([bars, domain]);
  if (cell.told === told) return;
  cell.told = told;
  attribute(cell, 'data-zero', bars.length === 0);
  if (!bars.length) {
    cell.replaceChildren(NONE);
    return;
  }
  const most = Math.max(...bars.map((bar) => bar[1]));
  const place = (/** @type {number} */ ms) => ((Math.log10(Math.max(ms, 1e-9)) - domain[0]) / (domain[1] - domain[0])) * WIDTH;
  const picture = draw('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: 'histogram', role: 'img', 'aria-label': `durations from ${duration(bars[0][0])} to ${duration(bars[bars.length - 1][0])}` });
  for (let decade = Math.ceil(domain[0]); decade <= domain[1]; decade += 1) {
    const x = place(10 ** decade).toFixed(1);
    picture.append(draw('line', { x1: x, x2: x, y1: 0, y2: HEIGHT - 9, class: 'decade' }));
    picture.append(draw('text', { x, y: HEIGHT - 1, class: 'scale' }, duration(10 ** decade)));
  }
  bars.forEach(([upper, times], index) => {
    const right = place(upper);
    const left = index ? Math.max(place(bars[index - 1][0]), right - 12) : right - 4;
    const tall = Math.max((times / most) * (HEIGHT - 11), 1);
    const box = { x: left.toFixed(1), y: (HEIGHT - 10 - tall).toFixed(1), width: Math.max(right - left - 0.5, 1).toFixed(1), height: tall.toFixed(1) };
    picture.append(draw('rect', box, draw('title', {}, `up to ${duration(upper)}: ${count(times)}`)));
  });
  cell.replaceChildren(picture);
}

/** @param {string} reason */
function bar(reason) {
  const part = h('span', { class: 'fill' });
  const number = h('b');
  const node = h('li', {}, h('span', { title: `reason: ${reason}` }, chosen(reason)), h('span', { class: 'track' }, part), number);
  node.tell = (/** @type {number} */ times, /** @type {number} */ all) => {
    part.style.width = `${all ? Math.min((times / all) * 100, 100) : 0}%`;
    say(number, `${count(times)} (${share(all ? times / all : 0)})`);
  };
  return node;
}

/** @param {any} parent @param {string} reason @param {any} times @param {number} all */
function tellBar(parent, reason, times, all) {
  parent.kept.get(reason)?.tell(times, all);
}
