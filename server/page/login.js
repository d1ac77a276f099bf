// The form for a token, if there is none, or if the server does not take it.

import { keepToken } from './api.js';
import { attribute, h, say } from './dom.js';

/** @param {() => void} done */
export function login(done) {
  const field = h('input', { type: 'password', id: 'token', autocomplete: 'off', spellcheck: 'false', required: true, 'aria-describedby': 'refused' });
  const refused = h('p', { id: 'refused', role: 'alert', 'data-tone': 'bad' });
  const node = h('section', { class: 'login' },
    h('h1', {}, 'Runs of your team'),
    h('p', { class: 'quiet' }, 'This server shows them to who has a token.'),
    h('form', {
      onsubmit: (/** @type {Event} */ event) => {
        event.preventDefault();
        keepToken(field.value);
        field.value = '';
        done();
      },
    }, h('label', { for: 'token' }, 'Token'), field, h('button', { class: 'main' }, 'go on')),
    refused,
    h('p', { class: 'quiet' }, 'Who runs the server makes one: ', h('code', {}, 'understudy server token add'), '. It is kept for this tab only.'));
  return {
    node,
    /** @param {string} reason */
    tell(reason) {
      say(refused, reason ? `✕ Refused: ${reason}` : '');
      attribute(refused, 'hidden', reason === '');
      field.focus();
    },
  };
}
