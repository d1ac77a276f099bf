// The stream from the server.  The browser comes back by itself when it is cut, and says what it
// has got; only if the server refused does it have to be asked to.

/**
 * @param {import('./store.js').Store} store
 * @param {(state: 'live' | 'waiting') => void} told
 * @param {() => void} changed
 */
export function connect(store, told, changed) {
  const source = new EventSource('api/stream');
  source.addEventListener('open', () => told('live'));
  source.addEventListener('snapshot', (event) => {
    store.snapshot(JSON.parse(event.data));
    changed();
  });
  source.addEventListener('patch', (event) => {
    store.patch(JSON.parse(event.data));
    changed();
  });
  source.addEventListener('error', () => {
    told('waiting');
    if (source.readyState === EventSource.CLOSED) setTimeout(() => connect(store, told, changed), 2000);
  });
}

/** Ask for one thing. @param {string} path @returns {Promise<any>} null if it is not there */
export async function ask(path) {
  try {
    const answer = await fetch(path, { headers: { accept: 'application/json' } });
    return answer.ok ? await answer.json() : null;
  } catch {
    return null;
  }
}
