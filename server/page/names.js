// What a run has, by the names that the filter language gives it: they are the keys of columns, too.

import { NONE, count, time } from './format.js';

const SIMPLE = /^[A-Za-z_]\w*$/;
const PART = String.raw`(?:\.([A-Za-z_]\w*)|\["((?:[^"\\]|\\.)*)"\])`;
const PARAM = new RegExp(`^params${PART}$`);
const METRIC = new RegExp(String.raw`^metrics${PART}${PART}(?:\.(min|max|mean|first|last|count))?$`);

/** @param {string} name */
const part = (name) => (SIMPLE.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`);

/** @param {string} name */
export const ofParam = (name) => `params${part(name)}`;

/** @param {string} metric @param {string} field @param {string} [which] */
export const ofMetric = (metric, field, which = '') => `metrics${part(metric)}${part(field)}${which ? `.${which}` : ''}`;

/**
 * @typedef {object} Column
 * @property {string} key
 * @property {string} label
 * @property {string} title
 * @property {boolean} [number]
 * @property {(run: any) => any} of
 * @property {(run: any) => string} text
 */

/** What can be shown of each run besides parameters and metrics. @type {Record<string, Column>} */
export const OWN = Object.fromEntries([
  { key: 'tags', label: 'tags', of: (/** @type {any} */ run) => run.tags ?? [], text: (/** @type {any} */ run) => (run.tags ?? []).join(' ') },
  { key: 'created', label: 'created', of: (/** @type {any} */ run) => run.created, text: (/** @type {any} */ run) => time(run.created) },
  { key: 'duration', label: 'duration', number: true, of: lasted, text: (/** @type {any} */ run) => span(lasted(run)) },
  { key: 'description', label: 'description', of: (/** @type {any} */ run) => run.description },
  { key: 'attempts', label: 'attempts', number: true, of: (/** @type {any} */ run) => run.attempts },
  { key: 'error', label: 'error', of: (/** @type {any} */ run) => run.error },
  { key: 'folder', label: 'folder', of: (/** @type {any} */ run) => run.folder },
  { key: 'bindrs', label: 'bindrs', of: (/** @type {any} */ run) => run.bindrs },
  { key: 'git_commit', label: 'commit', of: (/** @type {any} */ run) => run.git_commit?.slice(0, 8) },
  { key: 'id', label: 'id', of: (/** @type {any} */ run) => run.id },
].map((column) => [column.key, { title: column.label, text: (/** @type {any} */ run) => shown(column.of(run)), ...column }]));

/** The column of a key; null if it is of no kind that is known. @param {string} key @returns {Column | null} */
export function columnOf(key) {
  if (Object.hasOwn(OWN, key)) return OWN[key];
  const param = PARAM.exec(key);
  if (param) {
    const name = unquoted(param[1], param[2]);
    return made(key, name, 'parameter', (run) => own(run.params, name));
  }
  const metric = METRIC.exec(key);
  if (!metric) return null;
  const [name, field, which = 'last'] = [unquoted(metric[1], metric[2]), unquoted(metric[3], metric[4]), metric[5]];
  const label = `${name} ${field}${metric[5] ? ` ${which}` : ''}`;
  return { ...made(key, label, `metric, ${which}`, (run) => own(own(run.metrics, name), field)?.[which]), number: true };
}

/** @param {string} key @param {string} label @param {string} kind @param {(run: any) => any} of @returns {Column} */
function made(key, label, kind, of) {
  return { key, label, title: `${label} (${kind})`, of, text: (run) => shown(of(run)) };
}

/** @param {string | undefined} simple @param {string | undefined} quoted */
function unquoted(simple, quoted) {
  if (simple !== undefined) return simple;
  try {
    return JSON.parse(`"${quoted}"`);
  } catch {
    return quoted ?? '';
  }
}

/** What something has by a name, and does not inherit. @param {any} values @param {string} name */
function own(values, name) {
  return values && Object.hasOwn(values, name) ? values[name] : undefined;
}

/** Whether a field of a metric only counts up, as an epoch does: it is shown behind what was measured. @param {any} summary */
export function isCounter({ first, last, min, max, mean }) {
  return [first, last, min, max].every(Number.isInteger) && first === min && last === max && mean !== null && (max > min || max > 1);
}

/** Seconds that a run took, or has taken so far. @param {any} run */
export function lasted(run) {
  const begun = run.started ?? run.created;
  if (!begun) return null;
  const until = run.ended ?? (run.status === 'RUNNING' ? Date.now() / 1e3 : run.seen);
  return until ? Math.max(0, until - begun - (run.paused ?? 0)) : null;
}

/** 40 ms, 1.4 s, 17 s, 3 min 05 s, 2 h 10 min, 3 d 4 h. @param {number | null | undefined} seconds */
export function span(seconds) {
  if (seconds === null || seconds === undefined) return NONE;
  if (seconds < 1) return seconds < 0.001 ? '0 s' : `${Math.round(seconds * 1e3)} ms`;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const [all, two] = [Math.round(seconds), (/** @type {number} */ each) => String(each).padStart(2, '0')];
  if (all < 60) return `${all} s`;
  if (all < 3600) return `${Math.floor(all / 60)} min ${two(all % 60)} s`;
  const minutes = Math.floor(all / 60);
  return minutes < 1440 ? `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min` : `${Math.floor(minutes / 1440)} d ${Math.floor(minutes / 60) % 24} h`;
}

/** A value, as one writes it; what JSON has no number for is stored as an object that names it. @param {any} value @returns {string} */
export function shown(value) {
  if (value === undefined || value === null) return NONE;
  if (typeof value === 'number') return number(value);
  if (typeof value === 'string') return value;
  if (typeof value === 'object' && typeof value.$null === 'string') return value.$null;
  return JSON.stringify(value);
}

/** A number in five digits, and whole ones whole. @param {number | null | undefined} value */
export function number(value) {
  if (value === null || value === undefined) return NONE;
  if (Number.isInteger(value)) return Math.abs(value) < 1e6 ? String(value) : value < 1e15 && value > 0 ? count(value) : value.toExponential(3);
  const size = Math.abs(value);
  return size >= 1e-4 && size < 1e6 ? String(Number(value.toPrecision(5))) : value.toExponential(3);
}

/** @param {number} bytes */
export function size(bytes) {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let place = 0;
  for (; bytes >= 1000 && place < units.length - 1; place += 1) bytes /= 1000;
  return `${place && bytes < 100 ? bytes.toFixed(1) : Math.round(bytes)} ${units[place]}`;
}

/** How a status is marked, so that colour is never the only sign. */
const SIGNS = /** @type {Record<string, string>} */ ({ RUNNING: '▸', COMPLETED: '✓', FAILED: '✕', CANCELLED: '⊘', LOST: '?' });
const TONES = /** @type {Record<string, string>} */ ({ RUNNING: 'accent', FAILED: 'bad', CANCELLED: 'warn', LOST: 'warn' });

/** @param {string | null | undefined} status */
export const statusText = (status) => (status ? `${SIGNS[status] ?? ''} ${status.toLowerCase()}` : NONE);

/** @param {string | null | undefined} status */
export const statusTone = (status) => TONES[status ?? ''] ?? null;
