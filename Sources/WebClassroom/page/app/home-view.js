// @ts-check

import { arrange, coalesced, h, set, setText } from './dom.js';
import { Notices } from './notices.js';
import { NotificationsPanel } from './notifications-panel.js';
import { explain } from './sentences.js';
import { SessionRow, dayOf } from './session-row.js';

/**
 * @typedef {import('../sdk/session-list.js').SessionList} SessionList
 * @typedef {import('../sdk/session-list.js').ListedSession} ListedSession
 */

/** How often sentences such as “begins in 5 minutes” are looked at again, in milliseconds. */
const interval = 20_000;

/** What is told of loudly, beside the bell. */
const urgent = new Set(['starting', 'live', 'reminder', 'cancelled', 'rescheduled']);

/** A person's classes: what is live, what lies ahead, what is over, and what the person was told. */
export class HomeView extends HTMLElement {
  /** @type {SessionList} */
  list = /** @type {any} */ (undefined);
  /** @type {string | null} what the token calls its bearer */
  name = null;
  /** Called with a class that was asked for by its id. */
  onopen = (/** @type {string} */ _session) => {};
  #isPast = false;
  #state = h('p', { class: 'home-state hint', role: 'status' });
  #sections = h('div', { class: 'home-sections' });
  #empty = h('div', { class: 'home-empty' });
  #problem = h('p', { class: 'wrong', role: 'alert' });
  #more = h('button', { type: 'button', class: 'secondary', hidden: true, onclick: () => void this.#loadMore() }, 'Show more');
  #tabs = [this.#tab('Coming up', false), this.#tab('Over', true)];
  #notices = new Notices();
  /** @type {Map<string, SessionRow>} */
  #rows = new Map();
  /** @type {Map<string, {element: HTMLElement, rows: HTMLElement}>} */
  #days = new Map();
  /** @type {(() => void)[]} */
  #subscriptions = [];
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #timer;

