// @ts-check

import { h, set } from './dom.js';

/**
 * @typedef {object} MenuItem
 * @property {string} label
 * @property {() => void} run
 * @property {boolean} [danger]
 */

/** @type {(() => void) | null} closes the menu that is open */
let closeOpen = null;

/**
 * A button that opens a menu below it: arrow keys move, Escape closes and goes back to the button.
 *
 * @param {object} options
 * @param {string} options.label
 * @param {Node} options.picture
 * @param {string} [options.kind] a further class
 * @param {() => MenuItem[]} options.items asked each time the menu opens
 * @param {() => HTMLElement | null} [options.head] something to stand above the items
 */
export function menuButton({ label, picture, kind = '', items, head }) {
  const button = h('button', { type: 'button', class: `icon-button menu-button ${kind}`, 'aria-haspopup': 'menu', 'aria-expanded': 'false' },
    picture, h('span', { class: 'visually-hidden' }, label));
  button.addEventListener('click', () => {
    const isOpen = button.getAttribute('aria-expanded') === 'true';
    closeOpen?.();
    if (!isOpen) open(button, label, items(), head?.() ?? null);
  });
  return button;
}

/**
 * @param {HTMLButtonElement} button
 * @param {string} label
 * @param {MenuItem[]} items
 * @param {HTMLElement | null} head
 */
function open(button, label, items, head) {
  const close = (/** @type {boolean} */ back) => {
    if (closeOpen !== dismiss) return;
    closeOpen = null;
    const inside = box.contains(document.activeElement);
    box.remove();
    set(button, 'aria-expanded', 'false');
    removeEventListener('pointerdown', outside, true);
    removeEventListener('scroll', dismiss, true);
    removeEventListener('resize', dismiss);
    if (back && inside) button.focus();
  };
  const dismiss = () => close(true);
  const outside = (/** @type {Event} */ event) => {
    const target = /** @type {Node} */ (event.target);
    if (!box.contains(target) && !button.contains(target)) close(false);
  };
  const entries = items.map(({ label, run, danger }) =>
    h('button', {
      type: 'button',
      role: 'menuitem',
      tabindex: '-1',
      class: danger ? 'menu-item danger-text' : 'menu-item',
      onclick: () => {
        close(true);
        run();
      },
    }, label));
  const list = h('div', { role: 'menu', 'aria-label': label, class: 'menu-items' }, ...entries);
  const box = h('div', { class: 'menu', 'aria-live': 'off' }, head, entries.length > 0 && list);
  box.addEventListener('rollcall-close', dismiss);
  box.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') {
      event.stopPropagation();
      dismiss();
      return;
    }
    if (event.key === 'Tab' && !head) {
      close(true);
      return;
    }
    const index = entries.indexOf(/** @type {HTMLButtonElement} */ (document.activeElement));
    const last = entries.length - 1;
    const next = { ArrowDown: index === last ? 0 : index + 1, ArrowUp: index <= 0 ? last : index - 1, Home: 0, End: last }[event.key];
    if (next === undefined || document.activeElement instanceof HTMLInputElement) return;
    event.preventDefault();
    entries[next]?.focus();
  });
  // Outside of lists that are read aloud when they change, and of boxes that clip.
  (button.closest('dialog, .panel, .card') ?? document.body).append(box);
  set(button, 'aria-expanded', 'true');
  closeOpen = dismiss;
  place(box, button);
  addEventListener('pointerdown', outside, true);
  addEventListener('scroll', dismiss, true);
  addEventListener('resize', dismiss);
  (entries[0] ?? box.querySelector('button, input'))?.focus({ preventScroll: true });
}

/**
 * Where the menu is wholly seen, as near to its button as can be.
 *
 * @param {HTMLElement} box
 * @param {HTMLElement} button
 */
function place(box, button) {
  const anchor = button.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = box;
  const left = Math.min(Math.max(8, anchor.right - width), innerWidth - width - 8);
  const below = anchor.bottom + 4;
  const top = below + height > innerHeight - 8 ? Math.max(8, anchor.top - height - 4) : below;
  box.style.setProperty('left', `${left}px`);
  box.style.setProperty('top', `${top}px`);
}

/**
 * Closes the menu in which an element stands.
 *
 * @param {HTMLElement} element
 */
export function closeMenu(element) {
  element.closest('.menu')?.dispatchEvent(new Event('rollcall-close'));
}
