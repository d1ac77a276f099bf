// Small charts over the last minutes, on one time axis; uPlot draws them.

import { h, say } from './dom.js';

/** @type {any} */
const UPlot = /** @type {any} */ (window).uPlot;
/** @type {Set<any>} */
const drawn = new Set();

/** From nothing to the most; or, what spans decades, by its logarithm. */
const LINEAR = { range: (/** @type {any} */ _, /** @type {number} */ __, /** @type {number} */ most) => [0, most > 0 ? most * 1.25 : 1] };
const WIDE = { distr: 3, range: (/** @type {any} */ _, /** @type {number | null} */ least, /** @type {number | null} */ most) => (least && most && least > 0 ? [least * 0.8, most * 1.6] : [1, 10]) };

/** For so many seconds without a value a line goes on; then it breaks off. */
const PATIENCE = 15;

/** The gaps that are left open. @param {any} plot @param {number} _ @param {number} __ @param {number} ___ @param {[number, number][]} gaps */
function long(plot, _, __, ___, gaps) {
  const least = plot.valToPos(plot.scales.x.min + PATIENCE, 'x', true) - plot.valToPos(plot.scales.x.min, 'x', true);
  return gaps.filter(([from, to]) => to - from > least);
}

/** Draw all again: the colours are others now. */
export function recolour() {
  for (const plot of drawn) plot.redraw(false);
}

/** @param {string} name */
function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/**
 * @param {{label: string, colours: string[], height: number, isWide?: boolean, peak: (most: number) => string, hovered: (second: number | null) => void}} options
 * @returns {{node: HTMLElement, update: (columns: (number | null)[][]) => void}}
 */
export function chart({ label, colours, height, isWide = false, peak, hovered }) {
  const node = h('div', { class: 'chart', role: 'img', 'aria-label': `${label}, the last 5 minutes` });
  const said = h('span', { class: 'peak', 'aria-hidden': 'true' });
  node.append(said);
  const size = () => ({ width: Math.max(node.clientWidth, 40), height });
  const plot = new UPlot({
    ...size(),
    padding: [4, 0, 0, 0],
    legend: { show: false },
    axes: [{ show: false }, { show: false }],
    cursor: {
      y: false, points: { show: false }, drag: { x: false, y: false },
      sync: { key: 'strip', setSeries: false },
    },
    scales: { x: { time: true }, y: isWide ? WIDE : LINEAR },
    series: [{}, ...colours.map((name, index) => ({
      stroke: () => colour(name),
      fill: index === 0 && colours.length === 1 ? () => colour(`${name}-faint`) : undefined,
      width: 1.25, points: { show: false }, gaps: long,
    }))],
    hooks: {
      setCursor: [(/** @type {any} */ self) => {
        const index = self.cursor.idx;
        hovered(index === null || index === undefined || self.cursor.left < 0 ? null : self.data[0][index]);
      }],
    },
  }, [[], ...colours.map(() => [])], node);
  drawn.add(plot);
  let shown = /** @type {(number | null)[][] | null} */ (null);
  new ResizeObserver(() => {
    if (node.clientWidth === 0) return;
    plot.setSize(size());
    if (shown) plot.setData(shown);
  }).observe(node);
  return {
    node,
    update(columns) {
      shown = columns;
      let most = 0;
      for (const column of columns.slice(1)) for (const each of column) if (each !== null && each > most) most = each;
      say(said, most > 0 ? peak(most) : '');
      if (node.clientWidth > 0) plot.setData(columns);
    },
  };
}

/** The colours are asked for anew when the system turns dark or light. */
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', recolour);
