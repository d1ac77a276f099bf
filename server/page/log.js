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
  const earlier = h('button', { type: 'button', hidden: true, onclick: () => ask('earlier') }, 'earlier messages');
  const rows = h('ol', { class: 'log', tabindex: 0, 'aria-label': 'Messages' });
  const none = h('div', { hidden: true }, nothing('Nothing was logged. A run says something by', 'run.log("Training started", level="info", device="gpu-1")'));
  const bar = h('div', { class: 'bar' }, level, search, h('label', {}, follow, ' follow'), told, earlier);
  const node = h('section', { 'aria-label': 'Log' }, bar, rows, none);
  let messages = /** @type {{place: number, fields: any}[]} */ ([]);
  let next = -AT_ONCE;
  let isKnown = false;
  let route = /** @type {any} */ (null);
  const source = new Source();

  rows.addEventListener('scroll', () => {
    const isAtEnd = rows.scrollHeight - rows.scrollTop - rows.clientHeight < 24;
    if (follow.checked && !isAtEnd && rows.scrollHeight > rows.clientHeight) follow.checked = false;
  });
  rows.addEventListener('wheel', () => {}, { passive: true });

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
    const first = messages[0]?.place ?? 0;
    say(told, `${count(fitting.length)} shown${first > 0 ? ` of the last ${count(messages.length)}` : ''}`);
    attribute(earlier, 'hidden', first === 0 || messages.length >= MOST);
    attribute(none, 'hidden', !isKnown || messages.length > 0);
    attribute(rows, 'hidden', messages.length === 0);
    attribute(bar, 'hidden', messages.length === 0);
    if (follow.checked) down();
  }

  /** @param {'later' | 'earlier'} which */
  async function ask(which) {
    const first = messages[0]?.place ?? 0;
    const after = which === 'later' ? next : Math.max(0, first - AT_ONCE);
    const limit = which === 'later' ? AT_ONCE : first - after;
    const what = `${path(route.project, route.id, 'log')}?after=${after}&limit=${limit}`;
    const data = await (which === 'later' ? source : new Source()).get(what);
    const begin = data.first ?? data.next - data.messages.length;
    const lines = data.messages.map((/** @type {any} */ fields, /** @type {number} */ index) => ({ place: begin + index, fields }));
    if (which === 'earlier') {
      const height = rows.scrollHeight - rows.scrollTop;
      follow.checked = false;
      messages = [...lines, ...messages];
      draw();
      rows.scrollTop = rows.scrollHeight - height; // what one reads stays where it is
      return false;
    }
    const isNew = data.next !== next || !isKnown;
    isKnown = true;
    const last = messages.at(-1)?.place ?? -1;
    messages.push(...lines.filter((/** @type {any} */ each) => each.place > last));
    if (messages.length > MOST && follow.checked) messages = messages.slice(-MOST);
    next = data.next;
    return isNew && lines.length >= AT_ONCE;
  }

  return {
    node,
    /** @param {import('./route.js').Route} now */
    show(now) {
      route = now;
      draw();
    },
    async refresh() {
      while (await ask('later'));
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
