// What a run said: the last messages, and those that come; earlier ones when they are asked for.

import { Source, path } from './api.js';
import { attribute, h, list, say } from './dom.js';
import { nothing } from './empty.js';
import { count, moment, time } from './format.js';
import { shown } from './names.js';
import { change } from './route.js';

const AT_ONCE = 500;
/** More are not kept in the page at once. */
const MOST = 5000;
const LEVELS = ['debug', 'info', 'warning', 'error'];
const MARKS = /** @type {Record<string, string>} */ ({ debug: '·', info: 'i', warning: '▲', error: '✕' });

export function log() {
  const level = h('select', { 'aria-label': 'Level', id: 'level', onchange: () => change({ level: level.value }) },
    ...LEVELS.map((name, index) => h('option', { value: index === 0 ? '' : name }, index === 0 ? 'any level' : `${name} and worse`)));
  const search = h('input', { type: 'search', id: 'find-line', placeholder: 'find in the log', 'aria-label': 'Find in the log', oninput: () => change({ said: search.value }) });
  const follow = h('input', { type: 'checkbox', id: 'follow', checked: true, onchange: () => { if (follow.checked) down(); } });
  const told = h('span', { class: 'note', role: 'status' });
  const before = h('button', { type: 'button', id: 'earlier', hidden: true, onclick: () => earlier().catch((error) => say(told, `✕ ${error.message}`)) }, 'earlier messages');
  const rows = h('ol', { class: 'log', tabindex: 0, 'aria-label': 'Messages' });
  const none = h('div', { hidden: true }, nothing('Nothing was logged. A run says something by', 'run.log("Training started", level="info", device="gpu-1")'));
  const bar = h('div', { class: 'bar' }, level, search, h('label', {}, follow, ' follow'), told, before);
  const node = h('section', { 'aria-label': 'Log' }, bar, rows, none);
  let messages = /** @type {{place: number, fields: any}[]} */ ([]);
  /** Where in the log the first of them is, and where the next one will be: bytes. */
  let first = /** @type {number | null} */ (null);
  let next = /** @type {number | null} */ (null);
  let route = /** @type {any} */ (null);
  const source = new Source();

  rows.addEventListener('scroll', () => {
    const isAtEnd = rows.scrollHeight - rows.scrollTop - rows.clientHeight < 24;
    if (follow.checked && !isAtEnd && rows.scrollHeight > rows.clientHeight) follow.checked = false;
  });

  function down() {
    rows.scrollTop = rows.scrollHeight;
  }

  function draw() {
    const least = LEVELS.indexOf(route.options.get('level') ?? 'debug');
    const text = (route.options.get('said') ?? '').toLowerCase();
    level.value = route.options.get('level') ?? '';
    if (document.activeElement !== search && search.value !== (route.options.get('said') ?? '')) search.value = route.options.get('said') ?? '';
    // A level that is nobody's is shown whatever is asked for.
    const fitting = messages.filter(({ fields }) => (LEVELS.indexOf(fields.level) >= least || !LEVELS.includes(fields.level))
      && (text === '' || JSON.stringify(fields).toLowerCase().includes(text)));
    list(rows, fitting, ({ place }) => String(place), line);
    const isAll = first === 0;
    say(told, `${count(fitting.length)} shown${isAll && fitting.length === messages.length ? '' : ` of ${isAll ? '' : 'the last '}${count(messages.length)}`}`);
    attribute(before, 'hidden', isAll || first === null || messages.length >= MOST);
    attribute(none, 'hidden', next === null || messages.length > 0);
    attribute(rows, 'hidden', messages.length === 0);
    attribute(bar, 'hidden', messages.length === 0);
    if (follow.checked) down();
  }

  /** Ask for what came since; at first, for the last of what there is. Tell whether there is more. */
  async function later() {
    const what = next === null ? `limit=-${AT_ONCE}` : `after=${next}&limit=${AT_ONCE}`;
    const data = await source.get(`${path(route.project, route.id, 'log')}?${what}`);
    const isNew = data.next !== next;
    if (next === null) first = data.first;
    if (isNew) {
      let place = messages.at(-1)?.place ?? 0;
      messages.push(...data.messages.map((/** @type {any} */ fields) => ({ place: place += 1, fields })));
      if (messages.length > MOST && follow.checked) {
        messages = messages.slice(-MOST);
        first = null; // those before are not asked for again: who wants all of a long log reads it elsewhere
      }
    }
    next = data.next;
    return isNew && data.messages.length >= AT_ONCE;
  }

  /** Ask for what was before, and leave what one reads where it is. */
  async function earlier() {
    const data = await new Source().get(`${path(route.project, route.id, 'log')}?before=${first}&limit=-${AT_ONCE}`);
    const height = rows.scrollHeight - rows.scrollTop;
    follow.checked = false;
    let place = (messages[0]?.place ?? 1) - data.messages.length;
    messages = [...data.messages.map((/** @type {any} */ fields) => ({ place: place++, fields })), ...messages];
    first = data.messages.length ? data.first : 0;
    draw();
    rows.scrollTop = rows.scrollHeight - height;
  }

  return {
    node,
    /** @param {import('./route.js').Route} now */
    show(now) {
      route = now;
      draw();
    },
    async refresh() {
      while (await later());
      draw();
    },
  };
}

/** @param {{place: number, fields: any}} each */
function line({ fields }) {
  const { ts, level, message, ...rest } = fields;
  const known = String(level ?? '');
  const more = Object.entries(rest).map(([key, value]) => h('span', { class: 'field' }, h('i', {}, `${key}=`), shown(value)));
  return h('li', { 'data-level': known },
    h('time', { title: typeof ts === 'number' ? time(ts) : null }, typeof ts === 'number' ? moment(ts) : ''),
    h('b', { title: known }, MARKS[known] ?? known), h('span', { class: 'message' }, typeof message === 'string' ? message : JSON.stringify(message ?? ''), ...more));
}
