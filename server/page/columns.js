// Which columns the list has: a dialog over all that the runs have, and a choice to begin with.

import { h, list } from './dom.js';
import { OWN, columnOf, isCounter, ofMetric, ofParam } from './names.js';
import { change } from './route.js';

const FIRST = ['tags', 'created', 'duration'];
/** So many parameters, and so many metrics, are shown to who has chosen nothing. */
const SOME = 3;
const WAYS = ['', 'min', 'max'];

/** Parameters that are not the same everywhere, and metrics, of some runs. @param {any[]} runs */
export function usualColumns(runs) {
  const { params, metrics } = namesIn(runs);
  const differing = params.filter((name) => new Set(runs.map((run) => JSON.stringify(run.params?.[name]))).size > 1);
  return [...FIRST, ...differing.slice(0, SOME).map(ofParam), ...metrics.slice(0, SOME).map(([metric, field]) => ofMetric(metric, field))];
}

/** The parameters, and the fields of metrics, that any of these has. @param {any[]} runs */
function namesIn(runs) {
  const params = new Set();
  /** @type {Map<string, [string, string, boolean]>} */
  const metrics = new Map();
  for (const run of runs) {
    for (const name of Object.keys(run.params ?? {})) params.add(name);
    for (const [metric, fields] of Object.entries(run.metrics ?? {})) {
      for (const [field, summary] of Object.entries(/** @type {any} */ (fields))) {
        if (field !== 'step') metrics.set(ofMetric(metric, field), [metric, field, isCounter(summary)]);
      }
    }
  }
  const all = [...metrics.values()];
  return { params: [...params], metrics: [...all.filter(([, , counts]) => !counts), ...all.filter(([, , counts]) => counts)] };
}

/** Let one choose; each tick shows at once behind the dialog. @param {any[]} runs @param {string[]} chosen */
export function chooseColumns(runs, chosen) {
  if (document.querySelector('dialog[open]')) return;
  const keys = [...chosen];
  const { params, metrics } = namesIn(runs);
  const groups = /** @type {[string, [string, string][][]][]} */ ([
    ['run', Object.values(OWN).map(({ key, label }) => [[key, label]])],
    ['parameters', params.map((name) => [[ofParam(name), name]])],
    ['metrics: last, least, greatest', metrics.map(([metric, field]) => WAYS.map((way) => [ofMetric(metric, field, way), way || columnOf(ofMetric(metric, field))?.label || '']))],
  ]);
  const search = h('input', { type: 'search', placeholder: 'find a column', 'aria-label': 'Find a column', oninput: () => draw() });
  const body = h('div', { class: 'choices' });
  const dialog = h('dialog', { class: 'columns', 'aria-label': 'Columns' }, h('h2', {}, 'columns'), search, body,
    h('div', { class: 'bar' }, h('button', { type: 'button', onclick: () => { change({ column: null }); dialog.close(); } }, 'as usual'),
      h('button', { type: 'button', class: 'main', onclick: () => dialog.close() }, 'done')));

  function draw() {
    const wanted = search.value.toLowerCase();
    list(body, groups, ([title]) => title, ([title]) => {
      const lines = h('ul');
      const group = h('fieldset', {}, h('legend', {}, title), lines);
      group.update = (/** @type {[string, [string, string][][]]} */ [, rows]) => {
        const fitting = rows.filter((row) => row.some(([key]) => key.toLowerCase().includes(wanted)));
        list(lines, fitting.slice(0, 300), (row) => row[0][0], (row) => h('li', {}, ...row.map(([key, label]) => box(key, label))));
      };
      return group;
    });
    for (const group of body.children) group.update(groups.find(([title]) => title === group.querySelector('legend').textContent));
  }

  /** @param {string} key @param {string} label */
  function box(key, label) {
    const input = h('input', { type: 'checkbox', checked: keys.includes(key), 'data-key': key });
    input.addEventListener('change', () => {
      if (input.checked) keys.push(key);
      else keys.splice(keys.indexOf(key), 1);
      // None at all is a choice, too, and not the usual one.
      change({ column: keys.length ? keys : ['none'] });
    });
    return h('label', {}, input, ` ${label}`);
  }

  draw();
  dialog.addEventListener('close', () => dialog.remove());
  dialog.addEventListener('click', (/** @type {Event} */ event) => { if (event.target === dialog) dialog.close(); });
  document.body.append(dialog);
  dialog.showModal();
}
