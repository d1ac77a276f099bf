// The page: shows what the address names, and asks the server again and again what is new of it.

import { Away, Failed, Refused, ask, findToken, keepToken } from './api.js';
import { compare } from './compare.js';
import { attribute, h, list, say } from './dom.js';
import { help, listen } from './keys.js';
import { runs } from './list.js';
import { login } from './login.js';
import { recolour } from './plot.js';
import { asking, projects } from './projects.js';
import { address, current } from './route.js';
import { run } from './run.js';
import { switchThemes } from './themes.js';

/** Between two turns; longer if the answers take long, so that the server is not kept busy by us. */
const PERIOD = 1000;
const PATIENCE = 4;
const LONGEST = 10e3;
const PROJECTS_EVERY = 15;

/** @typedef {{all: any[], who: any}} Shared what is known of the projects, and of who looks */
/** @type {Shared} */
const shared = { all: [], who: {} };
const at = (/** @type {string} */ id) => /** @type {any} */ (document.getElementById(id));
const [main, nav, link, service, leave] = ['panel', 'nav', 'link', 'service', 'leave'].map(at);
const MAKERS = /** @type {Record<string, () => any>} */ ({ projects: () => projects(shared), runs: () => runs(shared), run, compare });
const UP = /** @type {Record<string, string>} */ ({ run: 'runs', compare: 'runs', runs: 'projects' });
/** @type {Map<string, any>} */
const views = new Map();
const form = login(() => {
  isKnown = false;
  turn();
});
const trouble = h('section', { class: 'empty', role: 'alert', hidden: true });
const askProjects = asking();

let timer = 0;
let turns = 0;
let isTurning = false;
let isAgain = false;
let isKnown = false;
let hasToken = findToken();
/** Where the list of runs was, so that one comes back to it as one left it. @type {Map<string, string>} */
const left = new Map();

function route() {
  const now = current();
  return now.panel in MAKERS && (now.panel === 'projects' || now.project !== '') && (now.panel !== 'run' || now.id !== '') ? now : { ...now, panel: 'projects' };
}

function viewOf(/** @type {string} */ panel) {
  let view = views.get(panel);
  if (!view) views.set(panel, view = MAKERS[panel]());
  return view;
}

/** Show what the address names, with what is known of it. */
function draw() {
  attribute(leave, 'hidden', !hasToken);
  if (!hasToken || !isKnown) return;
  const now = route();
  const view = viewOf(now.panel);
  if (now.panel === 'runs') left.set(now.project, location.hash);
  if (main.firstChild !== view.node) {
    main.replaceChildren(view.node, trouble);
    scrollTo(0, 0);
  }
  attribute(document.body, 'data-panel', now.panel);
  view.show(now);
  drawNav(now);
  attribute(service, 'title', 'The token that you came with');
  say(service, shared.who.name ? `${shared.who.name}${shared.who.scope === 'read' ? ' · may read' : ''}` : '');
  document.title = `${view.title(now)} · understudy`;
}

/** @param {import('./route.js').Route} now */
function drawNav(now) {
  const names = [...new Set([...shared.all.map(({ project }) => project), ...(now.project ? [now.project] : [])])];
  const places = [...(names.length === 1 && now.panel !== 'projects' ? [] : [{ key: 'projects', label: 'projects', href: address('projects') }]),
    ...(now.project ? [{ key: 'runs', label: now.project, href: left.get(now.project) ?? address('runs', now.project) }] : []),
    ...(now.panel === 'compare' ? [{ key: 'compare', label: 'compare', href: location.hash }] : [])];
  list(nav, places, ({ key, label }) => `${key} ${label}`, ({ key, label }) => {
    const node = h('a', {}, label);
    node.update = (/** @type {any} */ place) => {
      attribute(node, 'href', place.href);
      attribute(node, 'aria-current', key === route().panel || (key === 'runs' && route().panel === 'run') ? 'page' : null);
    };
    return node;
  });
  for (const [index, node] of [...nav.children].entries()) node.update(places[index]);
}

