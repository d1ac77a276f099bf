// What is asked of the server.  The token is kept for this tab alone, and goes into a header only.

const BASE = 'api/v1/';
const KEY = 'understudy-token';
let token = '';

/** The server did not take the token, or there is none. */
export class Refused extends Error {}

/** The server did not answer. */
export class Away extends Error {}

/** The server said no. */
export class Failed extends Error {
  /** @param {number} status @param {any} body @param {number} wait seconds until it may be asked again */
  constructor(status, body, wait) {
    super(typeof body?.message === 'string' ? body.message : `the server answered ${status}`);
    this.status = status;
    this.code = body?.error ?? '';
    this.wait = wait;
  }
}

/** Take the token from the address, where `understudy server` puts it, or from before. */
export function findToken() {
  const [, given] = /^#token=([^&/?]+)/.exec(location.hash) ?? [];
  if (given) {
    history.replaceState(null, '', `${location.pathname}${location.search}#/`);
    keepToken(given); // no token has anything to decode, and a stray % is no reason to show nothing
  } else {
    try {
      token = sessionStorage.getItem(KEY) ?? '';
    } catch {
      // Storage may be forbidden: then it is asked for.
    }
  }
  return token !== '';
}

/** @param {string} given nothing forgets it */
export function keepToken(given) {
  token = given.trim();
  try {
    if (token === '') sessionStorage.removeItem(KEY);
    else sessionStorage.setItem(KEY, token);
  } catch {
    // Then it is kept for as long as the page is open.
  }
}

/** The part of a path that names something. @param {string} project @param {string} [run] @param {...string} rest */
export function path(project, run, ...rest) {
  const parts = run === undefined ? ['runs'] : ['runs', encodeURIComponent(run), ...rest.map(encodeURIComponent)];
  return `projects/${encodeURIComponent(project)}/${parts.join('/')}`;
}

/**
 * Ask the server.
 * @param {string} what a path below api/v1/
 * @param {Record<string, string>} [headers]
 * @returns {Promise<Response>} with a status of 2xx, or 304
 */
export async function ask(what, headers = {}) {
  // A token with other letters cannot be a header, and would be told as if the server were gone.
  if (!/^[!-~]+$/.test(token)) throw new Refused(token === '' ? '' : 'no token looks like this');
  const asking = fetch(BASE + what, { cache: 'no-store', headers: { authorization: `Bearer ${token}`, ...headers } });
  const response = await asking.catch((error) => {
    throw new Away(error.message);
  });
  if (response.ok || response.status === 304) return response;
  const body = await response.json().catch(() => null);
  if (response.status === 401) throw new Refused(body?.message ?? 'the server does not know this token');
  throw new Failed(response.status, body, Number(response.headers.get('retry-after') ?? 0));
}

/** Something of the server that is asked for again and again, and sent only if it is new. */
export class Source {
  what = '';
  tag = '';
  data = /** @type {any} */ (null);

  /** Return what it is now: the same object as before, if nothing is new. @param {string} what */
  async get(what) {
    const response = await ask(what, this.what === what && this.tag ? { 'if-none-match': this.tag } : {});
    if (response.status === 304) return this.data;
    const data = await response.json();
    Object.assign(this, { what, tag: response.headers.get('etag') ?? '', data });
    return data;
  }
}

/** Save a file of a run: through a header, so that no address has a token in it. @param {string} what @param {string} name */
export async function download(what, name) {
  const response = await ask(what);
  const link = document.createElement('a');
  link.href = URL.createObjectURL(await response.blob());
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60e3);
}
