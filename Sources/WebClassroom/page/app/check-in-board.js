// @ts-check

import { avatar } from './avatar.js';
import { CodeDisplay } from './code-display.js';
import { arrange, h, plural, set, setText } from './dom.js';
import { icon } from './icons.js';

/**
 * @typedef {import('./room.js').Room} Room
 * @typedef {import('./attendance-table.js').AttendanceRow} AttendanceRow
 */

/** How many people are shown at once; the field finds the others. */
const most = 100;

/** How often the list is fetched anew without a reason, in milliseconds. */
const interval = 15_000;

/** For who leads a class that is held in a room: the code to show there, and the roster, to tick off by hand. */
export class CheckInBoard extends HTMLElement {
  /** @type {Room} */
  room = /** @type {any} */ (undefined);
  /** Whether the code is shown, for people to check in by themselves. */
  showsCode = true;
  #code = new CodeDisplay();
  #summary = h('p', { class: 'board-summary', role: 'status' });
  #filter = h('input', { id: 'board-filter', type: 'search', autocomplete: 'off', placeholder: 'Find a person', 'aria-label': 'Find a person', oninput: () => this.#render() });
  #list = h('ul', { class: 'people board-people', 'aria-label': 'Roster' });
  #rest = h('p', { class: 'people-rest' });
  #empty = h('p', { class: 'hint', hidden: true }, 'Nobody is on the list, and nobody has come yet. People can check in with the code.');
  /** @type {AttendanceRow[]} */
  #people = [];
  /** @type {Map<string, {element: HTMLElement, show: (row: AttendanceRow) => void}>} */
  #rows = new Map();
  #isFetching = false;
  #isStale = true;
  /** @type {(() => void)[]} */
  #subscriptions = [];
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #timer;

  connectedCallback() {
    const { client } = this.room;
    this.#code.room = this.room;
    this.replaceChildren(
      ...(this.showsCode ? [this.#code] : []),
      h('section', { class: 'board-roster', 'aria-labelledby': 'board-title' },
        h('div', { class: 'section-head' }, h('h2', { id: 'board-title' }, 'Who is in the room'), this.#summary),
        this.#filter,
        h('div', { class: 'board-scroll', tabindex: '0', role: 'region', 'aria-label': 'Roster of the class' }, this.#list, this.#rest, this.#empty)));
    const refresh = () => {
      this.#isStale = true;
      void this.#refresh();
    };
    this.#subscriptions = [client.on('attendance', refresh), client.on('presence', refresh), client.on('joined', refresh), client.on('role', refresh)];
    this.#timer = setInterval(refresh, interval);
    refresh();
  }

  disconnectedCallback() {
    for (const unsubscribe of this.#subscriptions) unsubscribe();
    clearInterval(this.#timer);
  }

  /** To be called when it becomes visible. */
  reveal() {
    if (this.showsCode) this.#code.reveal();
    this.#isStale = true;
    void this.#refresh();
  }

  async #refresh() {
    const { client } = this.room;
    if (this.#isFetching || !client.leads || client.status !== 'open' || this.offsetParent === null) return;
    this.#isFetching = true;
    try {
      while (this.#isStale) {
        this.#isStale = false;
        this.#people = (await client.attendance()).participants;
        this.#render();
      }
    } catch {
      // The next change, or the next look, tries again.
    } finally {
      this.#isFetching = false;
    }
  }

  #render() {
    const people = this.#people.filter(({ role, counted }) => counted !== false || role === 'participant');
    const here = people.filter(({ is_active }) => is_active).length;
    setText(this.#summary, people.length === 0 ? '' : `${here.toLocaleString()} of ${people.length.toLocaleString()} here`);
    const wanted = this.#filter.value.trim().toLocaleLowerCase();
    const found = people.filter(({ name, user }) => `${name} ${user}`.toLocaleLowerCase().includes(wanted));
    found.sort((a, b) => Number(a.is_active) - Number(b.is_active) || a.name.localeCompare(b.name));
    set(this.#filter, 'hidden', people.length < 8);
    arrange(this.#list, found.slice(0, most).map((person) => {
      let row = this.#rows.get(person.user);
      if (!row) this.#rows.set(person.user, (row = this.#row(person)));
      row.show(person);
      return row.element;
    }));
    set(this.#rest, 'hidden', found.length <= most);
    setText(this.#rest, `and ${plural(found.length - most, 'other', 'others')}: type a name to find them`);
    set(this.#empty, 'hidden', people.length > 0);
  }

  /** @param {AttendanceRow} person */
  #row({ user, name }) {
    const { moderation } = this.room.client;
    const line = h('span', { class: 'person-role' });
    const mark = h('span', { class: 'board-mark', 'aria-hidden': 'true' }, icon('check'));
    const label = h('span', { class: 'visually-hidden' }, ` ${name}`);
    const word = h('span');
    let isHere = false;
    const button = h('button', {
      type: 'button', class: 'small secondary',
      onclick: async () => {
        if (button.hasAttribute('aria-disabled')) return;
        set(button, 'aria-disabled', 'true');
        const done = await this.room.attempt(() => (isHere ? moderation.checkOut(user) : moderation.checkIn(user)));
        set(button, 'aria-disabled', null);
        if (!done) return;
        this.#isStale = true;
        void this.#refresh();
      },
    }, word, label);
    const element = h('li', { class: 'person', 'data-user': user },
      avatar(user, name), h('div', { class: 'person-text' }, h('span', { class: 'person-name' }, name), line), mark, button);
    const show = (/** @type {AttendanceRow} */ { is_active, segments, first_join: first, last_leave: last }) => {
      const newest = segments.at(-1);
      isHere = is_active === true;
      const isVouched = isHere && newest?.checked_in === true;
      set(element, 'data-here', isHere);
      set(mark, 'hidden', !isHere);
      setText(line, isVouched ? `Checked in at ${clock(first)}` : isHere ? `Connected since ${clock(first)}` : last ? `Left at ${clock(last)}` : 'Not here yet');
      setText(word, isHere ? 'Check out' : 'Check in');
    };
    return { element, show };
  }
}

/** @param {string | null} time */
function clock(time) {
  return time ? format.format(new Date(time)) : '';
}

const format = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });

customElements.define('rollcall-check-in-board', CheckInBoard);
