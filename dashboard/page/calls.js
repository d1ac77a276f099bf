// The last calls; and one of them, with what it came to: a waterfall of its branches.

import { attribute, h, list, say } from './dom.js';
import { drawFacts } from './experiment.js';
import { NONE, SIGNS, chosen, count, duration, moment, time, tone } from './format.js';
import { ask } from './link.js';
import { empty } from './overview.js';
import { address, change, matcher } from './route.js';
import { table } from './table.js';
import { walk } from './walking.js';

/** @type {import('./table.js').Column[]} */
const COLUMNS = [
  {
    key: 'call', label: 'call', by: (row) => row.call_id,
    show(cell, row) {
      cell.link ??= cell.appendChild(h('a', { class: 'row id', href: address('call', row.call_id) }));
      say(cell.link, row.call_id);
    },
  },
  { key: 'time', label: 'time', number: true, wide: true, by: (row) => row.ts, text: (row) => time(row.ts) },
  { key: 'experiment', label: 'experiment', by: (row) => row.experiment, text: (row) => `${row.is_inner ? '└ ' : ''}${row.experiment ?? ''}` },
  { key: 'reason', label: 'chosen by', title: 'Who chose what is played', wide: true, by: (row) => row.reason, text: (row) => (row.reason ? chosen(row.reason) : '') },
  { key: 'branches', label: 'branches', number: true, wide: true, by: (row) => row.branches, text: (row) => count(row.branches) },
  { key: 'status', label: 'primary', by: (row) => row.status, text: (row) => status(row.status), tone: (row) => tone(row.status) },
  { key: 'duration', label: 'took', number: true, by: (row) => row.duration_ms, text: (row) => duration(row.duration_ms) },
];

/** @param {string | null} told */
function status(told) {
  return told === null || told === undefined ? NONE : `${SIGNS[told] ?? '·'} ${told}`;
}

export function calls() {
  const all = table(COLUMNS, { caption: 'The last calls', keyOf: (row) => row.call_id, sort: '-time', most: 200 });
  const nothing = h('div', { class: 'empty', hidden: true });
  const field = h('input', { type: 'search', 'aria-label': 'Call id', placeholder: 'call id', spellcheck: 'false', autocomplete: 'off' });
  field.addEventListener('keydown', (/** @type {KeyboardEvent} */ event) => {
    if (event.key === 'Enter' && field.value.trim()) location.hash = address('call', field.value.trim());
  });
  const inner = h('input', { type: 'checkbox', onchange: () => change({ inner: inner.checked ? '1' : null }) });
  const still = h('span', { class: 'note' });
  /** The rows that are shown while somebody points at one: what one reaches for stays where it is. */
  let kept = /** @type {any[]} */ ([]);
  /** What the server has found: it knows more calls, and more of each, than the list tells. */
  let sought = { words: '', patches: -1, rows: /** @type {any[]} */ ([]) };
  let isSeeking = false;
  let asked = 0;

  /** @param {string} words @param {number} patches */
  async function seek(words, patches) {
    isSeeking = true;
    const rows = (await ask(`api/calls?q=${encodeURIComponent(words)}`)) ?? [];
    isSeeking = false;
    sought = { words, patches, rows };
    window.dispatchEvent(new HashChangeEvent('hashchange'));
  }

  return {
    node: h('div', {}, h('div', { class: 'bar' }, h('h2', {}, 'the last calls'), still,
      h('label', { title: 'Also those that branches of other calls made' }, inner, ' inner calls too'), h('label', {}, 'open ', field)), all.node, nothing),
    title: () => 'calls',
    /** @param {any} store @param {import('./route.js').Route} route */
    update(store, route) {
      inner.checked = route.options.has('inner');
      const rows = (store.document.calls ?? []).filter((/** @type {any} */ row) => inner.checked || !row.is_inner);
      const words = (route.options.get('q') ?? '').trim();
      if (words && !isSeeking && (sought.words !== words || (sought.patches !== store.patches && Date.now() - asked > 1000))) {
        asked = Date.now();
        seek(words, store.patches);
      }
      const matches = matcher(words);
      const near = rows.filter((/** @type {any} */ row) => matches({ call: row.call_id, experiment: row.experiment ?? '', reason: row.reason ?? '', status: row.status ?? '', service: row.service ?? '' }));
      const ids = new Set(near.map((/** @type {any} */ row) => row.call_id));
      const far = sought.words === words && words ? sought.rows.filter((row) => !ids.has(row.call_id) && (inner.checked || !row.is_inner)) : [];
      const shown = [...near, ...far];
      const isHeld = shown.length > 0 && kept.length > 0 && all.node.matches(':has(tbody:hover, tbody :focus-visible)');
      if (isHeld) {
        const now = new Map(shown.map((/** @type {any} */ row) => [row.call_id, row]));
        kept = kept.map((row) => now.get(row.call_id) ?? row);
      } else kept = shown;
      say(still, isHeld ? 'held while you point at it' : '');
      all.update(kept);
      attribute(all.node, 'hidden', shown.length === 0);
      empty(nothing, store, rows.length > 0, shown.length > 0, ['No calls so far. Each call of an experiment is one:', 'await answer("hello")']);
    },
  };
}

