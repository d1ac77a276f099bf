// What the page knows: the document of the server, kept up to date by patches.

const SECONDS = 300;
const LINES = 1000;

export class Store {
  constructor() {
    /** @type {Record<string, any>} */
    this.document = {};
    /** @type {Map<number, any[]>} by second: [second, calls, ended, errors, ...] */
    this.seconds = new Map();
    /** @type {Map<number, number>} by second: how many primaries were in flight, as seen here */
    this.flying = new Map();
    /** @type {[number, Record<string, any>][]} */
    this.lines = [];
    this.skipped = 0;
    this.patches = 0;
  }

  /** Begin anew. @param {Record<string, any>} document */
  snapshot(document) {
    const { seconds, tail, ...rest } = document;
    this.document = rest;
    this.seconds.clear();
    this.lines = [];
    this.skipped = 0;
    this.takeSeconds(seconds);
    this.takeLines(tail);
    this.takeFlying();
  }

  /** Take what changed: whole values, but for seconds and tail. @param {Record<string, any>} changes */
  patch(changes) {
    this.patches += 1;
    for (const [key, value] of Object.entries(changes)) {
      if (key === 'seconds') this.takeSeconds(value);
      else if (key === 'tail') this.takeLines(value);
      else if (value === null) delete this.document[key];
      else this.document[key] = value;
    }
    this.takeFlying();
  }

  /** @returns {Record<string, any>} */
  get overview() {
    return this.document.overview ?? {};
  }

  /** @returns {any[]} */
  get experiments() {
    return Object.keys(this.document).filter((key) => key.startsWith('experiment:'))
      .map((key) => this.document[key]);
  }

  /** The rows of the last seconds, one for each, oldest first. @returns {any[][]} */
  rows() {
    const last = Math.floor(this.overview.ts ?? 0);
    const rows = [];
    for (let second = last - SECONDS + 1; second <= last; second += 1) {
      rows.push(this.seconds.get(second) ?? [second, 0, 0, 0, 0, 0, 0, null, null, null, null, 0]);
    }
    return rows;
  }

  /** @param {{rows?: any[][]} | null | undefined} seconds */
  takeSeconds(seconds) {
    for (const row of seconds?.rows ?? []) this.seconds.set(row[0], row);
    trim(this.seconds, SECONDS + 60);
  }

  /** @param {{lines?: [number, any][], skipped?: number} | null | undefined} tail */
  takeLines(tail) {
    const last = this.lines.length ? this.lines[this.lines.length - 1][0] : -1;
    for (const line of tail?.lines ?? []) if (line[0] > last) this.lines.push(line);
    this.skipped += tail?.skipped ?? 0;
    if (this.lines.length > LINES) this.lines.splice(0, this.lines.length - LINES);
  }

  takeFlying() {
    const { ts, in_flight: flying } = this.overview;
    if (ts === null || ts === undefined) return;
    this.flying.set(Math.floor(ts), flying);
    trim(this.flying, SECONDS + 60);
  }
}

/** @param {Map<number, any>} map @param {number} most */
function trim(map, most) {
  if (map.size <= most) return;
  const seconds = [...map.keys()].sort((a, b) => a - b);
  for (const second of seconds.slice(0, map.size - most)) map.delete(second);
}
