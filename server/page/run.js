// One run: how it is, what it measured, what it said, and what it left.

import { Source, ask, download, path } from './api.js';
import { curves } from './curves.js';
import { attribute, h, list, say } from './dom.js';
import { nothing } from './empty.js';
import { flat, time } from './format.js';
import { files } from './files.js';
import { log } from './log.js';
import { lasted, span, statusText, statusTone } from './names.js';
import { address, change, current } from './route.js';
import { values } from './values.js';

export const TABS = ['curves', 'log', 'parameters', 'files', 'environment'];

export function run() {
  const back = h('a', { class: 'up' }, '‹ runs');
  const name = h('h1');
  const status = h('b', { class: 'status', id: 'status' });
  const tags = h('span', { class: 'tags' });
  const facts = h('dl', { class: 'facts' });
  const said = h('p', { class: 'description' });
  const attempts = h('ol', { class: 'attempts', 'aria-label': 'Attempts' });
  const tabs = h('div', { class: 'tabs', role: 'tablist' }, ...TABS.map((tab, index) => h('button', {
    type: 'button', role: 'tab', 'data-tab': tab, title: `${tab} (${index + 1})`, onclick: () => change({ tab: tab === TABS[0] ? null : tab }),
  }, tab)));
  const body = h('div', { role: 'tabpanel' });
  const node = h('section', { class: 'one' }, h('div', { class: 'title' }, back, name, status, tags), said, facts, attempts, tabs, body);
  tabs.addEventListener('keydown', (/** @type {KeyboardEvent} */ event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const target = tabs.children[(TABS.indexOf(tabOf()) + step + TABS.length) % TABS.length];
    target.click();
    target.focus();
  });

  let route = current();
  const parts = { curves: curves({ project: () => route.project }), log: log(), parameters: parameters(), files: files(), environment: environment() };
  let source = new Source();
  let data = /** @type {any} */ (null);
  /** Whether tracebacks are shown: other tabs have room for their own. */
  let isOpen = true;

  /** @returns {keyof typeof parts} */
  function tabOf() {
    const tab = route.options.get('tab') ?? '';
    return /** @type {any} */ (TABS.includes(tab) ? tab : TABS[0]);
  }

  function draw() {
    attribute(node, 'aria-busy', data === null);
    if (!data) return;
    const { info } = data;
    say(name, info.prefix);
    say(status, statusText(info.status));
    attribute(status, 'data-tone', statusTone(info.status));
    list(tags, info.tags ?? [], (tag) => tag, (tag) => h('a', { class: 'tag', href: address('runs', route.project, '', { filter: `${JSON.stringify(tag)} in tags` }) }, tag));
    say(said, [info.description, data.run?.readme].filter(Boolean).join('\n\n'));
    attribute(said, 'hidden', !said.textContent);
    const known = [['started', time(info.started ?? info.created)], ['ended', info.ended ? time(info.ended) : null], ['took', span(lasted(info))],
      ['attempts', info.attempts > 1 ? String(info.attempts) : null], ['folder', info.folder], ['bindrs', Array.isArray(info.bindrs) ? info.bindrs.join(', ') : info.bindrs],
      ['commit', info.git_commit?.slice(0, 10)], ['id', info.id], ['last heard of', info.status === 'LOST' ? time(info.seen ?? data.seen) : null]].filter(([, text]) => text);
    list(facts, known, ([key]) => /** @type {string} */ (key), ([key]) => h('div', {}, h('dt', {}, key), h('dd')));
    for (const [index, each] of [...facts.children].entries()) say(each.lastChild, String(known[index][1]));
    const told = (data.attempts ?? []).filter((/** @type {any} */ each) => data.attempts.length > 1 || each.error);
    const isFirst = tabOf() === TABS[0];
    if (isFirst !== isOpen) for (const details of attempts.querySelectorAll('details')) details.open = isFirst;
    isOpen = isFirst;
    list(attempts, told, (each) => `${each.n}`, (each) => attempt(each, isFirst));
    for (const [index, each] of [...attempts.children].entries()) /** @type {any} */ (each).update(told[index]);
    for (const button of tabs.children) {
      attribute(button, 'aria-selected', String(button.dataset.tab === tabOf()));
      attribute(button, 'tabindex', button.dataset.tab === tabOf() ? 0 : -1);
    }
    const part = parts[tabOf()];
    if (body.firstChild !== part.node) body.replaceChildren(part.node);
    if (part === parts.curves) parts.curves.show([{ id: info.id, name: info.prefix, colour: 0, info }]);
    else /** @type {any} */ (part).show(route, data);
  }

  return {
    node,
    tabs: TABS,
    title: () => data?.info?.prefix ?? 'run',
    /** @param {import('./route.js').Route} now */
    show(now) {
      if (now.id !== route.id || now.project !== route.project) {
        data = null;
        source = new Source();
        for (const part of [name, status, said]) say(part, '');
        for (const part of [facts, attempts, tags]) list(part, [], String, () => h('i'));
        body.replaceChildren();
        parts.log = log();
        parts.files = files();
        parts.curves.show([]);
      }
      route = now;
      attribute(back, 'href', address('runs', now.project));
      draw();
    },
    async refresh() {
      const asked = source;
      const found = await source.get(path(route.project, route.id));
      if (asked !== source) return;
      data = found;
      draw();
      const part = parts[tabOf()];
      if (part === parts.curves) await parts.curves.load();
      else await /** @type {any} */ (part).refresh?.(route, data);
    },
    follows: () => data?.info?.status === 'RUNNING',
  };
}

