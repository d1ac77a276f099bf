// The runs of a list that are in sight, and those near them: asked for by the hundred, kept, and
// asked for again in turns, which costs nothing where nothing is new.

import { Source, path } from './api.js';

const CHUNK = 100;
/** So many are fetched without being looked at: a list of that length scrolls without a gap. */
const AHEAD = 1000;
/** What is out of sight is asked for in every so many turns. */
const SELDOM = 5;

/** What to ask for. @param {string} project @param {string} filter @param {string} sort */
export function question(project, filter, sort) {
  return `${path(project)}?${new URLSearchParams({ sort, limit: String(CHUNK), ...(filter ? { filter } : {}) })}`;
}

export class Window {
  total = /** @type {number | null} */ (null);
  /** Which names of the question no run has. */
  note = '';
  /** @type {Map<number, {source: Source, runs: any[]}>} */
  chunks = new Map();
  /** What was asked for and has not come. @type {Map<number, Promise<void>>} */
  asked = new Map();
  turn = 0;

  /** @param {string} what the question, as `question` makes it @param {() => void} onnews what is done when runs have come */
  constructor(what, onnews) {
    this.what = what;
    this.onnews = onnews;
  }

  /** The run at a place; undefined if it has not come yet. @param {number} place */
  at(place) {
    return this.chunks.get(Math.floor(place / CHUNK))?.runs[place % CHUNK];
  }

  /** All that have come, in order. */
  known() {
    return [...this.chunks.keys()].sort((a, b) => a - b).flatMap((key) => this.chunks.get(key)?.runs ?? []);
  }

  /** Ask anew for what is in sight, and for the rest now and then. @param {number} first @param {number} last */
  async refresh(first, last) {
    const { turn } = this;
    this.turn += 1;
    const [low, high] = [Math.floor(first / CHUNK), Math.floor(Math.max(last, 0) / CHUNK)];
    if (this.total === null) await this.ask(0);
    const end = Math.ceil((this.total ?? 0) / CHUNK);
    const keys = [...this.chunks.keys()].filter((key) => (key >= low && key <= high) || turn % SELDOM === 0);
    for (const key of keys) {
      if (key < end || key === 0) await this.ask(key);
      else this.chunks.delete(key);
    }
    await this.want(first, last);
  }

  /** Fetch what is missing of a stretch, and of its neighbourhood. @param {number} first @param {number} last */
  async want(first, last) {
    const end = Math.ceil((this.total ?? 0) / CHUNK);
    const places = [Math.floor(first / CHUNK), Math.floor(last / CHUNK), Math.floor(last / CHUNK) + 1, Math.floor(first / CHUNK) - 1];
    for (let key = 0; key < Math.min(end, AHEAD / CHUNK); key += 1) places.push(key);
    for (const key of places) {
      if (key >= 0 && key < end && !this.chunks.has(key)) await this.ask(key);
    }
  }

  /** @param {number} key */
  async ask(key) {
    const begun = this.asked.get(key);
    if (begun) return begun;
    const { what, asked, chunks } = this;
    const chunk = chunks.get(key) ?? { source: new Source(), runs: [] };
    const asking = chunk.source.get(`${what}&offset=${key * CHUNK}`).then((data) => {
      chunk.runs = data.runs;
      chunks.set(key, chunk);
      this.total = data.total;
      this.note = data.note ?? '';
      this.onnews();
    }).finally(() => asked.delete(key));
    asked.set(key, asking);
    return asking;
  }
}
