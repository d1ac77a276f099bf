// The strip on top: how the service does just now, and how it did in the last five minutes.

import { chart } from './chart.js';
import { attribute, h, say } from './dom.js';
import { NONE, count, duration, rate, share, time } from './format.js';

const [CALLS, ERRORS, SHED, SKIPPED, LAG, P50, P95, P99, INNER] = [1, 3, 5, 6, 7, 8, 9, 10, 11];

/** What is said of calls that branches make, where there are any. @param {string} told @param {number} times */
const inside = (told, times) => (times ? `${told} + ${count(times)} inside` : told);

/**
 * @typedef {object} Tile
 * @property {string} label
 * @property {string} title
 * @property {string[]} [colours]
 * @property {boolean} [isWide] drawn by logarithms
 * @property {(most: number) => string} [peak] what the highest point is called
 * @property {string[]} [parts] the names of several values
 * @property {(now: any) => string[]} values
 * @property {(now: any) => string} note
 * @property {(rows: any[][], store: any) => (number | null)[][]} [lines]
 * @property {(row: any[], store: any) => string} [at] what is said of one second
 * @property {(now: any) => string | null} [tone]
 */

/** @type {Tile[]} */
const TILES = [
  {
    label: 'calls', title: 'Calls from outside a second, over the last minute; inside: those that branches make', colours: ['--accent'],
    values: (now) => [`${rate(now.calls_per_s)}/s`],
    note: (now) => inside(now.inner_calls ? count(now.calls) : `${count(now.calls)} in all`, now.inner_calls),
    lines: (rows) => [rows.map((row) => row[CALLS])],
    at: (row) => inside(`${count(row[CALLS])}/s`, row[INNER]),
  },
  {
    label: 'errors', title: 'Errors and timeouts of the primaries of calls from outside, of those that ended in the last minute', colours: ['--bad'],
    values: (now) => [share(now.error_share)],
    note: (now) => `${rate(now.errors_per_s)}/s`,
    lines: (rows) => [rows.map((row) => row[ERRORS])],
    at: (row) => `${count(row[ERRORS])}/s`,
    tone: (now) => (now.error_share > 0 ? 'bad' : null),
  },
  {
    label: 'latency of primaries', title: 'How long the primaries of calls from outside took, over the last minute',
    colours: ['--accent', '--second', '--third'], isWide: true, peak: duration, parts: ['p50', 'p95', 'p99'],
    values: (now) => [duration(now.p50_ms), duration(now.p95_ms), duration(now.p99_ms)],
    note: (now) => (now.latency_until === null ? '' : `until ${time(now.latency_until)}`),
    tone: (now) => (now.latency_until === null ? null : 'past'),
    lines: (rows) => [P50, P95, P99].map((column) => rows.map((row) => row[column])),
    at: (row) => [P50, P95, P99].map((column) => duration(row[column])).join(' · '),
  },
  {
    label: 'in flight', title: 'Primaries of calls from outside that run just now; inside: branches of the calls that these make', colours: ['--accent'],
    values: (now) => [now.unknown && !now.in_flight ? '?' : count(now.in_flight)],
    note: (now) => (now.unknown ? `${count(now.unknown)} unknown` : inside(`+ ${count(now.shadows_in_flight)} ${now.shadows_in_flight === 1 ? 'shadow' : 'shadows'}`, now.inner_in_flight)),
    tone: (now) => (now.unknown ? 'warn' : null),
    lines: (rows, store) => [rows.map((row) => store.flying.get(row[0]) ?? null)],
    at: (row, store) => count(store.flying.get(row[0])),
  },
  {
    label: 'shed', title: 'Branches of calls from outside that were not played because too much was under way', colours: ['--warn'],
    values: (now) => [`${rate(now.shed_per_s)}/s`],
    note: (now) => `${inside(`${count(now.shed)} shed`, now.inner_shed)}, ${count(now.skipped)} skipped`,
    lines: (rows) => [rows.map((row) => row[SHED])],
    at: (row) => `${count(row[SHED])} shed, ${count(row[SKIPPED])} skipped`,
    tone: (now) => (now.shed_per_s > 0 ? 'warn' : null),
  },
  {
    label: 'loop lag', title: 'The longest time that something held the loop, in the last minute', colours: ['--warn'],
    peak: duration,
    values: (now) => [now.lag_ms ? duration(now.lag_ms) : 'none'],
    note: (now) => `${count(now.lagged)} ${now.lagged === 1 ? 'time' : 'times'} in all`,
    lines: (rows) => [rows.map((row) => row[LAG] ?? 0)],
    at: (row) => (row[LAG] ? duration(row[LAG]) : 'none'),
    tone: (now) => (now.lag_ms > 0 ? 'warn' : null),
  },
  {
    label: 'log', title: 'Events that were dropped or are missing, lines that could not be read',
    values: (now) => [`${count(now.dropped)} lost`],
    note: (now) => [
      `${count(now.events)} events`, `${count(now.missing)} missing`,
      `${count(now.unreadable)} unreadable`,
    ].join('\n'),
    tone: (now) => (now.dropped > 0 || now.missing > 0 || now.unreadable > 0 ? 'warn' : null),
  },
];

/** @param {Element} root */
export function strip(root) {
  /** @type {number | null} */
  let second = null;
  /** @type {any} */
  let shown = null;
  const tiles = TILES.map((tile) => make(tile, (at) => {
    if (at === second) return;
    second = at;
    if (shown) for (const each of tiles) each.note(shown, second);
  }));
  root.replaceChildren(...tiles.map((tile) => tile.node));
  return (/** @type {any} */ store) => {
    shown = store;
    const rows = store.rows();
    for (const tile of tiles) tile.update(store, rows, second);
  };
}

/** @param {Tile} tile @param {(second: number | null) => void} hovered */
function make(tile, hovered) {
  const values = tile.parts
    ? tile.parts.map((name) => h('b', { 'data-name': name }))
    : [h('b', {})];
  const named = values.map((value, index) => (tile.parts
    ? h('span', {}, h('small', { 'data-series': index }, tile.parts[index]), value) : value));
  const note = h('p', { class: 'note' });
  const plot = tile.lines && tile.colours
    ? chart({ label: tile.label, colours: tile.colours, height: 44, isWide: tile.isWide, peak: tile.peak ?? count, hovered }) : null;
  const node = h('article', { class: 'tile', 'data-tile': tile.label, title: tile.title },
    h('h2', {}, tile.label), h('p', { class: 'value' }, ...named), note, plot?.node ?? null);

  /** @param {any} store @param {number | null} second */
  function tell(store, second) {
    const row = second === null ? null : store.seconds.get(second);
    if (row && tile.at) say(note, `${time(second)}  ${tile.at(row, store)}`);
    else say(note, store.overview.ts === undefined ? '' : tile.note(store.overview));
    attribute(note, 'title', note.textContent || null);
    attribute(note, 'data-at', row && tile.at ? 'yes' : null);
  }

  return {
    node,
    note: tell,
    /** @param {any} store @param {any[][]} rows @param {number | null} second */
    update(store, rows, second) {
      const now = store.overview;
      const texts = now.ts === undefined || now.ts === null ? values.map(() => NONE) : tile.values(now);
      values.forEach((value, index) => say(value, texts[index]));
      attribute(node, 'data-tone', tile.tone?.(now) ?? null);
      tell(store, second);
      if (plot && tile.lines) plot.update([rows.map((row) => row[0]), ...tile.lines(rows, store)]);
    },
  };
}