/** Ask for what is new: one turn at a time, and another one at once if somebody went elsewhere. */
async function turn() {
  if (isTurning) {
    isAgain = true;
    return;
  }
  isTurning = true;
  clearTimeout(timer);
  const begun = performance.now();
  let wait = PERIOD;
  try {
    if (!document.hidden || !isKnown) await look();
    tell('live');
  } catch (error) {
    wait = explain(error);
  }
  isTurning = false;
  const took = performance.now() - begun;
  timer = setTimeout(turn, isAgain ? 0 : Math.max(wait, Math.min(took * PATIENCE, LONGEST)));
  isAgain = false;
}

async function look() {
  if (!isKnown) {
    shared.who = await (await ask('whoami')).json();
    shared.all = await askProjects();
    hasToken = isKnown = true;
    const names = shared.all.map(({ project }) => project);
    const own = (shared.who.projects ?? []).filter((/** @type {string} */ name) => name !== '*');
    const only = names.length === 1 ? names[0] : names.length === 0 && own.length === 1 ? own[0] : null;
    if (only !== null && route().panel === 'projects') history.replaceState(null, '', address('runs', only));
    draw();
  }
  turns += 1;
  if (turns % PROJECTS_EVERY === 0 || route().panel === 'projects') shared.all = await askProjects();
  const now = route();
  await viewOf(now.panel).refresh();
  calm();
  drawNav(now);
  if (route().panel === now.panel) document.title = `${viewOf(now.panel).title(now)} · understudy`;
}

function calm() {
  attribute(trouble, 'hidden', true);
  for (const view of views.values()) attribute(view.node, 'hidden', false);
}

/** Say why there is nothing new, and return how long to wait. @param {any} error */
function explain(error) {
  if (error instanceof Refused) {
    keepToken('');
    hasToken = isKnown = false;
    main.replaceChildren(form.node);
    form.tell(error.message);
    nav.replaceChildren();
    nav.kept = undefined;
    say(service, '');
    attribute(leave, 'hidden', true);
    tell('closed');
    return 3600e3;
  }
  if (error instanceof Failed && error.status < 500 && error.status !== 429) {
    tell('live');
    attribute(trouble, 'hidden', false);
    attribute(viewOf(route().panel).node, 'hidden', true);
    trouble.replaceChildren(h('p', {}, `▲ ${error.message}`), h('a', { href: address(UP[route().panel] ?? 'projects', route().project) }, 'back'));
    return 5 * PERIOD;
  }
  if (!(error instanceof Failed) && !(error instanceof Away)) {
    console.error(error); // a mistake of ours
    return 5 * PERIOD;
  }
  tell('waiting');
  if (!isKnown) main.replaceChildren(h('p', { class: 'empty' }, 'The server does not answer. It is asked again.'));
  return Math.max(2 * PERIOD, (error.wait ?? 0) * 1e3);
}

/** @param {'live' | 'waiting' | 'closed'} state */
function tell(state) {
  attribute(link, 'data-state', state === 'live' ? 'live' : 'waiting');
  say(link, state === 'live' ? 'live' : state === 'closed' ? 'token?' : isKnown ? 'reconnecting' : 'connecting');
}

function moved() {
  if (findTokenAgain()) return;
  calm();
  draw();
  turn();
}

/** Another token in the address, of somebody who pasted a link into this tab. */
function findTokenAgain() {
  if (!location.hash.startsWith('#token=')) return false;
  hasToken = findToken();
  isKnown = false;
  turn();
  return true;
}

leave.addEventListener('click', () => {
  keepToken('');
  location.hash = '#/';
  explain(new Refused(''));
});
switchThemes(at('theme'), recolour);
at('help').addEventListener('click', help);
at('skip').addEventListener('click', (/** @type {Event} */ event) => {
  event.preventDefault();
  main.focus();
});
window.addEventListener('hashchange', moved);
document.addEventListener('visibilitychange', () => { if (!document.hidden) turn(); });
listen({
  view: () => (isKnown ? viewOf(route().panel) : null),
  up: () => {
    const now = route();
    const above = UP[now.panel];
    return above === undefined ? null : above === 'runs' ? left.get(now.project) ?? address('runs', now.project) : address(above);
  },
});
turn();
