// @ts-check

import { avatar } from './avatar.js';
import { coalesced, h, plural, set, setText } from './dom.js';

/**
 * @typedef {import('./room.js').Room} Room
 * @typedef {import('../sdk/protocol.js').WaitingPerson} WaitingPerson
 */

/** For those who lead: who waits, the longest first, and whom to let in. */
export class WaitingList extends HTMLElement {
  /** @type {Room} */
  room = /** @type {any} */ (undefined);
  /** @type {'h2' | 'h3'} the level of the heading */
  level = 'h3';
  #title = h('span');
  #list = h('ul', { class: 'people' });
  #rest = h('p', { class: 'people-rest' });
  #all = h('button', { type: 'button', class: 'small primary', onclick: () => void this.room.attempt(() => this.room.client.moderation.admitAll()) }, 'Admit all');
  /** @type {Map<string, {element: HTMLElement, line: HTMLElement}>} */
  #rows = new Map();
  /** @type {(() => void)[]} */
  #subscriptions = [];

  connectedCallback() {
    const { client } = this.room;
    const render = coalesced(() => this.#render());
    this.replaceChildren(
      h('div', { class: 'section-head' }, h(this.level, {}, this.#title), this.#all),
      this.#list, this.#rest);
    this.#subscriptions = [client.on('waiting', render), client.on('role', render), client.on('session', render)];
    this.#render();
  }

  disconnectedCallback() {
    for (const unsubscribe of this.#subscriptions) unsubscribe();
  }

  #render() {
    const { client } = this.room;
    const own = client.you?.user;
    const people = client.leads ? client.waiting.people.filter(({ user }) => user !== own) : [];
    const isIn = client.waiting.people.some(({ user }) => user === own);
    const count = Math.max(client.waiting.count - (isIn ? 1 : 0), people.length);
    set(this, 'hidden', people.length === 0);
    setText(this.#title, `Waiting (${count.toLocaleString()})`);
    const isBefore = client.state === 'waiting';
    // At the start the approved come in by themselves, unless each is to be let in.
    const isSettled = (/** @type {WaitingPerson} */ { approved }) => isBefore && approved !== false && !client.hasWaitingRoom;
    const open = people.filter((person) => !isSettled(person));
    set(this.#all, 'hidden', open.length === 0);
    /** @type {Set<string>} */
    const shown = new Set();
    for (const person of people) {
      shown.add(person.user);
      let row = this.#rows.get(person.user);
      if (!row) this.#rows.set(person.user, (row = this.#row(person)));
      const knocks = person.approved === false;
      setText(row.line, knocks ? 'Asks to come in' : since(person.since));
      set(row.element, 'data-knocks', knocks);
      set(row.element, 'data-settled', isSettled(person));
      if (row.element.parentElement !== this.#list) this.#list.append(row.element);
    }
    for (const [user, { element }] of this.#rows) {
      if (shown.has(user)) continue;
      element.remove();
      this.#rows.delete(user);
    }
    const rest = count - people.length;
    set(this.#rest, 'hidden', rest <= 0);
    setText(this.#rest, `and ${plural(rest, 'other', 'others')}`);
  }

  /** @param {WaitingPerson} person */
  #row({ user, name }) {
    const { moderation } = this.room.client;
    const line = h('span', { class: 'person-role' });
    const element = h('li', { class: 'person waiting-person', 'data-user': user },
      avatar(user, name),
      h('div', { class: 'person-text' }, h('span', { class: 'person-name' }, name), line),
      h('span', { class: 'row-actions' },
        h('button', { type: 'button', class: 'small secondary admit', onclick: () => void this.room.attempt(() => moderation.admit(user)) },
          'Admit', h('span', { class: 'visually-hidden' }, ` ${name}`)),
        h('button', { type: 'button', class: 'small quiet', onclick: () => void this.room.attempt(() => moderation.deny(user)) },
          'Deny', h('span', { class: 'visually-hidden' }, ` ${name}`))));
    return { element, line };
  }
}

/** @param {string | undefined} time */
function since(time) {
  return time ? `Since ${clock.format(new Date(time))}` : '';
}

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });

customElements.define('rollcall-waiting-list', WaitingList);
