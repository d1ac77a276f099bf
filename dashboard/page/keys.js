// The keys: a panel by its number or by g and its letter, / for the filter, p to hold the page still.

import { h } from './dom.js';
import { address } from './route.js';

/** @type {{panel: string, label: string, letter: string}[]} */
export const PANELS = [
  { panel: 'overview', label: 'experiments', letter: 'e' },
  { panel: 'calls', label: 'calls', letter: 'c' },
  { panel: 'actors', label: 'actors', letter: 'a' },
  { panel: 'tail', label: 'tail', letter: 't' },
  { panel: 'runs', label: 'runs', letter: 'r' },
];
const HELP = [
  ...PANELS.map(({ label, letter }, index) => [`${index + 1}`, `g ${letter}`, `show ${label}`]),
  ['/', '', 'filter what the panel shows; Escape clears it'],
  ['p', '', 'hold the page still, and let it go on'],
  ['↑', '↓', 'from row to row, once one has the focus'],
  ['Escape', '', 'back to the experiments'],
  ['?', '', 'these keys'],
];

/** @param {{filter: HTMLInputElement, pause: () => void}} page */
export function listen({ filter, pause }) {
  let isGoing = false;
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const target = /** @type {HTMLElement} */ (event.target);
    if (target.matches('input, select, textarea') || document.querySelector('dialog[open]')) {
      if (event.key === 'Escape' && target === filter) {
        filter.value = '';
        filter.dispatchEvent(new Event('input'));
        filter.blur();
      }
      return;
    }
    const went = isGoing;
    isGoing = false;
    const place = PANELS.find(({ letter }, index) => (went ? event.key === letter : event.key === `${index + 1}`));
    if (place) location.hash = address(place.panel);
    else if (event.key === 'g') isGoing = true;
    else if (event.key === '/') filter.focus();
    else if (event.key === 'p') pause();
    else if (event.key === '?') help();
    else if (event.key === 'Escape') location.hash = address('overview');
    else return;
    event.preventDefault();
  });
}

/** Say which keys there are. */
export function help() {
  if (document.querySelector('dialog[open]')) return;
  const rows = HELP.map(([key, other, text]) => h('tr', {},
    h('td', {}, h('kbd', {}, key), other ? ' ' : null, other ? h('kbd', {}, other) : null), h('td', {}, text)));
  const dialog = h('dialog', { 'aria-label': 'Keys' }, h('h2', {}, 'keys'), h('table', {}, h('tbody', {}, ...rows)),
    h('p', {}, 'A filter is words that must all be there; ', h('code', {}, 'status:error'), ' looks in one field.'),
    h('button', { type: 'button', onclick: () => dialog.close() }, 'close'));
  dialog.addEventListener('close', () => dialog.remove());
  dialog.addEventListener('click', (/** @type {Event} */ event) => { if (event.target === dialog) dialog.close(); });
  document.body.append(dialog);
  dialog.showModal();
}
