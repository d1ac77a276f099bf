// One chart of curves, drawn by uPlot.

import { attribute, h, list, say } from './dom.js';
import { moment } from './format.js';
import { number, span } from './names.js';

/** @type {any} */
const UPlot = /** @type {any} */ (window).uPlot;
/** @type {Set<any>} */
const drawn = new Set();
const HEIGHT = 190;
const colours = new Map();

/** Draw all again: the colours are others now. */
export function recolour() {
  colours.clear();
  for (const plot of drawn) plot.redraw(false);
}
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', recolour);

/** @param {string} name */
function colour(name) {
  if (!colours.has(name)) colours.set(name, getComputedStyle(document.documentElement).getPropertyValue(name).trim());
  return colours.get(name);
}

/**
 * @typedef {object} Curve
 * @property {string} id of which run
 * @property {string} name
 * @property {number} colour
 * @property {number[]} xs
 * @property {(number | null)[]} ys
 * @property {(number | null)[] | null} raw what was smoothed
 */

/**
 * @param {string} title
 * @param {{zoomed: (from: number | null, to: number | null) => void, pointed: (id: string | null) => void}} on
 */
export function plot(title, on) {
  const room = h('div', { class: 'plot', role: 'img' });
  const note = h('p', { class: 'note' });
  const big = h('button', { type: 'button', title: 'Larger, or as it was', 'aria-pressed': 'false', 'aria-label': `Enlarge ${title}` }, '⤢');
  const values = h('table', { class: 'hidden' });
  const node = h('figure', { class: 'curve', 'data-curve': title }, h('figcaption', {}, h('h3', {}, title), big), room, note, values);
  big.addEventListener('click', () => {
    attribute(big, 'aria-pressed', String(node.classList.toggle('big')));
    if (made && room.clientWidth) made.setSize(size());
  });
  /** @type {any} */
  let made = null;
  let shape = '';
  let shown = /** @type {Curve[]} */ ([]);
  let how = /** @type {any} */ ({});
  const size = () => ({ width: Math.max(room.clientWidth, 60), height: node.classList.contains('big') ? 2 * HEIGHT : HEIGHT });
  new ResizeObserver(() => { if (made && room.clientWidth) made.setSize(size()); }).observe(room);

  /** Series: for each run its curve, and before it what was smoothed. */
  function seriesOf() {
    return shown.flatMap(({ colour: index, raw }) => {
      const stroke = () => colour(`--c${index % 10}`);
      const dash = index >= 10 ? [6, 3] : undefined;
      const line = { stroke, width: 1.4, dash, points: { show: dots, size: 4 } };
      return raw ? [{ ...line, width: 1, alpha: 0.25, points: { show: false } }, line] : [line];
    });
  }

  /** A point that stands alone is a dot: a line would not show it. @param {any} self @param {number} index */
  function dots(self, index) {
    const known = self.data[index].filter((/** @type {any} */ value) => value !== null && value !== undefined).length;
    return known <= 40 && known * 12 < self.bbox.width / devicePixelRatio;
  }

  function make() {
    made?.destroy();
    drawn.delete(made);
    const lines = { stroke: () => colour('--muted'), grid: { stroke: () => colour('--line'), width: 1 }, ticks: { stroke: () => colour('--line'), width: 1, size: 4 }, font: '11px system-ui, sans-serif' };
    made = new UPlot({
      ...size(), padding: [8, 8, 0, 0], legend: { show: false }, focus: { alpha: 0.25 },
      axes: [
        { ...lines, space: 60, size: 24, ...(how.x === 'elapsed' ? { values: (/** @type {any} */ _, /** @type {number[]} */ all) => all.map(span) } : {}) },
        { ...lines, space: 28, size: 58, values: how.isLog ? undefined : (/** @type {any} */ _, /** @type {number[]} */ all) => all.map(number) },
      ],
      cursor: { focus: { prox: 24 }, sync: { key: 'curves', scales: ['x', null], setSeries: false }, drag: { x: true, y: false, setScale: false } },
      scales: { x: { time: how.x === 'ts' }, y: { distr: how.isLog ? 3 : 1 } },
      series: [{}, ...seriesOf()],
      hooks: {
        setSelect: [(/** @type {any} */ self) => {
          if (self.select.width < 4) return;
          on.zoomed(self.posToVal(self.select.left, 'x'), self.posToVal(self.select.left + self.select.width, 'x'));
          self.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
        }],
        setCursor: [tell],
        setSeries: [(/** @type {any} */ self, /** @type {number | null} */ index, /** @type {any} */ options) => {
          if (options.focus !== undefined && self.cursor.event) on.pointed(index === null ? null : idAt(index));
        }],
      },
    }, [[], ...seriesOf().map(() => [])], room);
    made.over.addEventListener('dblclick', () => on.zoomed(null, null));
    drawn.add(made);
  }

  /** @param {number} index */
  const idAt = (index) => shown.flatMap(({ id, raw }) => (raw ? [id, id] : [id]))[index - 1] ?? null;

  /** Say what is under the pointer: of the curve that is nearest, or of the only one. @param {any} self */
  function tell(self) {
    const { idx, left } = self.cursor;
    const place = idx === null || idx === undefined || left < 0 ? -1 : idx;
    attribute(note, 'data-at', place >= 0);
    if (place < 0) return say(note, how.hint ?? '');
    const x = self.data[0][place];
    const where = how.x === 'ts' ? moment(x) : how.x === 'elapsed' ? span(x) : `${how.x} ${number(x)}`;
    const near = self.series.findIndex((/** @type {any} */ each, /** @type {number} */ index) => index > 0 && each._focus === true);
    const all = shown.map((curve, index) => {
      const at = shown.slice(0, index + 1).reduce((sum, { raw }) => sum + (raw ? 2 : 1), 0);
      const value = self.data[at][place];
      return { at, isNear: at === near || (curve.raw && at - 1 === near), text: `${shown.length > 1 ? `${curve.name} ` : ''}${number(value)}${curve.raw ? ` (${number(self.data[at - 1][place])})` : ''}`, value };
    }).filter(({ value }) => value !== null && value !== undefined);
    const chosen = all.find(({ isNear }) => isNear) ?? (shown.length === 1 ? all[0] : null);
    return say(note, chosen ? `${where}: ${chosen.text}` : where);
  }

  return {
    node,
    /**
     * @param {Curve[]} curves
     * @param {{x: string, isLog: boolean, from: number | null, to: number | null, hint: string}} options
     */
    draw(curves, options) {
      shown = curves;
      how = options;
      attribute(room, 'aria-label', `${title} of ${curves.map(({ name }) => name).join(', ')}`);
      const now = JSON.stringify([options.x, options.isLog, curves.map(({ id, colour: index, raw }) => [id, index, raw !== null])]);
      if (now !== shape || !made) make();
      shape = now;
      const tables = curves.map(({ xs, ys, raw }) => (raw ? [xs, raw, ys] : [xs, ys]));
      const data = tables.length === 0 ? [[]] : tables.length === 1 ? tables[0] : UPlot.join(tables);
      // A logarithm knows nothing below nought.
      const fit = options.isLog ? [data[0], ...data.slice(1).map((/** @type {any[]} */ ys) => ys.map((y) => (y > 0 ? y : y === undefined ? y : null)))] : data;
      made.batch(() => {
        made.setData(fit, false);
        const [first, last] = [fit[0][0], fit[0].at(-1)];
        const [from, to] = [options.from ?? first ?? 0, options.to ?? last ?? 1];
        made.setScale('x', from < to ? { min: from, max: to } : { min: from - 0.5, max: from + 0.5 });
      });
      if (!note.hasAttribute('data-at')) say(note, options.hint);
      // What is drawn can be read out, too: the last of each curve.
      list(values, curves, ({ id }) => id, () => {
        const row = h('tr', {}, h('th'), h('td'));
        row.update = (/** @type {Curve} */ curve) => {
          say(row.firstChild, curve.name);
          say(row.lastChild, `${curve.ys.length} points, last ${number(curve.ys.at(-1) ?? null)}`);
        };
        return row;
      });
      for (const [index, row] of [...values.children].entries()) row.update(curves[index]);
    },
    /** Put the curve of one run before the others; null puts all back. @param {string | null} id */
    point(id) {
      if (!made) return;
      const place = id === null ? -1 : shown.findIndex((curve) => curve.id === id);
      const at = shown.slice(0, place + 1).reduce((sum, { raw }) => sum + (raw ? 2 : 1), 0);
      made.setSeries(place < 0 ? null : at, { focus: true }, false);
    },
    close() {
      made?.destroy();
      drawn.delete(made);
      made = null;
    },
  };
}
