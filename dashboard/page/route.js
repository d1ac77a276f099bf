// Where one is: kept in the address, so that it can be sent to somebody.
//   #/experiment/search%2Frank?q=…&sort=-calls

/** @typedef {{panel: string, name: string, options: URLSearchParams}} Route */

/** @returns {Route} */
export function current() {
  const [path, query] = split(location.hash.replace(/^#\/?/, ''), '?');
  const [panel, name] = split(path, '/');
  return { panel: panel || 'overview', name: decode(name), options: new URLSearchParams(query) };
}

/** The address of a panel. @param {string} panel @param {string} [name] */
export function address(panel, name, options = {}) {
  const query = new URLSearchParams(options).toString();
  const path = panel === 'overview' ? '' : panel;
  return `#/${path}${name === undefined ? '' : `/${encodeURIComponent(name)}`}${query ? `?${query}` : ''}`;
}

/** Change options of where one is, without a step for "back"; null removes one. @param {Record<string, string | null>} changes */
export function change(changes) {
  const { panel, name, options } = current();
  for (const [key, value] of Object.entries(changes)) {
    if (value === null || value === '') options.delete(key);
    else options.set(key, value);
  }
  const target = address(panel, name === '' ? undefined : name, Object.fromEntries(options));
  history.replaceState(null, '', target);
  window.dispatchEvent(new HashChangeEvent('hashchange'));
}

/** @param {string} text @param {string} by @returns {[string, string]} */
function split(text, by) {
  const index = text.indexOf(by);
  return index < 0 ? [text, ''] : [text.slice(0, index), text.slice(index + 1)];
}

/** @param {string} text */
function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/**
 * What a filter lets through: every word must be in the text, and `key:value` in that field.
 * @param {string} query
 * @returns {(fields: Record<string, any>) => boolean}
 */
export function matcher(query) {
  const words = query.toLowerCase().split(/\s+/).filter((word) => word !== '');
  return (fields) => {
    let text = /** @type {string | null} */ (null);
    return words.every((word) => {
      const [key, wanted] = split(word, ':');
      if (wanted !== '' && key in fields) return String(fields[key]).toLowerCase().includes(wanted);
      text ??= Object.values(fields).join('\n').toLowerCase();
      return text.includes(word);
    });
  };
}
