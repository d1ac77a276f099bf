// What is said where there is nothing yet: what to run, with the address of this server.

import { h, say } from './dom.js';

/** Where this server is, as a program is told it. */
export const here = () => new URL('.', location.href).href.replace(/[#?].*$/, '').replace(/\/$/, '');

/** @param {string} text text of a program, or of a shell */
export function snippet(text) {
  const copy = h('button', { type: 'button', title: 'Copy it' }, 'copy');
  copy.addEventListener('click', async () => {
    await navigator.clipboard?.writeText(text).then(() => say(copy, 'copied'), () => say(copy, 'select it, and press Ctrl-C'));
  });
  return h('div', { class: 'snippet' }, h('pre', { tabindex: 0 }, text), copy);
}

/** A project without runs. @param {string} project @param {{scope?: string}} who */
export function noRuns(project, who) {
  return h('div', { class: 'empty' },
    h('h2', {}, `No runs in ${project} yet`),
    h('p', {}, 'Record one. Its files are written on your machine first, and sent here meanwhile:'),
    snippet(`from understudy.runs import Run

with Run(prefix="my-experiment", project=${JSON.stringify(project)}, remote="${here()}") as run:
    run.params.set(lr=0.1)
    for step in range(100):
        run.metrics("train").log(step=step, loss=1 / (1 + step))`),
    h('p', {}, 'The token is taken from the environment:'),
    snippet('export UNDERSTUDY_TOKEN=us_…'),
    who.scope === 'read' ? h('p', { 'data-tone': 'warn' }, '▲ The token that you came with may only read: recording needs one that may write.') : null,
    h('p', {}, 'Runs that are on your disk already are sent by'),
    snippet(`understudy sync --remote ${here()}`));
}

/** Something that a run has not. @param {string} what @param {string} program */
export function nothing(what, program) {
  return h('div', { class: 'empty' }, h('p', {}, what), snippet(program));
}
