// The tree of supervisors: each actor under its own, what waits for it, and how it crashed.

import { attribute, fill as put, h, list, say } from './dom.js';
import { NONE, count, duration, time } from './format.js';
import { empty } from './overview.js';
import { address, matcher } from './route.js';

const ORDER = ['supervisor', 'strategy', 'case', 'other'];
const MOST = 500;
const ABOUT = ['process', 'runtime', 'service', 'state', 'started', 'last event', 'missing'];
/** Some columns are for wide screens. @param {number} index */
const narrow = (index) => (ABOUT[index] === 'runtime' || ABOUT[index] === 'started' ? 'wide' : null);

export function actors() {
  const processes = h('tbody');
  const body = h('tbody');
  const nothing = h('div', { class: 'empty', hidden: true });
  const more = h('p', { class: 'more', hidden: true });
  const restarts = h('span', { class: 'note' });
  const heads = ['actor', 'state', 'mailbox', 'in flight', 'restarts', 'dead letters', 'last crash'];
  const tree = h('div', { class: 'scroll' }, h('table', { class: 'tree' }, h('caption', { class: 'hidden' }, 'Actors'),
    h('thead', {}, h('tr', {}, ...heads.map((text, index) => h('th', { scope: 'col', class: index >= 3 && index <= 5 ? `number${index === 5 ? ' wide' : ''}` : null }, text)))), body));
  const about = h('section', {}, h('h2', {}, 'processes'), h('div', { class: 'scroll' }, h('table', {}, h('caption', { class: 'hidden' }, 'Processes'),
    h('thead', {}, h('tr', {}, ...ABOUT.map((text, index) => h('th', { scope: 'col', class: narrow(index) }, text)))), processes)));
  return {
    node: h('div', {}, about, h('section', {}, h('div', { class: 'bar' }, h('h2', {}, 'actors'), restarts), tree, more, nothing)),
    title: () => 'actors',
    /** @param {any} store @param {import('./route.js').Route} route */
    update(store, route) {
      const alive = store.overview.processes ?? [];
      attribute(about, 'hidden', alive.length === 0);
      list(processes, alive, (each) => `${each.pid}/${each.runtime}`, process);
      const all = store.document.actors ?? [];
      const often = store.overview.restarts ?? 0;
      say(restarts, all.length ? `${count(often)} ${often === 1 ? 'restart' : 'restarts'} in all` : '');
      const matches = matcher(route.options.get('q') ?? '');
      const shown = all.filter((/** @type {any} */ each) => matches({ name: each.name, experiment: each.experiment ?? '', state: each.state ?? '', kind: each.kind, service: each.service ?? '', process: each.process ?? '' }));
      // Processes, and the cases of an experiment, stay in the order in which they were told of.
      const places = new Map([...new Set(all.map((/** @type {any} */ each) => each.process))].map((key, place) => [key, place]));
      const sorted = shown.sort((/** @type {any} */ a, /** @type {any} */ b) => (places.get(a.process) ?? 0) - (places.get(b.process) ?? 0)
        || (a.experiment ?? '\uffff').localeCompare(b.experiment ?? '\uffff', 'en', { numeric: true }) || ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind));
      attribute(tree, 'hidden', shown.length === 0);
      attribute(more, 'hidden', sorted.length <= MOST);
      say(more, `${sorted.length - MOST} more: filter to see them`);
      const known = new Map(alive.map((/** @type {any} */ each) => [each.key, each]));
      list(body, places.size > 1 ? headed(sorted.slice(0, MOST), known) : sorted.slice(0, MOST), (each) => each.key, (each) => (each.isHead ? head(each) : actor(each)));
      empty(nothing, store, all.length > 0, shown.length > 0);
    },
  };
}

/** The actors of each process under its name. @param {any[]} rows @param {Map<string, any>} known */
function headed(rows, known) {
  return rows.flatMap((each, index) => {
    if (index && rows[index - 1].process === each.process) return [each];
    return [{ isHead: true, key: `process ${each.process}`, service: each.service, process: each.process, now: known.get(each.process) }, each];
  });
}