/** One attempt, with what ended it. @param {any} first @param {boolean} isOpen */
function attempt(first, isOpen) {
  const status = h('b');
  const about = h('span', { class: 'quiet' });
  const trace = h('pre', { tabindex: 0 });
  const error = h('summary');
  const failure = h('details', { open: isOpen, hidden: true }, error, trace);
  const item = h('li', {}, h('span', {}, `attempt ${first.n} `), status, ' ', about, failure);
  item.update = (/** @type {any} */ now) => {
    say(status, statusText(now.status));
    attribute(status, 'data-tone', statusTone(now.status));
    say(about, [`started ${time(now.started)}`, now.ended ? `took ${span(now.ended - now.started)}` : null, now.process?.host, now.process?.pid ? `process ${now.process.pid}` : null].filter(Boolean).join(' · '));
    attribute(failure, 'hidden', !now.error);
    if (!now.error) return;
    say(error, `✕ ${now.error.type}: ${now.error.message}`);
    say(trace, now.error.traceback || 'It came without a traceback.');
  };
  item.update(first);
  return item;
}

function parameters() {
  const table = values('Parameters', { isOne: true });
  const search = h('input', { type: 'search', placeholder: 'find a parameter', 'aria-label': 'Find a parameter', oninput: () => change({ value: search.value }) });
  const bar = h('div', { class: 'bar' }, search);
  const none = h('div', { hidden: true }, nothing('No parameters. A run sets them by', 'run.params.set(lr=0.1, model={"size": 256})'));
  return {
    node: h('section', { 'aria-label': 'Parameters' }, bar, table.node, none),
    /** @param {import('./route.js').Route} route @param {any} data */
    show(route, { info }) {
      const text = route.options.get('value') ?? '';
      if (document.activeElement !== search && search.value !== text) search.value = text;
      const { all } = table.show([{ id: info.id, name: info.prefix, values: info.params ?? {} }], { text });
      attribute(none, 'hidden', all > 0);
      attribute(bar, 'hidden', all === 0);
    },
  };
}

/** Where it ran: the commit and what was changed since, the machine, the packages. */
function environment() {
  const [git, machine] = [values('Git', { isOne: true }), values('Environment', { isOne: true })];
  const button = h('button', { type: 'button' }, 'show what was changed since');
  const save = h('button', { type: 'button' }, 'download');
  const diff = h('pre', { class: 'diff', tabindex: 0, hidden: true });
  const told = h('span', { class: 'note', role: 'status' });
  const command = h('pre', { tabindex: 0 });
  const nowhere = h('p', { class: 'none' }, 'Nothing of what surrounded it was kept (capture=False).');
  const commanded = h('section', {}, h('h2', {}, 'command'), command);
  const gits = h('section', {}, h('h2', {}, 'git'), git.node, h('div', { class: 'bar' }, button, save, told), diff);
  const machines = h('section', {}, h('h2', {}, 'environment'), machine.node);
  let what = '';
  button.addEventListener('click', async () => {
    try {
      say(diff, await (await ask(what)).text() || 'Nothing.');
      attribute(diff, 'hidden', false);
      say(told, '');
    } catch (error) {
      say(told, `✕ ${/** @type {Error} */ (error).message}`);
    }
  });
  save.addEventListener('click', () => download(what, 'diff.patch').catch((error) => say(told, `✕ ${error.message}`)));
  return {
    node: h('div', {}, nowhere, commanded, gits, machines),
    /** @param {import('./route.js').Route} route @param {any} data */
    show(route, data) {
      what = path(route.project, route.id, 'documents', 'diff.patch');
      const words = data.attempts?.at(-1)?.command ?? [];
      say(command, words.map((/** @type {string} */ word) => (/^[\w./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(' '));
      attribute(commanded, 'hidden', words.length === 0);
      const [ofGit, ofMachine] = [flat(data.git), flat(data.environment)];
      git.show([{ id: 'git', name: 'git', values: ofGit }]);
      machine.show([{ id: 'environment', name: 'environment', values: ofMachine }]);
      attribute(gits, 'hidden', Object.keys(ofGit).length === 0);
      attribute(machines, 'hidden', Object.keys(ofMachine).length === 0);
      attribute(nowhere, 'hidden', words.length + Object.keys(ofGit).length + Object.keys(ofMachine).length > 0);
    },
  };
}
