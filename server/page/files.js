// The files of a run: what they are called, how large they are; each can be saved.

import { Source, download, path } from './api.js';
import { attribute, h, list, say } from './dom.js';
import { nothing } from './empty.js';
import { count, time } from './format.js';
import { size } from './names.js';
import { change } from './route.js';
import { walk } from './walking.js';

const MOST = 500;

export function files() {
  const search = h('input', { type: 'search', placeholder: 'find a file', 'aria-label': 'Find a file', oninput: () => change({ file: search.value }) });
  const told = h('span', { class: 'note', role: 'status' });
  const bar = h('div', { class: 'bar' }, search, told);
  const body = h('tbody');
  const table = h('div', { class: 'scroll' }, h('table', { class: 'files' }, h('caption', { class: 'hidden' }, 'Files'),
    h('thead', {}, h('tr', {}, ...['prefix', 'name', 'size', 'saved', 'sha256'].map((name) => h('th', { scope: 'col', class: name === 'size' ? 'number' : null }, name)))), body));
  const none = h('div', { hidden: true }, nothing('No files. A run keeps one by', 'run.files("models").save("model.pth")'));
  const source = new Source();
  let known = /** @type {any[] | null} */ (null);
  let route = /** @type {any} */ (null);
  body.addEventListener('keydown', walk);

  function draw() {
    if (!known) return;
    const text = route.options.get('file') ?? '';
    if (document.activeElement !== search && search.value !== text) search.value = text;
    const fitting = known.filter(({ prefix, name }) => `${prefix}/${name}`.toLowerCase().includes(text.toLowerCase()));
    fitting.sort((a, b) => `${a.prefix}/${a.name}`.localeCompare(`${b.prefix}/${b.name}`, 'en', { numeric: true }) || a.ts - b.ts);
    list(body, fitting.slice(0, MOST), ({ id }) => id, row);
    attribute(table, 'hidden', fitting.length === 0);
    attribute(none, 'hidden', known.length > 0);
    attribute(bar, 'hidden', known.length === 0);
    tell(`${count(fitting.length)} files, ${size(fitting.reduce((sum, each) => sum + each.size, 0))}${fitting.length > MOST ? `; the first ${MOST} are shown` : ''}`);
  }

  /** @param {string} text */
  const tell = (text) => say(told, text);

  /** @param {any} file */
  function row(file) {
    const save = h('button', { type: 'button', class: 'row textual', title: `Save ${file.name}` }, file.name);
    save.addEventListener('click', async () => {
      tell(`${file.name} …`);
      try {
        await download(path(route.project, route.id, 'files', file.id), file.name);
        tell(`${file.name} is saved`);
      } catch (error) {
        tell(`✕ ${file.name}: ${/** @type {Error} */ (error).message}`);
      }
    });
    return h('tr', {}, h('td', {}, file.prefix), h('td', {}, save), h('td', { class: 'number', title: `${count(file.size)} bytes` }, size(file.size)),
      h('td', {}, time(file.ts)), h('td', { class: 'id', title: file.sha256 }, (file.sha256 ?? '').slice(0, 12)));
  }

  return {
    node: h('section', { 'aria-label': 'Files' }, bar, table, none),
    /** @param {import('./route.js').Route} now */
    show(now) {
      route = now;
      draw();
    },
    async refresh() {
      const before = known;
      const data = await source.get(path(route.project, route.id, 'files'));
      known = Array.isArray(data) ? data : data.files;
      if (known !== before) draw();
    },
  };
}
