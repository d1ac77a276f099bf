// Orders, if the page was started with a token: who gives one must have it.

import { attribute, h, list, say } from './dom.js';

const IS_OPEN = document.querySelector('meta[name=understudy-control]')?.getAttribute('content') === 'token';
/** Kept for as long as the page is open, and nowhere else. */
let token = '';

/** What can be ordered of one experiment; nothing at all without a token. */
export function orders() {
  const said = h('span', { class: 'said', role: 'status' });
  const toggle = h('button', { type: 'button' });
  const unpin = h('button', { type: 'button', title: 'Have its strategy choose again', hidden: true }, 'unpin');
  const node = h('div', { class: 'orders', hidden: !IS_OPEN }, toggle, unpin, said);
  let now = /** @type {any} */ (null);
  toggle.addEventListener('click', () => order(now.is_disabled ? 'enable' : 'disable', now.name, null, said));
  unpin.addEventListener('click', () => order('unpin', now.name, null, said));
  return {
    node,
    /** @param {any} row */
    update(row) {
      now = row;
      if (IS_OPEN) say(toggle, row.is_disabled ? 'enable' : 'disable');
      attribute(unpin, 'hidden', !row.pinned);
    },
    /** @param {any} parent @param {any} row @param {any} each */
    onCase(parent, row, each) {
      if (!IS_OPEN) return;
      attribute(parent, 'hidden', row.pinned === (each.label ?? each.config_id));
      list(parent, [each], (one) => one.config_id, (one) => h('button', {
        type: 'button', title: 'Have every call answered by this config',
        onclick: () => order('pin', row.name, one.config_id, said, one.label ?? one.config_id),
      }, 'pin'));
    },
  };
}

/**
 * @param {string} action @param {string} experiment @param {string | null} config @param {Element} said
 * @param {string} [label] what the config is called
 */
async function order(action, experiment, config, said, label = '') {
  if (!token) token = await askForToken(config === null ? `${action} ${experiment}` : `${action} ${label} of ${experiment}`);
  if (!token) return;
  say(said, '…');
  try {
    const answer = await fetch('api/control', {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify(config === null ? { action, experiment } : { action, experiment, config }),
    });
    if (answer.status === 401) token = '';
    const { message } = await answer.json();
    say(said, `${action}: ${message}`);
    attribute(said, 'data-tone', answer.ok ? null : 'bad');
  } catch {
    say(said, `${action}: the server did not answer`);
    attribute(said, 'data-tone', 'bad');
  }
}

/** @param {string} what @returns {Promise<string>} */
function askForToken(what) {
  const field = h('input', { type: 'password', autocomplete: 'off', 'aria-label': 'Token', required: true });
  const dialog = h('dialog', {}, h('form', {
    onsubmit: (/** @type {Event} */ event) => { // not on a key: the button behind would be pressed by it
      event.preventDefault();
      dialog.close(field.value);
    },
  },
  h('h2', {}, what), h('p', {}, 'The token that the page was started with:'), field,
  h('div', { class: 'bar' },
    h('button', { type: 'button', onclick: () => dialog.close('') }, 'cancel'),
    h('button', { class: 'main' }, 'go on'))));
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(dialog.returnValue);
    });
  });
}
