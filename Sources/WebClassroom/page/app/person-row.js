// @ts-check

import { avatar } from './avatar.js';
import { h, set, setText } from './dom.js';
import { icon } from './icons.js';
import { menuButton } from './menu.js';
import { personActions } from './person-menu.js';
import { roleName } from './sentences.js';

/**
 * @typedef {import('./room.js').Room} Room
 * @typedef {import('../sdk/protocol.js').Participant} Participant
 */

/** One person in the list: name, role, marks, and, for who leads, what can be done. */
export class PersonRow {
  element;
  #room;
  #face = h('span', { class: 'person-face' });
  #name = h('span', { class: 'person-name' });
  #line = h('span', { class: 'person-role' });
  #marks = h('span', { class: 'person-devices' });
  #menu;
  #shown = '';

  /**
   * @param {Room} room
   * @param {string} user
   */
  constructor(room, user) {
    this.#room = room;
    this.#menu = h('span', { class: 'person-menu' });
    this.element = h('li', { class: 'person', 'data-user': user },
      this.#face, h('div', { class: 'person-text' }, this.#name, this.#line), this.#marks, this.#menu);
  }

  /** @param {Participant} person */
  show(person) {
    const { client } = this.#room;
    const { rules } = client;
    const own = person.user === client.you?.user;
    const isStageClosed = rules.stage.mode === 'invited' && person.on_stage === true;
    const state = JSON.stringify([person, client.leads, rules.spotlight === person.user, isStageClosed]);
    if (state === this.#shown) return;
    this.#shown = state;
    set(this.element, 'data-lost', person.reconnecting);
    set(this.element, 'data-away', person.away === true);
    this.#face.replaceChildren(avatar(person.user, person.name));
    this.#name.replaceChildren(person.name);
    if (own) this.#name.append(h('span', { class: 'person-you' }, ' (you)'));

    const words = [roleName(person.role), isStageClosed && person.role === 'participant' && 'On stage', person.away && !person.reconnecting && 'Away'];
    setText(this.#line, person.reconnecting ? 'Connection lost, may come back' : words.filter(Boolean).join(' · '));
    set(this.#line, 'class', person.reconnecting ? 'person-lost' : 'person-role');

    const { hand, muted, screen_enabled, video_enabled, audio_enabled } = person;
    this.#marks.replaceChildren(...elements(
      rules.spotlight === person.user && mark('spotlight', true, 'shown large to everyone'),
      person.reconnecting && mark('lost', true, 'connection lost'),
      hand && mark('hand', true, 'hand is up'),
      screen_enabled && mark('screen', true, 'shares the screen'),
      mark('camera', video_enabled, video_enabled ? 'camera on' : 'camera off'),
      mark('microphone', audio_enabled, audio_enabled ? 'microphone on' : muted ? 'muted by a host' : 'microphone off', muted),
    ));
    this.#offer(person);
  }

  /** @param {Participant} person */
  #offer({ user, name }) {
    const has = personActions(this.#room, user).length > 0;
    if (!has) this.#menu.replaceChildren();
    const label = `Actions for ${name}`;
    if (!has || this.#menu.textContent === label) return;
    this.#menu.replaceChildren(menuButton({ label, picture: icon('more'), items: () => personActions(this.#room, user) }));
  }
}

/** @param {...any} candidates @returns {HTMLElement[]} */
function elements(...candidates) {
  return candidates.filter((candidate) => candidate instanceof HTMLElement);
}

/**
 * @param {import('./icons.js').IconName} name
 * @param {boolean} on
 * @param {string} text
 * @param {boolean} [forced]
 */
function mark(name, on, text, forced = false) {
  return h('span', { class: 'device', 'data-on': on, 'data-forced': forced }, icon(name, { crossed: !on }), h('span', { class: 'visually-hidden' }, text));
}
