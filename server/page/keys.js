// The keys.

import { h } from './dom.js';

const HELP = [
  ['/', '', 'filter, or find'],
  ['↑', '↓', 'from row to row; also j and k, once a row has the focus'],
  ['Space', '', 'tick the run of the row, to compare it'],
  ['Enter', '', 'open it'],
  ['c', '', 'compare the runs that are ticked'],
  ['1', '5', 'curves, log, parameters, files, environment of a run'],
  ['Escape', '', 'back: from a run to the runs, from them to the projects'],
  ['?', '', 'these keys'],
];

/**
 * @param {{up: () => string | null, view: () => any}} page
 */
export function listen({ up, view }) {
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]')) return;
    const target = /** @type {HTMLElement} */ (event.target);
    if (target.matches('input:not([type=checkbox], [type=range]), select, textarea')) {
      if (event.key === 'Escape') target.blur();
      return;
    }
    const now = view();
    const tab = now?.tabs?.[Number(event.key) - 1];
    const rows = /** @type {Record<string, number>} */ ({ j: 1, k: -1, ArrowDown: 1, ArrowUp: -1 });
    if (event.key === '?') help();
    else if (event.key === '/') /** @type {HTMLElement | null} */ (now?.node.querySelector('input[type=search]:not([hidden])'))?.focus();
    else if (event.key === 'c' && now?.compare) now.compare();
    else if (tab) now.node.querySelector(`[data-tab="${tab}"]`).click();
    else if (event.key === 'Escape') {
      const place = up();
      if (place !== null) location.hash = place;
    } else if (event.key in rows && now?.go && !event.defaultPrevented) {
      const at = /** @type {any} */ (target.closest('tr'))?.place;
      if (at === undefined && event.key.startsWith('Arrow') && target !== document.body && !target.matches('main')) return;
      now.go(at === undefined ? 0 : at + rows[event.key]);
    } else return;
    event.preventDefault();
  });
}

/** Say which keys there are. */
export function help() {
  if (document.querySelector('dialog[open]')) return;
  const rows = HELP.map(([key, other, text]) => h('tr', {},
    h('td', {}, h('kbd', {}, key), other ? ' ' : null, other ? h('kbd', {}, other) : null), h('td', {}, text)));
  const dialog = h('dialog', { 'aria-label': 'Keys' }, h('h2', {}, 'keys'), h('table', {}, h('tbody', {}, ...rows)),
    h('p', {}, 'In a chart: drag to look closer, click twice for the whole.'),
    h('button', { type: 'button', onclick: () => dialog.close() }, 'close'));
  dialog.addEventListener('close', () => dialog.remove());
  dialog.addEventListener('click', (/** @type {Event} */ event) => { if (event.target === dialog) dialog.close(); });
  document.body.append(dialog);
  dialog.showModal();
}
