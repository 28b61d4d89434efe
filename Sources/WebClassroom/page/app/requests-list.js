// @ts-check

import { avatar } from './avatar.js';
import { arrange, h, set, setText } from './dom.js';
import { RollcallError } from '../sdk/protocol.js';

/**
 * @typedef {import('./room.js').Room} Room
 *
 * @typedef {{user: string, name: string, email: string | null, state: string, at: string}} Registration
 */

/** How often it is looked who asks, in milliseconds; the host is told at once besides. */
const interval = 30_000;

/** How many pages of the list are looked through. */
const pages = 10;

/** For those who lead: who asks for a place in the class, and whether to give it. */
export class RequestsList extends HTMLElement {
  /** @type {Room} */
  room = /** @type {any} */ (undefined);
  /** @type {'h2' | 'h3'} the level of the heading */
  level = 'h3';
  #title = h('span');
  #list = h('ul', { class: 'people' });
  /** @type {Map<string, HTMLElement>} */
  #rows = new Map();
  #isFetching = false;
  /** @type {(() => void)[]} */
  #subscriptions = [];
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #timer;

  connectedCallback() {
    const { client } = this.room;
    this.replaceChildren(h('div', { class: 'section-head' }, h(this.level, {}, this.#title)), this.#list);
    set(this, 'hidden', true);
    const refresh = () => void this.#refresh();
    this.#subscriptions = [
      client.on('joined', refresh),
      client.on('role', refresh),
      client.on('session', refresh),
      client.on('event', ({ type, kind, session }) => {
        if (type === 'notification' && kind === 'requested' && session === client.sessionId) refresh();
      }),
    ];
    this.#timer = setInterval(refresh, interval);
    refresh();
  }

  disconnectedCallback() {
    for (const unsubscribe of this.#subscriptions) unsubscribe();
    clearInterval(this.#timer);
  }

  async #refresh() {
    const { client } = this.room;
    if (!client.leads || client.session?.admission !== 'approval') {
      set(this, 'hidden', true);
      return;
    }
    if (this.#isFetching) return;
    this.#isFetching = true;
    try {
      /** @type {Registration[]} */
      const people = [];
      let cursor = '';
      for (let page = 0; page < pages; page += 1) {
        const response = await this.room.fetch(`registrations/?limit=1000${cursor}`);
        if (!response.ok) break;
        const { registrations, next } = await response.json();
        people.push(...registrations.filter((/** @type {Registration} */ { state }) => state === 'requested'));
        if (next === null) break;
        cursor = `&cursor=${encodeURIComponent(next)}`;
      }
      this.#show(people);
    } catch {
      // The next look may be luckier.
    } finally {
      this.#isFetching = false;
    }
  }

  /** @param {Registration[]} people */
  #show(people) {
    people.sort((a, b) => a.at.localeCompare(b.at));
    set(this, 'hidden', people.length === 0);
    setText(this.#title, `Asking for a place (${people.length.toLocaleString()})`);
    arrange(this.#list, people.map((person) => {
      let row = this.#rows.get(person.user);
      if (!row) this.#rows.set(person.user, (row = this.#row(person)));
      return row;
    }));
    for (const user of this.#rows.keys()) {
      if (!people.some((person) => person.user === user)) this.#rows.delete(user);
    }
  }

  /** @param {Registration} person */
  #row({ user, name, email }) {
    const button = (/** @type {string} */ label, /** @type {string} */ kind, /** @type {string} */ decision) =>
      h('button', { type: 'button', class: `small ${kind}`, onclick: () => void this.#decide(user, decision) }, label, h('span', { class: 'visually-hidden' }, ` ${name || user}`));
    return h('li', { class: 'person', 'data-user': user },
      avatar(user, name || user),
      h('div', { class: 'person-text' }, h('span', { class: 'person-name' }, name || user), email && h('span', { class: 'person-role' }, email)),
      h('span', { class: 'row-actions' }, button('Give a place', 'secondary', 'approve'), button('Decline', 'quiet', 'reject')));
  }

  /**
   * @param {string} user
   * @param {string} decision
   */
  async #decide(user, decision) {
    await this.room.attempt(async () => {
      const response = await this.room.fetch(`registrations/${encodeURIComponent(user)}/${decision}/`, 'POST');
      if (!response.ok) throw RollcallError.from((await response.json()).error ?? { code: 'unavailable' });
    });
    void this.#refresh();
  }
}

customElements.define('rollcall-requests', RequestsList);
