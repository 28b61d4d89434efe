// @ts-check

/**
 * @typedef {Node | string | number | null | undefined | false} Child
 * @typedef {Record<string, any>} Attributes `onclick` and the like listen, `class` and the rest are
 *   attributes; true sets an empty one, false and null none
 */

/**
 * Builds an element. Strings become text nodes: nothing is ever read as HTML.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Attributes} [attributes]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else set(element, name, value);
  }
  for (const child of children) {
    if (child !== null && child !== undefined && child !== false) element.append(/** @type {any} */ (child));
  }
  return element;
}

/**
 * Sets an attribute only when it changes, so that nothing is announced twice.
 *
 * @param {Element} element
 * @param {string} name
 * @param {string | number | boolean | null | undefined} value
 */
export function set(element, name, value) {
  if (value === false || value === null || value === undefined) {
    if (element.hasAttribute(name)) element.removeAttribute(name);
    return;
  }
  const text = value === true ? '' : String(value);
  if (element.getAttribute(name) !== text) element.setAttribute(name, text);
}

/**
 * @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Calls a function at most once for each frame of the screen.
 *
 * @param {() => void} render
 */
export function coalesced(render) {
  let due = false;
  return () => {
    if (due) return;
    due = true;
    const run = () => {
      if (!due) return;
      due = false;
      render();
    };
    // A hidden page draws no frames, but must not fall behind.
    if (document.visibilityState === 'hidden') setTimeout(run, 100);
    else requestAnimationFrame(run);
  };
}

/**
 * @param {number} count
 * @param {string} one
 * @param {string} many
 */
export function plural(count, one, many) {
  return `${count.toLocaleString()} ${count === 1 ? one : many}`;
}

/**
 * Brings children into this order, and moves only those that are elsewhere: what is moved loses the focus.
 *
 * @param {HTMLElement} list
 * @param {HTMLElement[]} children
 */
export function arrange(list, children) {
  const wanted = new Set(children);
  for (const child of [...list.children]) {
    if (!wanted.has(/** @type {HTMLElement} */ (child))) child.remove();
  }
  children.forEach((child, index) => {
    const there = list.children[index];
    if (there !== child) list.insertBefore(child, there ?? null);
  });
}