  connectedCallback() {
    const { list } = this;
    const bell = new NotificationsPanel();
    bell.list = list;
    this.replaceChildren(
      h('div', { class: 'home' },
        h('div', { class: 'home-head' },
          h('div', {}, h('h1', { tabindex: '-1' }, 'Your classes'), this.name && h('p', { class: 'lede' }, 'Hello, ', h('b', {}, this.name))),
          bell),
        h('div', { class: 'tabs home-tabs', role: 'tablist', 'aria-label': 'Which classes' }, ...this.#tabs),
        h('div', { role: 'tabpanel', id: 'home-list', 'aria-label': 'Classes', tabindex: '-1' },
          this.#state, this.#sections, this.#empty, this.#problem, h('div', { class: 'actions' }, this.#more)),
        this.#byId(), this.#notices));
    const render = coalesced(() => this.#render());
    this.#subscriptions = [
      list.on('change', render),
      list.on('connection', render),
      list.on('notified', ({ id, kind, session, text }) => {
        if (!urgent.has(kind)) return;
        const open = () => {
          list.markRead(id).catch(() => {});
          this.onopen(session);
        };
        this.#notices.say({ text, topic: `about ${session}`, actions: [{ label: 'Open', run: open }] });
      }),
    ];
    this.#timer = setInterval(render, interval);
    this.#render();
  }

  disconnectedCallback() {
    for (const unsubscribe of this.#subscriptions) unsubscribe();
    clearInterval(this.#timer);
  }

  #render() {
    const { list } = this;
    const sessions = [...(this.#isPast ? list.past : list.sessions).values()].sort(this.#isPast ? latestFirst : soonestFirst);
    /** @type {Map<string, HTMLElement[]>} */
    const days = new Map();
    for (const session of sessions) {
      let row = this.#rows.get(session.id);
      if (!row) {
        const { id } = session;
        this.#rows.set(id, (row = new SessionRow(id, (decision) => void this.#decide(id, decision))));
      }
      row.show(session, list.user?.id);
      const title = session.is_live ? 'Live now' : dayOf(session);
      days.set(title, [...(days.get(title) ?? []), row.element]);
    }
    for (const id of this.#rows.keys()) {
      if (!list.sessions.has(id) && !list.past.has(id)) this.#rows.delete(id);
    }
    arrange(this.#sections, [...days].map(([title, rows]) => {
      let place = this.#days.get(title);
      if (!place) this.#days.set(title, (place = section(title)));
      arrange(place.rows, rows);
      return place.element;
    }));
    const hasMore = this.#isPast ? list.hasMorePast && sessions.length > 0 : list.hasMore;
    set(this.#more, 'hidden', !hasMore);
    const isLoading = !list.isKnown;
    setText(this.#state, isLoading ? 'Looking for your classes…' : list.isFollowing ? '' : 'The connection is lost: what you see may be out of date.');
    set(this.#empty, 'hidden', isLoading || sessions.length > 0);
    this.#empty.replaceChildren(...(this.#isPast
      ? [h('p', {}, 'None of your classes is over yet.')]
      : [h('h2', {}, 'Nothing is coming up'), h('p', { class: 'hint' }, 'As soon as a class is planned for you it appears here by itself.')]));
    this.#tabs.forEach((tab, index) => {
      const isOpen = (index === 1) === this.#isPast;
      set(tab, 'aria-selected', String(isOpen));
      set(tab, 'tabindex', isOpen ? '0' : '-1');
    });
  }

  async #loadMore() {
    if (this.#more.hasAttribute('aria-disabled')) return;
    set(this.#more, 'aria-disabled', 'true');
    setText(this.#problem, '');
    try {
      await (this.#isPast ? this.list.loadPast() : this.list.loadMore());
    } catch (error) {
      setText(this.#problem, explain(error));
    }
    set(this.#more, 'aria-disabled', null);
    this.#render();
    if (this.#more.hidden && document.activeElement === document.body) this.querySelector('h1')?.focus();
  }

  /**
   * @param {string} session
   * @param {'approve' | 'decline'} decision
   */
  async #decide(session, decision) {
    setText(this.#problem, '');
    try {
      await this.list.decide(session, decision);
    } catch (error) {
      setText(this.#problem, explain(error));
    }
  }

  /** @param {boolean} isPast */
  #select(isPast) {
    this.#isPast = isPast;
    this.#render();
    if (isPast && this.list.past.size === 0) void this.#loadMore();
  }

  /**
   * @param {string} label
   * @param {boolean} isPast
   */
  #tab(label, isPast) {
    return h('button', {
      type: 'button',
      role: 'tab',
      class: 'tab',
      'aria-controls': 'home-list',
      onclick: () => this.#select(isPast),
      onkeydown: (/** @type {KeyboardEvent} */ event) => {
        if (event.key !== 'ArrowLeft' && event.key !== 'ArrowRight') return;
        this.#select(!this.#isPast);
        this.#tabs[this.#isPast ? 1 : 0].focus();
      },
    }, label);
  }

  /** For a class that is not in the list: its id, or the link to it. */
  #byId() {
    const field = h('input', { id: 'session', autocomplete: 'off', autocapitalize: 'off', spellcheck: 'false', maxlength: 400, 'aria-describedby': 'by-id-hint' });
    return h('details', { class: 'by-id' },
      h('summary', {}, 'A class that is not in this list'),
      h('form', {
        class: 'by-id-form',
        novalidate: true,
        onsubmit: (/** @type {SubmitEvent} */ event) => {
          event.preventDefault();
          const text = field.value.trim();
          const hash = text.indexOf('#');
          const session = (hash < 0 ? null : new URLSearchParams(text.slice(hash + 1)).get('session')) ?? text;
          if (session) this.onopen(session);
          else field.focus();
        },
      },
      h('label', { for: 'session' }, 'Class id'), field,
      h('p', { id: 'by-id-hint', class: 'hint' }, 'Or the whole link that you were given.'),
      h('button', { type: 'submit', class: 'secondary' }, 'Open')));
  }
}

/** @param {string} title */
function section(title) {
  const rows = h('ul', { class: 'sessions' });
  return { element: h('section', { class: 'home-section' }, h('h2', {}, title), rows), rows };
}

/**
 * What is live, then what comes, then what has no time yet.
 *
 * @param {ListedSession} a
 * @param {ListedSession} b
 */
function soonestFirst(a, b) {
  return Number(b.is_live) - Number(a.is_live) || (a.scheduled_at ?? '9').localeCompare(b.scheduled_at ?? '9') || a.title.localeCompare(b.title);
}

/**
 * @param {ListedSession} a
 * @param {ListedSession} b
 */
function latestFirst(a, b) {
  return (b.started_at ?? b.scheduled_at ?? '').localeCompare(a.started_at ?? a.scheduled_at ?? '');
}

customElements.define('rollcall-home', HomeView);
