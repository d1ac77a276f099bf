// The filter: an expression that the server reads, as `runs.find` does; it says what is wrong with one.

import { attribute, h, list, say } from './dom.js';
import { isCounter, ofMetric, ofParam } from './names.js';
import { change } from './route.js';

const PATIENCE = 350;

export function filtering() {
  const field = h('input', {
    id: 'filter', type: 'search', placeholder: 'metrics.train.loss < 0.1 and status == "COMPLETED"', 'aria-label': 'Filter the runs',
    autocomplete: 'off', autocapitalize: 'off', spellcheck: 'false', maxlength: 2000, 'aria-describedby': 'problem',
  });
  const problem = h('pre', { id: 'problem', role: 'alert', 'data-tone': 'bad', hidden: true });
  const examples = h('p', { class: 'examples' });
  const node = h('div', { class: 'filtering' }, h('label', { class: 'filter' }, field, h('kbd', { 'aria-hidden': 'true' }, '/')), problem, examples);
  let timer = 0;
  const take = () => {
    clearTimeout(timer);
    change({ filter: field.value.trim() });
  };
  field.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(take, PATIENCE);
  });
  field.addEventListener('keydown', (/** @type {KeyboardEvent} */ event) => {
    if (event.key === 'Enter') take();
    if (event.key === 'Escape') {
      field.value = '';
      take();
      field.blur();
    }
  });
  return {
    node,
    field,
    /** @param {string} text */
    show(text) {
      if (document.activeElement !== field && field.value !== text) field.value = text;
    },
    /** @param {string} text what is wrong, with the place marked; nothing if it is right */
    complain(text) {
      say(problem, text);
      attribute(problem, 'hidden', text === '');
      attribute(field, 'aria-invalid', text === '' ? null : 'true');
    },
    /** Offer some, made of what these runs have. @param {any[]} runs */
    offer(runs) {
      list(examples, examplesOf(runs), (text) => text, (text) => h('button', {
        type: 'button', class: 'example',
        onclick: () => {
          field.value = text;
          take();
        },
      }, text));
    },
  };
}

/** @param {any[]} runs @returns {string[]} */
function examplesOf(runs) {
  const found = ['status == "FAILED"', 'created > "-7d"'];
  for (const { metrics } of runs) {
    const [metric, fields] = Object.entries(metrics ?? {})[0] ?? [];
    const field = Object.keys(fields ?? {}).find((name) => name !== 'step' && typeof fields[name].last === 'number' && !isCounter(fields[name]));
    if (metric !== undefined && field !== undefined) {
      found.push(`${ofMetric(metric, field)} < ${Number(fields[field].last.toPrecision(2))}`);
      break;
    }
  }
  const tag = runs.find((run) => run.tags?.length)?.tags[0];
  if (tag !== undefined) found.push(`${JSON.stringify(tag)} in tags`);
  const params = runs.find((run) => Object.values(run.params ?? {}).some((value) => typeof value === 'number'))?.params ?? {};
  const name = Object.keys(params).find((key) => typeof params[key] === 'number');
  if (name !== undefined) found.push(`${ofParam(name)} >= ${params[name]}`);
  const prefix = runs[0]?.prefix?.match(/^[A-Za-z0-9_]+/)?.[0];
  if (prefix) found.push(`matches(prefix, "${prefix}*")`);
  return found;
}
