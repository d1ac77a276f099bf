// The runs of a project: filtered and sorted by the server, and drawn where one looks.

import { Failed } from './api.js';
import { chooseColumns, usualColumns } from './columns.js';
import { attribute, fill, h, list, say } from './dom.js';
import { noRuns } from './empty.js';
import { filtering } from './filter.js';
import { count } from './format.js';
import { columnOf, statusText, statusTone } from './names.js';
import { address, change, current } from './route.js';
import { Window, question } from './window.js';

const SORT = '-created';
const ROW = 29;
/** Rows that are drawn above and below those in sight. */
const BEYOND = 12;
/** More than these cannot be told apart. */
export const MOST = 20;

/** @param {import('./main.js').Shared} shared */
export function runs(shared) {
  let runs = new Window('', news);
  const filter = filtering();
  const told = h('span', { class: 'note', role: 'status', id: 'total' });
  const compare = h('a', { class: 'button', id: 'compare' });
  const none = h('button', { type: 'button', onclick: () => change({ pick: null }) }, 'untick all');
  const choose = h('button', { type: 'button', id: 'columns', onclick: () => chooseColumns(runs.known(), keys) }, 'columns');
  const widths = h('colgroup');
  const heads = h('tr');
  const [above, below] = [h('tr', { class: 'space' }, h('td')), h('tr', { class: 'space' }, h('td'))];
  const body = h('tbody', { id: 'runs' });
  const table = h('table', { class: 'runs' }, h('caption', { class: 'hidden' }, 'Runs'), widths, h('thead', {}, heads), h('tbody', {}, above), body, h('tbody', {}, below));
  const scroller = h('div', { class: 'scroll rows' }, table);
  const empty = h('div', { hidden: true });
  const node = h('section', {}, filter.node, h('div', { class: 'bar' }, told, compare, none, choose), scroller, empty);

  let route = current();
  /** The columns of each project, to begin with; they do not change while one looks. @type {Map<string, string[]>} */
  const usual = new Map();
  let keys = /** @type {string[]} */ ([]);
  let columns = /** @type {import('./names.js').Column[]} */ ([]);
  let picked = /** @type {string[]} */ ([]);
  let drawnFor = '';
  let isDue = false;
  let isNews = true;
  /** The row that is to have the focus once it is drawn. */
  let wanted = /** @type {number | null} */ (null);

  scroller.addEventListener('scroll', () => {
    redraw();
    const [first, last] = sight();
    if (runs.total !== null) runs.want(first, last).catch(() => {}); // the next turn says what is wrong
  }, { passive: true });
  new ResizeObserver(redraw).observe(scroller);
  body.addEventListener('keydown', walk);

  /** @returns {[number, number]} */
  function sight() {
    const first = Math.max(0, Math.floor(scroller.scrollTop / ROW));
    return [first, first + Math.ceil(scroller.clientHeight / ROW)];
  }

  function news() {
    isNews = true;
    redraw();
  }

  function redraw() {
    if (isDue) return;
    isDue = true;
    requestAnimationFrame(() => {
      isDue = false;
      if (node.isConnected) draw();
    });
  }

  function draw() {
    const total = runs.total ?? 0;
    const known = runs.total !== null;
    const asked = route.options.get('filter') ?? '';
    if (!usual.has(route.project) && total > 0 && runs.at(0)) usual.set(route.project, usualColumns(runs.known()));
    const all = route.options.getAll('column');
    setColumns(all.length ? all : usual.get(route.project) ?? ['tags', 'created', 'duration']);
    // While another question is asked, or is wrong, the answer to the last one stays, and stands back.
    const isOld = runs.what !== question(route.project, asked, route.options.get('sort') ?? SORT);
    attribute(scroller, 'data-old', isOld);
    const note = runs.note ? `; ${runs.note}` : '';
    if (!isOld) say(told, known ? `${count(total)} ${total === 1 ? 'run' : 'runs'}${asked ? ' match' : ''}${note}` : '…');
    attribute(compare, 'hidden', picked.length === 0);
    attribute(none, 'hidden', picked.length === 0);
    attribute(compare, 'href', picked.length ? address('compare', route.project, '', { run: picked }) : null);
    say(compare, picked.length === 1 ? 'compare 1 run' : `compare ${picked.length} runs`);
    attribute(scroller, 'hidden', known && total === 0);
    attribute(empty, 'hidden', !known || total > 0);
    if (known && total === 0) tellOfNothing(asked);
    const [first, last] = sight();
    const [from, to] = [Math.max(0, first - BEYOND), Math.min(total, last + BEYOND)];
    const rows = [];
    for (let place = from; place < to; place += 1) rows.push({ place, run: runs.at(place) ?? null });
    above.firstChild.style.height = `${from * ROW}px`;
    below.firstChild.style.height = `${Math.max(0, total - to) * ROW}px`;
    attribute(table, 'aria-rowcount', total + 1);
    list(body, rows, ({ place, run }) => run?.id ?? `${place}`, row);
    if (wanted !== null) {
      body.querySelector(`[aria-rowindex="${wanted + 2}"] a.row`)?.focus({ preventScroll: true });
      wanted = null;
    }
    if (known && isNews) filter.offer(runs.known().slice(0, 50));
    isNews = false;
  }

  let saidNothing = '';
  /** @param {string} asked */
  function tellOfNothing(asked) {
    const about = `${route.project}\n${asked}`;
    if (about === saidNothing) return;
    saidNothing = about;
    empty.replaceChildren(asked
      ? h('div', { class: 'empty' }, h('p', {}, 'No run matches.'), h('button', { type: 'button', onclick: () => change({ filter: null }) }, 'show all'))
      : noRuns(route.project, shared.who));
  }

  /** @param {string[]} now */
  function setColumns(now) {
    const sort = route.options.get('sort') ?? SORT;
    const about = JSON.stringify([now, sort]);
    if (about === drawnFor) return;
    drawnFor = about;
    keys = now.filter((key) => columnOf(key));
    columns = keys.map((key) => /** @type {any} */ (columnOf(key)));
    widths.replaceChildren(...['pick', 'name', 'status', ...columns.map(({ key, number }) => (number ? 'number' : key))]
      .map((kind) => h('col', { class: `of-${/^\w+$/.test(kind) ? kind : 'param'}` })));
    heads.replaceChildren(h('th', { scope: 'col' }, h('span', { class: 'hidden' }, 'compare')),
      head('prefix', 'run'), head('status', 'status'), ...columns.map(({ key, label, title, number }) => head(key, label, title, number)));
    body.replaceChildren();
    body.kept = undefined;

    /** @param {string} key @param {string} label @param {string} [title] @param {boolean} [falls] */
    function head(key, label, title = label, falls = key === 'created') {
      const order = sort === key ? 'ascending' : sort === `-${key}` ? 'descending' : null;
      const [one, other] = falls ? [`-${key}`, key] : [key, `-${key}`];
      return h('th', { scope: 'col', 'aria-sort': order, class: columnOf(key)?.number ? 'number' : null },
        h('button', { type: 'button', title: `Sort by ${title}`, 'data-key': key, onclick: () => change({ sort: sort === one ? other : one }) }, label));
    }
  }

  /** @param {{place: number, run: any}} first */
  function row(first) {
    const box = h('input', { type: 'checkbox', 'aria-label': `Compare ${first.run?.prefix ?? ''}` });
    const link = h('a', { class: 'row' });
    const status = h('td', { class: 'status' });
    const cells = columns.map(({ key, number }) => h('td', { class: number ? 'number' : key === 'tags' ? 'tags' : null }));
    const line = h('tr', { class: first.run ? null : 'missing' }, h('td', { class: 'pick' }, box), h('th', { scope: 'row' }, link), status, ...cells);
    box.addEventListener('change', () => pick(line.run.id, box.checked));
    line.update = (/** @type {{place: number, run: any}} */ { place, run }) => {
      line.run = run;
      line.place = place;
      attribute(line, 'aria-rowindex', place + 2);
      if (!run) return;
      const colour = picked.indexOf(run.id);
      if (box.checked !== colour >= 0) box.checked = colour >= 0;
      box.disabled = colour < 0 && picked.length >= MOST;
      attribute(line, 'data-colour', colour < 0 ? null : colour % 10);
      say(link, run.prefix);
      attribute(link, 'href', address('run', route.project, run.id));
      attribute(link, 'title', run.description ? `${run.prefix}\n${run.description}` : run.prefix);
      say(status, statusText(run.status));
      attribute(status, 'data-tone', statusTone(run.status));
      columns.forEach((column, index) => {
        if (column.key === 'tags') tags(cells[index], run.tags ?? []);
        else {
          const text = column.text(run);
          fill(cells[index], text);
          attribute(cells[index], 'title', text.length > 12 ? text : null);
        }
      });
    };
    line.update(first);
    return line;
  }

  /** @param {any} cell @param {string[]} names */
  function tags(cell, names) {
    list(cell, names, (name) => name, (name) => h('button', {
      type: 'button', class: 'tag', title: 'Show the runs with this tag', onclick: () => change({ filter: `${JSON.stringify(name)} in tags` }),
    }, name));
  }

  /** @param {string} id @param {boolean} isPicked */
  function pick(id, isPicked) {
    change({ pick: isPicked ? [...picked, id] : picked.filter((each) => each !== id) });
  }

  /** Arrows go from row to row, beyond those that are drawn; space ticks one. @param {KeyboardEvent} event */
  function walk(event) {
    const line = /** @type {any} */ (event.target)?.closest('tr');
    if (!line) return;
    const steps = /** @type {Record<string, number>} */ ({ ArrowDown: 1, ArrowUp: -1, PageDown: 15, PageUp: -15, Home: -Infinity, End: Infinity });
    if (event.key in steps && !(/** @type {Element} */ (event.target)).matches('input[type=text]')) go(line.place + steps[event.key]);
    else if (event.key === ' ' && /** @type {Element} */ (event.target).matches('a') && line.run) pick(line.run.id, !picked.includes(line.run.id));
    else return;
    event.preventDefault();
  }

  /** @param {number} place */
  function go(place) {
    wanted = Math.min(Math.max(place, 0), (runs.total ?? 1) - 1);
    const top = wanted * ROW;
    const room = scroller.clientHeight - 3 * ROW;
    if (top < scroller.scrollTop) scroller.scrollTop = top;
    else if (top > scroller.scrollTop + room) scroller.scrollTop = top - room;
    redraw();
  }

  return {
    node,
    filter: filter.field,
    title: (/** @type {any} */ now) => now.project,
    go,
    compare: () => { if (picked.length) compare.click(); },
    /** @param {import('./route.js').Route} now */
    show(now) {
      const isOther = now.project !== route.project;
      route = now;
      if (isOther) scroller.scrollTop = 0;
      picked = now.options.getAll('pick').slice(0, MOST);
      filter.show(now.options.get('filter') ?? '');
      redraw();
    },
    async refresh() {
      const [project, asked] = [route.project, route.options.get('filter') ?? ''];
      const what = question(project, asked, route.options.get('sort') ?? SORT);
      const isOther = what !== runs.what;
      const next = isOther ? new Window(what, news) : runs;
      try {
        const [first, last] = isOther ? [0, 0] : sight();
        await (isOther ? next.ask(0) : next.refresh(first, last));
        filter.complain('');
      } catch (error) {
        if (!(error instanceof Failed) || error.status !== 400) throw error;
        filter.complain(error.message);  // and what was there stays
      }
      if (isOther && next.total !== null) {
        runs = next;
        scroller.scrollTop = 0;
        next.want(...sight()).catch(() => {});
      }
      redraw();
    },
  };
}
