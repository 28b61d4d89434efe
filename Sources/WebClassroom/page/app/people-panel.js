// @ts-check

import { avatar } from './avatar.js';
import { coalesced, h } from './dom.js';
import { icon } from './icons.js';
import { roleName } from './sentences.js';

/**
 * @typedef {import('./room.js').Room} Room
 * @typedef {import('../sdk/protocol.js').Participant} Participant
 */

/** Who is here: roles, devices, and whose connection is lost. */
export class PeoplePanel extends HTMLElement {
  /** @type {Room} */
  room = /** @type {any} */ (undefined);
  #list = h('ul', { class: 'people' });
  /** @type {(() => void)[]} */
  #subscriptions = [];

  connectedCallback() {
    this.replaceChildren(h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'List of people' }, this.#list));
    this.#subscriptions = [this.room.client.on('presence', coalesced(() => this.#render()))];
    this.#render();
  }

  disconnectedCallback() {
    for (const unsubscribe of this.#subscriptions) unsubscribe();
  }

  #render() {
    const { client } = this.room;
    const people = [...client.presence].sort((a, b) => leads(b) - leads(a) || a.name.localeCompare(b.name));
    this.#list.replaceChildren(...people.map((participant) => row(participant, participant.user === client.you?.user)));
    const rest = client.presence.count - client.presence.size;
    if (rest > 0) this.#list.append(h('li', { class: 'people-rest' }, `and ${rest.toLocaleString()} more`));
  }
}

/** @param {Participant} participant */
function leads({ role }) {
  return role === 'host' ? 2 : role === 'cohost' ? 1 : 0;
}

/**
 * @param {Participant} participant
 * @param {boolean} own
 */
function row(participant, own) {
  const lost = participant.reconnecting;
  const role = roleName(participant.role);
  return h(
    'li',
    { class: 'person', 'data-user': participant.user, 'data-lost': lost },
    avatar(participant.user, participant.name),
    h('div', { class: 'person-text' },
      h('span', { class: 'person-name' }, participant.name, own && h('span', { class: 'person-you' }, ' (you)')),
      lost ? h('span', { class: 'person-lost' }, 'Connection lost, may come back') : role && h('span', { class: 'person-role' }, role)),
    h('span', { class: 'person-devices' },
      lost && device('lost', true, 'connection lost'),
      participant.screen_enabled && device('screen', true, 'shares the screen'),
      device('camera', participant.video_enabled, participant.video_enabled ? 'camera on' : 'camera off'),
      device('microphone', participant.audio_enabled, participant.audio_enabled ? 'microphone on' : 'microphone off')),
  );
}

/**
 * @param {import('./icons.js').IconName} name
 * @param {boolean} on
 * @param {string} text
 */
function device(name, on, text) {
  return h('span', { class: 'device', 'data-on': on }, icon(name, { crossed: !on }), h('span', { class: 'visually-hidden' }, text));
}

customElements.define('rollcall-people', PeoplePanel);
