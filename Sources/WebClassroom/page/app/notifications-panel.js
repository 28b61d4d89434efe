// @ts-check

import { arrange, h, plural, set, setText } from './dom.js';
import { icon } from './icons.js';

/**
 * @typedef {import('../sdk/session-list.js').SessionList} SessionList
 * @typedef {import('../sdk/session-list.js').Notification} Notification
 */

/** A bell that says how much is unread, and under it what this person was told, the newest first. */
export class NotificationsPanel extends HTMLElement {
  /** @type {SessionList} */
  list = /** @type {any} */ (undefined);
  #count = h('span', { class: 'bell-count', hidden: true, 'aria-hidden': 'true' });
  #label = h('span', { class: 'visually-hidden' });
  #bell = h('button', {
    type: 'button', class: 'secondary bell', 'aria-expanded': 'false', 'aria-controls': 'notifications', onclick: () => this.#toggle(),
  }, icon('bell'), h('span', { class: 'bell-caption' }, 'Notifications'), this.#count, this.#label);
  #all = h('button', { type: 'button', class: 'small quiet', onclick: () => void this.#readAll() }, 'Mark all as read');
  #entries = h('ul', { class: 'notification-list' });
  #empty = h('p', { class: 'hint' }, 'Nothing yet. You are told here when a class is moved, cancelled, about to begin, or live.');
  #box = h('section', { class: 'notifications', id: 'notifications', 'aria-labelledby': 'notifications-title', hidden: true },
    h('div', { class: 'section-head' }, h('h2', { id: 'notifications-title' }, 'Notifications'), this.#all),
    h('div', { class: 'notification-scroll', tabindex: '0', role: 'region', 'aria-label': 'List of notifications' }, this.#entries, this.#empty));
  /** @type {Map<string, HTMLElement>} */
  #rows = new Map();
  /** @type {(() => void)[]} */
  #subscriptions = [];
  #outside = (/** @type {Event} */ event) => {
    if (!this.contains(/** @type {Node} */ (event.target))) this.#close(false);
  };

  connectedCallback() {
    this.replaceChildren(this.#bell, this.#box);
    this.onkeydown = (/** @type {KeyboardEvent} */ event) => {
      if (event.key === 'Escape' && !this.#box.hidden) this.#close(true);
    };
    this.#subscriptions = [this.list.on('notifications', () => this.#render())];
    this.#render();
  }

  disconnectedCallback() {
    for (const unsubscribe of this.#subscriptions) unsubscribe();
    removeEventListener('pointerdown', this.#outside, true);
  }

  #toggle() {
    if (!this.#box.hidden) {
      this.#close(true);
      return;
    }
    set(this.#box, 'hidden', false);
    set(this.#bell, 'aria-expanded', 'true');
    addEventListener('pointerdown', this.#outside, true);
  }

  /** @param {boolean} back whether the focus goes back to the bell */
  #close(back) {
    set(this.#box, 'hidden', true);
    set(this.#bell, 'aria-expanded', 'false');
    removeEventListener('pointerdown', this.#outside, true);
    if (back) this.#bell.focus();
  }

  #render() {
    const { notifications, unread } = this.list;
    set(this.#count, 'hidden', unread === 0);
    setText(this.#count, unread > 99 ? '99+' : String(unread));
    setText(this.#label, unread === 0 ? '' : ` (${unread.toLocaleString()} unread)`);
    set(this.#all, 'hidden', unread === 0);
    set(this.#empty, 'hidden', notifications.length > 0);
    arrange(this.#entries, notifications.map((notification) => {
      let row = this.#rows.get(notification.id);
      if (!row) this.#rows.set(notification.id, (row = this.#row(notification)));
      set(row, 'data-unread', !notification.read);
      return row;
    }));
  }

  /** @param {Notification} notification */
  #row({ id, kind, session, text, created_at: at }) {
    return h('li', { class: 'notification', 'data-kind': kind },
      h('a', {
        href: `#session=${encodeURIComponent(session)}`,
        onclick: () => {
          this.#close(false);
          // It shows as read at once; if that was lost, it is unread again next time.
          this.list.markRead(id).catch(() => {});
        },
      }, h('span', { class: 'notification-text' }, text), h('span', { class: 'visually-hidden only-unread' }, ' (unread)'),
      h('time', { datetime: at, title: full.format(new Date(at)) }, ago(at))));
  }

  async #readAll() {
    if (this.#all.hasAttribute('aria-disabled')) return;
    set(this.#all, 'aria-disabled', 'true');
    await this.list.markAllRead().catch(() => {});
    set(this.#all, 'aria-disabled', null);
    if (this.list.unread === 0) this.#bell.focus();
  }
}

/** @param {string} at */
function ago(at) {
  const minutes = Math.round((Date.now() - Date.parse(at)) / 60_000);
  if (minutes < 1) return 'just now';
  if (minutes < 60) return `${plural(minutes, 'minute', 'minutes')} ago`;
  if (minutes < 24 * 60) return `${plural(Math.round(minutes / 60), 'hour', 'hours')} ago`;
  return date.format(new Date(at));
}

const date = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'short' });

customElements.define('rollcall-notifications', NotificationsPanel);