const MOST = 60;
const DEEPEST = 12;

/** Read a call and those inside it. @param {string} id @returns {Promise<any>} */
async function read(id, depth = 0, budget = { left: MOST }) {
  const call = await ask(`api/call/${encodeURIComponent(id)}`);
  if (!call) return null;
  call.nested = [];
  if (depth < DEEPEST) {
    for (const inner of call.inner) {
      if (budget.left <= 0) break;
      budget.left -= 1;
      const found = await read(inner, depth + 1, budget);
      if (found) call.nested.push(found);
    }
  }
  return call;
}

export function call() {
  const name = h('h1', { class: 'id' });
  const facts = h('p', { class: 'note' });
  const bound = h('dl', { class: 'facts' });
  const raw = h('a', { class: 'quiet', target: '_blank' }, 'JSON');
  const parent = h('a', { class: 'quiet', hidden: true }, '↑ the call around it');
  const rows = h('ol', { class: 'waterfall' });
  rows.addEventListener('keydown', walk);
  const axis = h('div', { class: 'axis', 'aria-hidden': 'true' });
  const found = h('div', {}, facts, bound, axis, rows);
  const missing = h('div', { class: 'empty', hidden: true });
  const node = h('div', {},
    h('div', { class: 'title' }, h('a', { href: address('calls'), class: 'quiet' }, '‹ calls'), name, parent, raw),
    found, missing);
  let id = '';
  let asked = 0;
  let isRunning = true;
  let isAsking = false;

  /** @param {string} wanted @param {any} store */
  async function refresh(wanted, store) {
    isAsking = true;
    asked = Date.now();
    const told = await read(wanted);
    isAsking = false;
    if (id !== wanted) return;
    attribute(found, 'hidden', told === null);
    attribute(missing, 'hidden', told !== null);
    if (told === null) {
      advise(missing, wanted, Boolean(store.overview.events));
      return;
    }
    attribute(parent, 'hidden', told.parent === null);
    if (told.parent !== null) attribute(parent, 'href', address('call', told.parent));
    say(facts, [told.experiment, time(told.ts), told.reason ? `chosen by ${chosen(told.reason)}` : null].filter(Boolean).join(' · '));
    const asking = told.branches.find((/** @type {any} */ each) => each.arguments);
    drawFacts(bound, [
      ...Object.entries(told.context), ...(told.trace_id ? [['trace_id', told.trace_id]] : []),
      ...(asking ? [['arguments', asking.arguments]] : []),
    ]);
    attribute(bound, 'hidden', !bound.childElementCount);
    const branches = unroll(told, 0, []);
    isRunning = branches.some((each) => each.branch.status === 'running');
    drawWaterfall(rows, axis, branches);
  }

  return {
    node,
    title: (/** @type {any} */ route) => route.name,
    /** @param {any} store @param {import('./route.js').Route} route */
    update(store, route) {
      if (route.name !== id) {
        id = route.name;
        say(name, id);
        attribute(raw, 'href', `api/call/${encodeURIComponent(id)}`);
        rows.kept = undefined;
        rows.replaceChildren();
        isRunning = true;
        asked = 0;
      }
      if (!isAsking && isRunning && Date.now() - asked > 700) refresh(id, store);
    },
  };
}

/** Say where a call is that is not kept: in the log. @param {Element} node @param {string} id @param {boolean} isAny */
function advise(node, id, isAny) {
  if (!isAny) {
    say(node, 'No events yet.');
    return;
  }
  const files = document.querySelector('meta[name="understudy-files"]')?.getAttribute('content') ?? '';
  const quoted = /^[\w.:/-]+$/.test(id) ? id : `'${id.replaceAll("'", "'\\''")}'`;
  node.replaceChildren(
    h('p', {}, `The call “${id}” is not kept (any more): the last 1,000 are, and of those before them the last 200 that failed.`),
    ...(files ? [h('p', {}, 'If it is in the log, this shows it:')] : [h('p', {}, 'This page keeps no log. The runtime writes one, beside it, with'),
      h('pre', {}, 'runtime = Runtime(events="events.jsonl")'), h('p', {}, 'and from then on this shows any call of it:')]),
    h('pre', {}, `understudy tail ${files || 'events.jsonl'} --rotated --no-follow -n 1000 --call ${quoted}`));
}

const RANKS = /** @type {Record<string, number>} */ ({ primary: 0, branch: 1, shadow: 2 });
const rank = (/** @type {any} */ branch) => RANKS[branch.role] ?? 3;

