// The page: keeps the panel that the address names up to date, once a frame at the most.

import { actors } from './actors.js';
import { call, calls } from './calls.js';
import { recolour } from './chart.js';
import { attribute, h, list, say } from './dom.js';
import { experiment } from './experiment.js';
import { time } from './format.js';
import { PANELS, help, listen } from './keys.js';
import { connect } from './link.js';
import { overview } from './overview.js';
import { address, change, current } from './route.js';
import { runs } from './runs.js';
import { Store } from './store.js';
import { strip } from './strip.js';
import { tail } from './tail.js';
import { switchThemes } from './themes.js';

const MAKERS = /** @type {Record<string, () => any>} */ ({ overview, experiment, calls, call, actors, tail, runs });
const ABOVE = /** @type {Record<string, string>} */ ({ experiment: 'overview', call: 'calls' });
const at = (/** @type {string} */ id) => /** @type {any} */ (document.getElementById(id));

const store = new Store();
const [main, nav, filter, pause, link, service] = ['panel', 'nav', 'filter', 'pause', 'link', 'service'].map(at);
const drawStrip = strip(at('strip'));
/** @type {Map<string, any>} */
const panels = new Map();
/** What is shown while the page is held still: the state as it was then. */
let held = /** @type {Store | null} */ (null);
let linked = /** @type {'live' | 'waiting'} */ ('waiting');
let isDue = false;
let isKnown = false;

function draw() {
  isDue = false;
  const route = current();
  const known = route.panel in MAKERS ? route : { ...route, panel: 'overview' };
  let panel = panels.get(known.panel);
  if (!panel) panels.set(known.panel, panel = MAKERS[known.panel]());
  if (main.firstChild !== panel.node) {
    main.replaceChildren(panel.node);
    main.scrollTop = 0;
  }
  attribute(document.body, 'data-panel', known.panel);
  drawLink();
  if (!isKnown) return;
  const shown = held ?? store;
  drawNav(shown, known);
  drawStrip(shown);
  panel.update(shown, known);
  const asked = known.options.get('q') ?? '';
  if (document.activeElement !== filter && filter.value !== asked) filter.value = asked;
  document.title = `${panel.title(known)} · understudy`;
}

function redraw() {
  if (isDue) return;
  isDue = true;
  // A page in the background draws nothing, and catches up when it is looked at.
  requestAnimationFrame(draw);
}

/** @param {Store} shown @param {import('./route.js').Route} route */
function drawNav(shown, route) {
  const chosen = ABOVE[route.panel] ?? route.panel;
  const hasRuns = (shown.document.runs?.length ?? 0) + (shown.document.batches?.length ?? 0) > 0;
  list(nav, PANELS.filter(({ panel }) => panel !== 'runs' || hasRuns || chosen === 'runs'), ({ panel }) => panel, ({ panel, label }) => {
    const node = h('a', { href: address(panel), 'data-panel': panel }, label);
    node.update = () => attribute(node, 'aria-current', node.dataset.panel === chosenNow ? 'page' : null);
    return node;
  });
  chosenNow = chosen;
  for (const each of nav.children) each.update();
}
let chosenNow = 'overview';

function drawLink() {
  const state = held ? 'held' : linked;
  attribute(link, 'data-state', state);
  const waiting = isKnown ? 'reconnecting' : 'connecting';
  say(link, state === 'held' ? `held still, ${store.patches - heldSince} changes wait` : state === 'live' ? 'live' : waiting);
  const { processes = [], ts } = store.overview;
  const open = processes.filter((/** @type {any} */ each) => each.state !== 'stopped');
  const silent = open.filter((/** @type {any} */ each) => each.is_silent && !each.is_idle);
  const idle = open.filter((/** @type {any} */ each) => each.is_idle);
  const running = open.length - silent.length - idle.length;
  const since = (/** @type {any[]} */ several) => time(Math.max(...several.map((each) => each.last_ts)));
  const names = [...new Set(processes.map((/** @type {any} */ each) => each.service).filter(Boolean))];
  const quiet = ts ? Date.now() / 1e3 - ts : 0;
  say(service, !ts ? '' : [
    names.join(', ') || null,
    open.length === 0 ? `closed: last event ${time(ts)}` : running === 0 ? null : running === 1 ? '1 runtime' : `${running} runtimes`,
    silent.length ? `${silent.length === 1 ? '' : `${silent.length} `}silent since ${since(silent)}` : null,
    idle.length ? `${idle.length === 1 ? '' : `${idle.length} `}idle since ${since(idle)}` : null,
    open.length && !silent.length && !idle.length && quiet > 10 ? `last event ${time(ts)}` : null,
  ].filter(Boolean).join(' · '));
}

let heldSince = 0;
function hold() {
  if (held) held = null;
  else {
    held = Object.assign(new Store(), store, {
      document: { ...store.document }, lines: [...store.lines], seconds: new Map(store.seconds), flying: new Map(store.flying),
    });
    heldSince = store.patches;
  }
  attribute(pause, 'aria-pressed', String(held !== null));
  say(pause, held ? 'go on' : 'pause');
  redraw();
}

pause.addEventListener('click', hold);
switchThemes(at('theme'), recolour);
at('help').addEventListener('click', help);
at('skip').addEventListener('click', (/** @type {Event} */ event) => {
  event.preventDefault();
  main.focus();
});
filter.addEventListener('input', () => change({ q: filter.value }));
window.addEventListener('hashchange', redraw);
document.addEventListener('visibilitychange', redraw);
setInterval(redraw, 1000);
listen({ filter, pause: hold });
connect(store, (state) => {
  linked = state;
  redraw();
}, () => {
  isKnown = true;
  redraw();
});
redraw();
