// Elements, made and changed.  Whatever comes from a log is text: nothing here takes markup.

/**
 * Make an element.  Attributes that are null or false are left out, `on…` are listeners.
 * @param {string} tag
 * @param {Record<string, any>} [attributes]
 * @param {...(Node | string | null)} children
 * @returns {any}
 */
export function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') node.addEventListener(name.slice(2), value);
    else attribute(node, name, value);
  }
  for (const child of children) if (child !== null) node.append(child);
  return node;
}

/**
 * Make an element of a drawing.
 * @param {string} tag
 * @param {Record<string, string | number>} attributes
 * @param {...(Node | string)} children
 * @returns {SVGElement}
 */
export function draw(tag, attributes, ...children) {
  const node = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  node.append(...children);
  return node;
}

/**
 * Set the text of an element, if it is another than it was.
 * @param {Element} node
 * @param {string} text
 */
export function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * Set the text of a cell; nothing (0, or what is unknown) stands back behind what is something.
 * @param {Element} cell
 * @param {string} text
 */
export function fill(cell, text) {
  say(cell, text);
  attribute(cell, 'data-zero', text === '0' || text === '–');
}

/**
 * Set an attribute, if it is another than it was; null and false remove it.
 * @param {Element} node
 * @param {string} name
 * @param {any} value
 */
export function attribute(node, name, value) {
  if (value === null || value === undefined || value === false) {
    if (node.hasAttribute(name)) node.removeAttribute(name);
    return;
  }
  const text = value === true ? '' : String(value);
  if (node.getAttribute(name) !== text) node.setAttribute(name, text);
}

/**
 * Have the children of an element be those of a list, in its order: who is there already is kept
 * (and with it focus and selection), and told its new item.
 * @template Item
 * @param {Element & {kept?: Map<string, any>}} parent
 * @param {Item[]} items
 * @param {(item: Item) => string} keyOf
 * @param {(item: Item) => Element & {update?: (item: Item) => void}} make
 */
export function list(parent, items, keyOf, make) {
  const before = parent.kept ?? new Map();
  const after = new Map();
  const wanted = new Set(items.map(keyOf));
  // Those that go leave first: else all others would be moved before them, and lose the focus.
  for (const [key, node] of before) if (!wanted.has(key)) node.remove();
  let place = parent.firstElementChild;
  for (const item of items) {
    const key = keyOf(item);
    if (after.has(key)) continue;
    const node = before.get(key) ?? make(item);
    after.set(key, node);
    node.update?.(item);
    if (node === place) place = node.nextElementSibling;
    else parent.insertBefore(node, place);
  }
  parent.kept = after;
}
