// The stream from the server.  The browser comes back by itself when it is cut, and says what it
// has got; only if the server refused does it have to be asked to.
//
// A browser has six connections to a server and no more, for all its tabs together: a page that
// is left, or that nobody has looked at for a while, lets go of its own.

const UNSEEN = 30e3;
const AGAIN = 2e3;

/**
 * @param {import('./store.js').Store} store
 * @param {(state: 'live' | 'waiting') => void} told
 * @param {() => void} changed
 */
export function connect(store, told, changed) {
  let source = /** @type {EventSource | null} */ (null);
  let timer = 0;

  function open() {
    clearTimeout(timer);
    if (source && source.readyState !== EventSource.CLOSED) return;
    source = new EventSource('api/stream');
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
      if (source?.readyState === EventSource.CLOSED) timer = setTimeout(open, AGAIN);
    });
  }

  function close() {
    clearTimeout(timer);
    source?.close();
    told('waiting');
  }

  window.addEventListener('pagehide', close);
  window.addEventListener('pageshow', open);
  document.addEventListener('visibilitychange', () => {
    clearTimeout(timer);
    if (document.visibilityState === 'hidden') timer = setTimeout(close, UNSEEN);
    else open();
  });
  open();
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
