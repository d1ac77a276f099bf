// Where one is: kept in the address, so that it can be sent to somebody.
//   #/runs/vision?filter=…&sort=-created&column=params.lr&pick=ID
//   #/run/vision/ID?tab=log     #/compare/vision?run=ID&run=ID&x=time

/** @typedef {{panel: string, project: string, id: string, options: URLSearchParams}} Route */

/** @returns {Route} */
export function current() {
  const text = location.hash.replace(/^#\/?/, '');
  const cut = text.indexOf('?');
  const [panel, project, id] = (cut < 0 ? text : text.slice(0, cut)).split('/');
  const options = new URLSearchParams(cut < 0 ? '' : text.slice(cut + 1));
  return { panel: panel || 'projects', project: decode(project), id: decode(id), options };
}

/**
 * The address of a panel.
 * @param {string} panel @param {string} [project] @param {string} [id]
 * @param {URLSearchParams | Record<string, string | string[] | null>} [options]
 */
export function address(panel, project = '', id = '', options = {}) {
  const path = [panel, project, id].filter((part) => part !== '').map(encodeURIComponent).join('/');
  const query = (options instanceof URLSearchParams ? options : changed(new URLSearchParams(), options)).toString();
  return `#/${path}${query ? `?${query}` : ''}`;
}

/** Change options of where one is, without a step for "back". @param {Record<string, string | string[] | null>} changes */
export function change(changes) {
  const { panel, project, id, options } = current();
  history.replaceState(null, '', address(panel, project, id, changed(options, changes)));
  window.dispatchEvent(new HashChangeEvent('hashchange'));
}

/** Options with some of them changed: null or nothing removes one, a list is all that it has. */
function changed(/** @type {URLSearchParams} */ options, /** @type {Record<string, string | string[] | null>} */ changes) {
  for (const [key, value] of Object.entries(changes)) {
    options.delete(key);
    for (const each of Array.isArray(value) ? value : [value]) if (each !== null && each !== '') options.append(key, each);
  }
  return options;
}

/** @param {string | undefined} text */
function decode(text) {
  try {
    return decodeURIComponent(text ?? '');
  } catch {
    return text ?? '';
  }
}
