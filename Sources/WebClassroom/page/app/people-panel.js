// @ts-check

import { avatar } from './avatar.js';
import { arrange, coalesced, h, set, setText } from './dom.js';
import { PersonRow } from './person-row.js';
import { RequestsList } from './requests-list.js';
import { WaitingList } from './waiting-list.js';

/**
 * @typedef {import('./room.js').Room} Room
 * @typedef {import('../sdk/protocol.js').Participant} Participant
 */

/** Who is here, whose hand is up, and, for those who lead, who waits. */
export class PeoplePanel extends HTMLElement {
  /** @type {Room} */
  room = /** @type {any} */ (undefined);
  #waiting = new WaitingList();
  #requests = new RequestsList();
  #list = h('ul', { class: 'people', 'aria-labelledby': 'people-title' });
  #title = h('h3', { id: 'people-title' });
  #rest = h('p', { class: 'people-rest' });
  #queue = h('ol', { class: 'hand-queue', 'aria-labelledby': 'hands-title' });
  #queueTitle = h('h3', { id: 'hands-title' });
  #lowerAll = h('button', { type: 'button', class: 'small quiet', onclick: () => void this.room.attempt(() => this.room.client.moderation.lowerAllHands()) }, 'Lower all hands');
  #hands = h('section', { class: 'hands', hidden: true }, h('div', { class: 'section-head' }, this.#queueTitle, this.#lowerAll), this.#queue);
  #bannedTitle = h('h3', { id: 'banned-title' });
  #bannedList = h('ul', { class: 'people', 'aria-labelledby': 'banned-title' });
  #banned = h('section', { class: 'banned', hidden: true }, h('div', { class: 'section-head' }, this.#bannedTitle), this.#bannedList);
  /** @type {Map<string, HTMLElement>} */
  #bannedRows = new Map();
  /** @type {Map<string, PersonRow>} */
  #rows = new Map();
  /** @type {Map<string, HTMLElement>} */
  #places = new Map();
  /** @type {(() => void)[]} */
  #subscriptions = [];

  connectedCallback() {
    const { client } = this.room;
    this.#waiting.room = this.#requests.room = this.room;
    this.replaceChildren(
      h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'List of people' },
        this.#waiting, this.#requests, this.#hands,
        h('section', {}, h('div', { class: 'section-head' }, this.#title), this.#list, this.#rest),
        this.#banned));
    const render = coalesced(() => this.#render());
    this.#subscriptions = [
      client.on('presence', render), client.on('role', render), client.on('spotlight', render), client.on('stage', render), client.on('joined', render),
      client.on('removed', render), client.on('bans', render),
    ];
    this.#render();
  }

  disconnectedCallback() {
    for (const unsubscribe of this.#subscriptions) unsubscribe();
  }

  #render() {
    const { client } = this.room;
    const people = [...client.presence].sort((a, b) => rank(b) - rank(a) || a.name.localeCompare(b.name));
    setText(this.#title, `In the class (${client.presence.count.toLocaleString()})`);
    arrange(this.#list, people.map((person) => {
      let row = this.#rows.get(person.user);
      if (!row) this.#rows.set(person.user, (row = new PersonRow(this.room, person.user)));
      row.show(person);
      return row.element;
    }));
    for (const user of this.#rows.keys()) {
      if (!client.presence.get(user)) this.#rows.delete(user);
    }
    const rest = client.presence.count - client.presence.size;
    set(this.#rest, 'hidden', rest <= 0);
    setText(this.#rest, `and ${rest.toLocaleString()} more`);
    this.#renderHands();
    this.#renderBanned();
  }

  #renderBanned() {
    const { client } = this.room;
    const people = client.leads ? [...client.banned.values()] : [];
    set(this.#banned, 'hidden', people.length === 0);
    setText(this.#bannedTitle, `Banned (${people.length.toLocaleString()})`);
    arrange(this.#bannedList, people.map(({ user, name }) => {
      let row = this.#bannedRows.get(user);
      if (!row) this.#bannedRows.set(user, (row = this.#bannedRow(user, name || user)));
      return row;
    }));
    for (const user of this.#bannedRows.keys()) {
      if (!client.banned.has(user)) this.#bannedRows.delete(user);
    }
  }

  /**
   * @param {string} user
   * @param {string} name
   */
  #bannedRow(user, name) {
    const { moderation } = this.room.client;
    return h('li', { class: 'person', 'data-user': user },
      avatar(user, name), h('div', { class: 'person-text' }, h('span', { class: 'person-name' }, name)),
      h('button', { type: 'button', class: 'small secondary', onclick: () => void this.room.attempt(() => moderation.unban(user)) },
        'Let back in', h('span', { class: 'visually-hidden' }, ` ${name}`)));
  }

  #renderHands() {
    const { client } = this.room;
    const { hands } = client.presence;
    set(this.#hands, 'hidden', hands.length === 0);
    set(this.#lowerAll, 'hidden', !client.leads);
    setText(this.#queueTitle, `Raised hands (${hands.length.toLocaleString()})`);
    arrange(this.#queue, hands.map((person) => {
      let place = this.#places.get(person.user);
      if (!place || place.dataset.leads !== String(client.leads)) this.#places.set(person.user, (place = this.#place(person)));
      return place;
    }));
    for (const user of this.#places.keys()) {
      if (!hands.some((person) => person.user === user)) this.#places.delete(user);
    }
  }

  /** @param {Participant} person */
  #place({ user, name }) {
    const { client } = this.room;
    const own = user === client.you?.user;
    return h('li', { class: 'hand-place', 'data-user': user, 'data-leads': String(client.leads) },
      h('div', { class: 'hand-line' },
        h('span', { class: 'person-name' }, name, own && h('span', { class: 'person-you' }, ' (you)')),
        client.leads && !own && h('span', { class: 'row-actions' },
          h('button', { type: 'button', class: 'small secondary', onclick: () => void this.room.attempt(() => client.moderation.askToUnmute(user)) },
            'Ask to speak', h('span', { class: 'visually-hidden' }, `: ${name}`)),
          h('button', { type: 'button', class: 'small quiet', onclick: () => void this.room.attempt(() => client.moderation.lowerHand(user)) },
            'Lower', h('span', { class: 'visually-hidden' }, ` the hand of ${name}`)))));
  }
}

/** @param {Participant} participant */
function rank({ role }) {
  return role === 'host' ? 2 : role === 'cohost' || role === 'admin' ? 1 : 0;
}

customElements.define('rollcall-people', PeoplePanel);
