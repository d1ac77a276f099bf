// The switch between dark, light, and what the system says; theme.js restores what was chosen.

import { say } from './dom.js';

const THEMES = ['system', 'dark', 'light'];

/**
 * Have a button turn the theme, and say which one it is.
 * @param {HTMLElement} button
 * @param {() => void} turned what is to be done after each turn
 */
export function switchThemes(button, turned) {
  const { dataset } = document.documentElement;
  const tell = () => say(button, `theme: ${dataset.theme ?? 'system'}`);
  button.addEventListener('click', () => {
    const next = THEMES[(THEMES.indexOf(dataset.theme ?? 'system') + 1) % THEMES.length];
    if (next === 'system') delete dataset.theme;
    else dataset.theme = next;
    try {
      if (next === 'system') localStorage.removeItem('understudy-theme');
      else localStorage.setItem('understudy-theme', next);
    } catch {
      // Then it is kept for as long as the page is open.
    }
    tell();
    turned();
  });
  tell();
}
