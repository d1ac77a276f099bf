// The log as it is written: the last thousand lines, those that a filter lets through.

import { attribute, h, list, say } from './dom.js';
import { NONE, SIGNS, count, duration, moment, tone } from './format.js';
import { address, change, matcher } from './route.js';

const SHOWN = 300;
const LEVELS = ['debug', 'info', 'warning', 'error'];
const MARKS = /** @type {Record<string, string>} */ ({ debug: '·', info: 'i', warning: '▲', error: '✕' });
/** What every line has, and what is said in a place of its own. */
const SAID = new Set(['v', 'ts', 'event', 'level', 'seq', 'pid', 'service', 'runtime', 'experiment', 'label', 'inner_case', 'role', 'status', 'reason',
  'duration_ms', 'queue_ms', 'call_id', 'branch_id', 'parent_branch_id', 'config_id', 'actor', 'error.type', 'error.message', 'values']);

export function tail() {
  const level = choice('Level', LEVELS, (chosen) => change({ level: chosen }));
  const event = choice('Event', [], (chosen) => change({ event: chosen }));
  const told = h('span', { class: 'note', role: 'status' });
  const rows = h('ol', { class: 'tail', tabindex: 0, 'aria-label': 'Lines of the log' });
  const nothing = h('p', { class: 'none' });
  const down = h('button', { type: 'button', class: 'down', hidden: true, onclick: () => { isStuck = true; rows.scrollTop = rows.scrollHeight; } }, '↓ newest');
  let isStuck = true;
  rows.addEventListener('scroll', () => {
    isStuck = rows.scrollHeight - rows.scrollTop - rows.clientHeight < 24;
    attribute(down, 'hidden', isStuck);
  });
  return {
    node: h('div', { class: 'tailing' }, h('div', { class: 'bar' }, h('h2', {}, 'live tail'), level.node, event.node, told), rows, nothing, down),
    title: () => 'tail',
    /** @param {any} store @param {import('./route.js').Route} route */
    update(store, route) {
      const least = LEVELS.indexOf(route.options.get('level') ?? 'debug');
      const wanted = route.options.get('event') ?? '';
      const matches = matcher(route.options.get('q') ?? '');
      const names = [...new Set([...store.lines.map((/** @type {any} */ line) => String(line[1].event)), ...(wanted ? [wanted] : [])])].sort();
      level.update(LEVELS, route.options.get('level') ?? '');
      event.update(names, wanted);
      const shown = store.lines.filter((/** @type {any} */ [, fields]) => (wanted === '' || fields.event === wanted)
        && (LEVELS.indexOf(fields.level) >= least || !LEVELS.includes(fields.level)) && matches(fields));
      list(rows, shown.slice(-SHOWN), (each) => String(each[0]), line);
      say(told, `${count(Math.min(shown.length, SHOWN))} shown of the last ${count(store.lines.length)}${store.skipped ? `, ${count(store.skipped)} passed too fast` : ''}`);
      attribute(nothing, 'hidden', shown.length > 0);
      say(nothing, store.lines.length ? 'No line here matches.' : 'No lines yet: understudy dashboard events.jsonl shows them as they are written.');
      if (isStuck) rows.scrollTop = rows.scrollHeight;
    },
  };
}

/** @param {string} label @param {string[]} names @param {(chosen: string) => void} chosen */
function choice(label, names, chosen) {
  const select = h('select', { 'aria-label': label, onchange: () => chosen(select.value) });
  const update = (/** @type {string[]} */ all, /** @type {string} */ value) => {
    list(select, ['', ...all], (name) => name, (name) => h('option', { value: name }, name || `any ${label.toLowerCase()}`));
    if (select.value !== value) select.value = value;
  };
  update(names, '');
  return { node: select, update };
}

/** @param {[number, Record<string, any>]} each */
function line([, fields]) {
  const rest = Object.entries(fields).filter(([key]) => !SAID.has(key)).map(([key, known]) => `${key}=${typeof known === 'string' ? known : JSON.stringify(known)}`).join(' ');
  const known = String(fields.level);
  const detail = h('pre', { hidden: true });
  const time = typeof fields.ts === 'number' ? moment(fields.ts) : NONE;
  const button = h('button', { type: 'button', 'aria-expanded': 'false', title: 'All fields' },
    h('time', {}, time), h('span', { class: 'mark' }, MARKS[known] ?? '?'), h('b', {}, String(fields.event)));
  button.addEventListener('click', () => {
    const isOpen = button.getAttribute('aria-expanded') === 'true';
    if (!isOpen) say(detail, JSON.stringify(fields, null, 2));
    attribute(button, 'aria-expanded', String(!isOpen));
    attribute(detail, 'hidden', isOpen);
  });
  const status = typeof fields.status === 'string' ? fields.status : null;
  const hasRun = status !== 'shed' && status !== 'skipped';
  const texts = [
    text(fields.experiment ?? fields.actor, 'whose'), labelled(fields), text(fields.role, 'role'),
    h('span', { class: 'status', 'data-tone': tone(status) || null }, status ? `${SIGNS[status] ?? ''} ${status}` : ''),
    text(hasRun && typeof fields.duration_ms === 'number' ? duration(fields.duration_ms) : '', 'took'),
    h('span', { class: 'more' }, ...[
      fields.reason ? text(fields.reason, 'reason') : null,
      fields['error.type'] ? h('span', { 'data-tone': 'bad' }, `${fields['error.type']}: ${fields['error.message'] ?? ''}`) : null,
      rest ? text(rest, 'rest') : null,
    ]),
    typeof fields.call_id === 'string' ? h('a', { class: 'id', href: address('call', fields.call_id) }, fields.call_id) : null,
  ];
  return h('li', { 'data-level': known }, button, h('span', { class: 'said' }, ...texts), detail);
}

/** A config, and what is played inside of it, which a long label must not hide. @param {Record<string, any>} fields */
function labelled(fields) {
  if (!fields.inner_case) return text(fields.label, 'label');
  const whole = `${fields.label} / ${fields.inner_case}`;
  return h('span', { class: 'label both', title: whole }, h('span', {}, String(fields.label)), h('span', { class: 'inner' }, ` / ${fields.inner_case}`));
}

/** @param {any} known @param {string} kind */
function text(known, kind) {
  const said = typeof known === 'string' ? known : JSON.stringify(known ?? '');
  return h('span', { class: kind, title: said.length > 12 ? said : null }, said === '""' ? '' : said);
}