/** Tell whose branch it is: by the whole case, where others of its call play the same config. @param {any} call @param {any} branch */
function who(call, branch) {
  const alike = call.branches.filter((/** @type {any} */ each) => each.config_id === branch.config_id && each.experiment === branch.experiment);
  if (alike.length > 1 && branch.inner_case) return `${branch.experiment ?? ''}[${branch.label ?? ''}] / ${branch.inner_case}`;
  return `${branch.experiment ?? ''} ${branch.label ?? ''}`;
}

/** All branches, those of nested calls after the branch that made them. */
function unroll(/** @type {any} */ call, /** @type {number} */ depth, /** @type {any[]} */ into) {
  const placed = new Set();
  for (const branch of [...call.branches].sort((a, b) => rank(a) - rank(b))) {
    into.push({ branch, depth, call });
    for (const inner of call.nested) {
      if (placed.has(inner) || !inner.branches.some((/** @type {any} */ each) => each.parent_branch_id === branch.branch_id)) continue;
      placed.add(inner);
      unroll(inner, depth + 1, into);
    }
  }
  return into;
}

/** @param {any} rows @param {Element} axis @param {any[]} branches */
function drawWaterfall(rows, axis, branches) {
  const begin = (/** @type {any} */ { branch, call }) => (branch.started === null ? call.ts : branch.started) - (branch.queue_ms ?? 0) / 1e3;
  const end = (/** @type {any} */ each) => begin(each) + ((each.branch.queue_ms ?? 0) + (each.branch.duration_ms ?? 0)) / 1e3;
  const first = Math.min(...branches.map(begin));
  const whole = Math.max(...branches.map(end), first + 1e-4) - first;
  const marks = [0, 0.25, 0.5, 0.75, 1].map((part) => ({ part, text: duration(part * whole * 1e3) }));
  list(axis, marks, (mark) => String(mark.part), (mark) => {
    const node = h('span');
    node.style.left = `${mark.part * 100}%`;
    node.update = (/** @type {any} */ now) => say(node, now.text);
    return node;
  });
  list(rows, branches, (each) => each.branch.branch_id, (each) => {
    const label = h('span', { class: 'label' });
    const role = h('small');
    const waited = h('span', { class: 'waited' });
    const ran = h('span', { class: 'ran' });
    const sign = h('span', { class: 'sign' });
    const note = h('p', { class: 'said' });
    const gave = h('p', { class: 'gave' });
    const button = h('button', { type: 'button', class: 'row', 'aria-expanded': 'false' },
      h('span', { class: 'who' }, label, role), h('span', { class: 'lane' }, waited, ran, sign));
    const detail = h('pre', { hidden: true });
    button.addEventListener('click', () => {
      const isOpen = button.getAttribute('aria-expanded') === 'true';
      attribute(button, 'aria-expanded', String(!isOpen));
      attribute(detail, 'hidden', isOpen);
    });
    const node = h('li', {}, button, gave, note, detail);
    node.update = (/** @type {any} */ now) => {
      const { branch, depth } = now;
      const from = ((begin(now) - first) / whole) * 100;
      const queue = ((branch.queue_ms ?? 0) / 1e3 / whole) * 100;
      const run = branch.status === 'running' ? 100 - from - queue : ((branch.duration_ms ?? 0) / 1e3 / whole) * 100;
      label.style.paddingLeft = `${depth * 1.1}rem`;
      say(label, `${depth ? '└ ' : ''}${who(now.call, branch)}`);
      attribute(label, 'title', label.textContent);
      say(role, branch.role ?? '');
      waited.style.left = `${from}%`;
      waited.style.width = `${queue}%`;
      ran.style.left = `${from + queue}%`;
      ran.style.width = `${Math.max(run, 0.3)}%`;
      const right = from + queue + run;
      attribute(sign, 'data-side', right > 62 ? 'inside' : null);
      sign.style.left = right > 62 ? 'auto' : `${right}%`;
      sign.style.right = right > 62 ? `${100 - right}%` : 'auto';
      const took = branch.status === 'shed' || branch.status === 'skipped' ? branch.reason : branch.status === 'running' ? '' : duration(branch.duration_ms);
      say(sign, `${status(branch.status)} ${took ?? ''}`);
      attribute(node, 'data-tone', tone(branch.status) || null);
      attribute(node, 'data-role', branch.role);
      attribute(node, 'data-status', branch.status);
      say(note, branch['error.type'] ? `${branch['error.type']}: ${branch['error.message'] ?? ''}` : '');
      attribute(note, 'hidden', !branch['error.type']);
      say(gave, branch.result ?? '');
      attribute(gave, 'hidden', !branch.result);
      say(detail, Object.entries(branch).filter(([, known]) => known !== null).map(([key, known]) => `${key}: ${key === 'started' ? moment(/** @type {number} */ (known)) : known}`).join('\n'));
    };
    return node;
  });
}
