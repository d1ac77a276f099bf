// Numbers and times, as one reads them at a glance; what is unknown is a dash.

export const NONE = '–';
const DIGITS = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** A count: 1,234, or 1.23 M. @param {number | null | undefined} value */
export function count(value) {
  if (value === null || value === undefined) return NONE;
  if (value < 1e6) return DIGITS.format(value).replaceAll(',', '\u2009');
  return value < 1e9 ? `${(value / 1e6).toFixed(2)} M` : `${(value / 1e9).toFixed(2)} G`;
}

/** What is in flight, and of how much that is not known: 2, 3?, 2+3?. @param {any} row */
export function flight(row) {
  if (!row?.unknown) return count(row?.in_flight);
  return `${row.in_flight ? `${count(row.in_flight)}+` : ''}${count(row.unknown)}?`;
}

/** A rate: 0.4, 12.3, 1,234. @param {number | null | undefined} value */
export function rate(value) {
  if (value === null || value === undefined) return NONE;
  return value !== 0 && value < 100 ? value.toFixed(1) : count(Math.round(value));
}

/** A share: 0.25 -> 25 %. @param {number | null | undefined} value */
export function share(value) {
  if (value === null || value === undefined) return NONE;
  const percent = value * 100;
  if (percent === 0 || percent === 100) return `${percent} %`;
  return percent < 0.1 ? '< 0.1 %' : `${percent.toFixed(percent < 10 ? 1 : 0)} %`;
}

/** A duration: 0.42 ms, 17 ms, 1.25 s, 3 min. @param {number | null | undefined} ms */
export function duration(ms) {
  if (ms === null || ms === undefined) return NONE;
  if (ms < 1) return ms === 0 ? '0 ms' : `${ms.toFixed(2)} ms`;
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 1000) return `${ms.toFixed(0)} ms`;
  if (ms < 100e3) return `${(ms / 1e3).toFixed(ms < 10e3 ? 2 : 1)} s`;
  return ms < 7200e3 ? `${(ms / 60e3).toFixed(0)} min` : `${(ms / 3600e3).toFixed(1)} h`;
}

const TIME = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const DAY = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });

/** A time of day, here; with the day, if it is not today's. @param {number | null | undefined} ts */
export function time(ts) {
  if (ts === null || ts === undefined) return NONE;
  const date = new Date(ts * 1e3);
  const clock = TIME.format(date);
  return date.toDateString() === new Date().toDateString() ? clock : `${DAY.format(date)} ${clock}`;
}

/** A time of day with thousandths. @param {number} ts */
export function moment(ts) {
  const thousandths = Math.floor((ts % 1) * 1e3).toString().padStart(3, '0');
  return `${TIME.format(new Date(ts * 1e3))}.${thousandths}`;
}

/** A value of a config, as one writes it. @param {any} value */
export function value(value) {
  if (value === undefined) return NONE;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Nested values by key path: {a: {b: 1}} -> {"a.b": 1}. @param {any} values */
export function flat(values, prefix = '', found = /** @type {Record<string, any>} */ ({})) {
  for (const [key, inner] of Object.entries(values ?? {})) {
    const path = prefix + key;
    if (inner !== null && typeof inner === 'object' && !Array.isArray(inner)) {
      flat(inner, `${path}.`, found);
    } else found[path] = inner;
  }
  return found;
}

const CHOICES = /** @type {Record<string, string>} */ ({
  static: 'its strategy', given: 'the caller', disabled: 'the kill switch', pinned: 'a pin', forced: 'force',
  case: 'the outer call', error: 'nobody: its strategy failed',
});

/** Who chose what is played, by the reason that the events give; any other is a strategy's own. @param {string} reason */
export function chosen(reason) {
  return CHOICES[reason] ?? `its strategy: ${reason}`;
}

/** How a status is marked, so that colour is never the only sign. */
export const SIGNS = /** @type {Record<string, string>} */ ({
  ok: '✓', error: '✕', timeout: '◷', cancelled: '⊘', shed: '⤓', skipped: '–', running: '▸', unknown: '?',
});

/** What a status is: good, bad, or of no account. @param {string | null} status */
export function tone(status) {
  if (status === 'error' || status === 'timeout') return 'bad';
  return ['shed', 'cancelled', 'unknown'].includes(status ?? '') ? 'warn' : '';
}
