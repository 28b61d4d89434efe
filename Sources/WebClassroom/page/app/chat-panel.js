// @ts-check

import { ChatThread } from './chat-thread.js';
import { h, set } from './dom.js';
import { PinnedMessages } from './pinned-messages.js';

/** @typedef {import('./room.js').Room} Room */

/** The chat: what everybody reads, with what is pinned above, and what is said to the hosts alone. */
export class ChatPanel extends HTMLElement {
  /** @type {Room} */
  room = /** @type {any} */ (undefined);
  readOnly = false;
  #everyone = new ChatThread();
  #toHosts = new ChatThread();
  #pinned = new PinnedMessages();
  #showsPrivate = false;
  #unread = h('span', { class: 'tab-unread', hidden: true }, h('span', { class: 'visually-hidden' }, ' new messages'));
  #tabs = [this.#tab('Everyone', false), this.#tab('Hosts only', true)];
  #tabList = h('div', { class: 'tabs', role: 'tablist', 'aria-label': 'Who reads it' }, ...this.#tabs);
  /** @type {(() => void)[]} */
  #subscriptions = [];

  connectedCallback() {
    const { client } = this.room;
    for (const thread of [this.#everyone, this.#toHosts]) {
      thread.room = this.room;
      thread.readOnly = this.readOnly;
    }
    this.#toHosts.isPrivate = true;
    this.#pinned.room = this.room;
    this.#pinned.onreveal = (id) => this.#everyone.reveal(id);
    this.replaceChildren(this.#tabList,
      h('div', { class: 'tab-panel', role: 'tabpanel', id: 'chat-everyone', 'aria-label': 'Everyone' }, this.#pinned, this.#everyone),
      h('div', { class: 'tab-panel', role: 'tabpanel', id: 'chat-hosts', 'aria-label': 'Hosts only' }, this.#toHosts));
    this.#subscriptions = [
      client.on('chat', ({ log, added, live }) => {
        const isNews = live && added.some(({ user }) => user !== client.you?.user);
        if (isNews && log === client.chat.toHosts && !this.#showsPrivate) set(this.#unread, 'hidden', false);
        this.#render();
      }),
    ];
    this.#render();
  }

  disconnectedCallback() {
    for (const unsubscribe of this.#subscriptions) unsubscribe();
  }

  /** Puts the cursor into the field. */
  focusField() {
    this.#visible.focusField();
  }

  /** Shows the newest messages; to be called when the panel becomes visible. */
  reveal() {
    this.#visible.showNewest();
  }

  get #visible() {
    return this.#showsPrivate ? this.#toHosts : this.#everyone;
  }

  #render() {
    const { client } = this.room;
    // After the class the tabs are of use only when something was said to the hosts.
    set(this.#tabList, 'hidden', this.readOnly && client.chat.toHosts.messages.length === 0);
    this.#tabs.forEach((tab, index) => {
      const isOpen = (index === 1) === this.#showsPrivate;
      set(tab, 'aria-selected', String(isOpen));
      set(tab, 'tabindex', isOpen ? '0' : '-1');
    });
    for (const [index, panel] of [...this.querySelectorAll('.tab-panel')].entries()) set(panel, 'hidden', (index === 1) !== this.#showsPrivate);
  }

  /**
   * @param {string} label
   * @param {boolean} isPrivate
   */
  #tab(label, isPrivate) {
    return h('button', {
      type: 'button',
      role: 'tab',
      class: 'tab',
      'aria-controls': isPrivate ? 'chat-hosts' : 'chat-everyone',
      onclick: () => this.#select(isPrivate),
      onkeydown: (/** @type {KeyboardEvent} */ event) => {
        if (event.key !== 'ArrowLeft' && event.key !== 'ArrowRight') return;
        this.#select(!this.#showsPrivate);
        this.#tabs[this.#showsPrivate ? 1 : 0].focus();
      },
    }, label, isPrivate && this.#unread);
  }

  /** @param {boolean} isPrivate */
  #select(isPrivate) {
    this.#showsPrivate = isPrivate;
    if (isPrivate) set(this.#unread, 'hidden', true);
    this.#render();
    this.#visible.showNewest();
  }
}

customElements.define('rollcall-chat', ChatPanel);