/** @param {any} each */
function head(each) {
  const name = h('b');
  const note = h('span', { class: 'note' });
  const node = h('tr', { class: 'process', 'data-process': each.process }, h('th', { scope: 'rowgroup', colspan: 7 }, name, ' ', note));
  node.update = (/** @type {any} */ { service, process: key, now }) => {
    say(name, [service, key].filter(Boolean).join(' '));
    say(note, now ? standing(now) : '');
    attribute(note, 'data-tone', now?.is_silent && !now.is_idle ? 'warn' : null);
  };
  return node;
}

/** @param {any} each */
function process(each) {
  const cells = ABOUT.map((_, index) => h('td', { class: narrow(index) }));
  const node = h('tr', {}, ...cells);
  node.update = (/** @type {any} */ now) => {
    const texts = [now.pid, now.runtime ?? NONE, now.service ?? NONE, standing(now), time(now.started), time(now.last_ts), count(now.missing)];
    texts.forEach((text, index) => put(cells[index], String(text)));
    attribute(cells[3], 'data-tone', now.is_silent && !now.is_idle ? 'warn' : null);
    attribute(cells[3], 'title', now.is_silent ? 'It never said closed. With calls in flight it would have written; with nothing to do it writes nothing.' : null);
    attribute(cells[6], 'data-tone', now.missing ? 'warn' : null);
  };
  return node;
}

/** Where a runtime is in its life. @param {any} now */
function standing(now) {
  if (now.state === 'stopped') return 'closed';
  if (!now.is_silent) return now.state ?? NONE;
  if (now.is_idle) return `idle since ${time(now.last_ts)}`;
  return `silent for ${duration((Date.now() / 1e3 - now.last_ts) * 1e3)}, ${count(now.unknown)} in flight unknown`;
}

/** What an actor is called below its supervisor: `answer[model=quick]` is `model=quick`. @param {any} each */
function short({ kind, name, experiment }) {
  if (kind === 'strategy') return 'strategy';
  return kind === 'case' && name.startsWith(`${experiment}[`) ? name.slice(experiment.length + 1, -1) : name;
}

/** @param {any} each */
function actor(each) {
  const name = each.kind === 'supervisor' ? h('a', { class: 'row', href: address('experiment', each.name) }) : h('span');
  const state = h('td');
  const fill = h('span', { class: 'fill' });
  const waiting = h('span', { class: 'waiting' });
  const flying = h('td', { class: 'number' });
  const restarts = h('td', { class: 'number' });
  const letters = h('td', { class: 'number wide' });
  const crash = h('td', { class: 'crash' });
  const track = h('span', { class: 'track' }, fill);
  const mailbox = h('td', {}, track, waiting);
  const node = h('tr', { 'data-kind': each.kind, 'data-actor': each.name },
    h('th', { scope: 'row' }, h('span', { class: 'twig', 'aria-hidden': 'true' }), name), state, mailbox, flying, restarts, letters, crash);
  node.update = (/** @type {any} */ now) => {
    say(name, short(now));
    attribute(name, 'title', now.name);
    say(state, now.gave_up ? `✕ gave up` : now.state === 'running' ? 'running' : `■ ${now.state ?? 'unknown'}`);
    attribute(state, 'data-tone', now.gave_up ? 'bad' : now.state === 'running' ? null : 'warn');
    const isKnown = now.waiting !== null && now.waiting !== undefined;
    const part = isKnown && now.capacity ? now.waiting / now.capacity : 0;
    attribute(track, 'hidden', !isKnown);
    fill.style.width = `${Math.min(part, 1) * 100}%`;
    attribute(mailbox, 'data-tone', part >= 0.75 ? 'warn' : null);
    put(waiting, isKnown ? `${count(now.waiting)} of ${now.capacity === null ? '∞' : count(now.capacity)}` : NONE);
    put(flying, count(now.in_flight));
    put(restarts, count(now.restarts));
    attribute(restarts, 'data-tone', now.restarts ? 'warn' : null);
    put(letters, count(now.dead_letters));
    attribute(letters, 'data-tone', now.dead_letters ? 'warn' : null);
    say(crash, now.crash ? `${time(now.crash.ts)} ${now.crash.type ?? ''}: ${now.crash.message ?? ''}` : '');
    attribute(crash, 'title', now.crash?.message ?? null);
  };
  return node;
}
