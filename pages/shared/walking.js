// From row to row by the arrow keys.

/** @param {KeyboardEvent} event */
export function walk(event) {
  if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
  const links = [.../** @type {Element} */ (event.currentTarget).querySelectorAll('a.row, button.row')];
  const step = event.key === 'ArrowDown' ? 1 : -1;
  const target = links[links.indexOf(/** @type {Element} */ (document.activeElement)) + step];
  if (target instanceof HTMLElement) {
    target.focus();
    event.preventDefault();
  }
}
