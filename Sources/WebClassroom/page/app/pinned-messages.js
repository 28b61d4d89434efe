// @ts-check

import { excerpt, nameOf } from './chat-message.js';
import { h, set } from './dom.js';
import { icon } from './icons.js';

/**
 * @typedef {import('./room.js').Room} Room
 */

/** What those who lead have pinned: it stays in view above the chat. */
export class PinnedMessages extends HTMLElement {
  /** @type {Room} */
  room = /** @type {any} */ (undefined);
  /** @type {(id: string) => void} */
  onreveal = () => {};
  #list = h('ul', { class: 'pinned-list', 'aria-label': 'Pinned messages' });
  /** @type {(() => void)[]} */
  #subscriptions = [];

  connectedCallback() {
    const { client } = this.room;
    this.replaceChildren(this.#list);
    this.#subscriptions = [client.on('pins', () => this.#render()), client.on('role', () => this.#render())];
    this.#render();
  }

  disconnectedCallback() {
    for (const unsubscribe of this.#subscriptions) unsubscribe();
  }

  #render() {
    const { client } = this.room;
    const pinned = client.chat.pinned.filter(({ deleted, erased }) => !deleted && !erased);
    set(this, 'hidden', pinned.length === 0);
    this.#list.replaceChildren(...pinned.map((message) =>
      h('li', { class: 'pinned', 'data-id': message.message_id },
        icon('pin'),
        h('button', { type: 'button', class: 'pinned-text', onclick: () => this.onreveal(message.message_id) },
          h('span', { class: 'pinned-name' }, `${nameOf(message)}: `), excerpt(message)),
        client.leads && h('button', {
          type: 'button',
          class: 'icon-button',
          onclick: () => void this.room.attempt(() => client.chat.pin(message.message_id, false)),
        }, icon('close'), h('span', { class: 'visually-hidden' }, 'Unpin')))));
  }
}

customElements.define('rollcall-pinned', PinnedMessages);
