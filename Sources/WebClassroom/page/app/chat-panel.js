// @ts-check

import { avatar } from './avatar.js';
import { h, set, setText } from './dom.js';
import { icon } from './icons.js';
import { randomKey } from '../sdk/protocol.js';
import { explain, roleName } from './sentences.js';

/**
 * @typedef {import('./room.js').Room} Room
 * @typedef {import('../sdk/protocol.js').ChatMessage} ChatMessage
 */

/** Messages of one person that follow within this time stand under one name. */
const together = 4 * 60_000;

/** What the server takes, in bytes of UTF-8. */
const longest = 4096;

/** The chat: what was said, and, while the class is on, a field to say something. */
export class ChatPanel extends HTMLElement {
  /** @type {Room} */
  room = /** @type {any} */ (undefined);
  readOnly = false;
  /** @type {Map<number, HTMLElement>} */
  #rows = new Map();
  #log = h('div', { class: 'messages', role: 'log', 'aria-label': 'Messages' });
  #empty = h('p', { class: 'chat-empty' });
  #unsent = h('div', { class: 'unsent' });
  #earlier = h('button', { type: 'button', class: 'quiet small earlier', hidden: true, onclick: () => this.#showEarlier() }, 'Show earlier messages');
  #scroll = h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Chat messages' });
  #below = h('button', { type: 'button', class: 'below', hidden: true, onclick: () => this.#toEnd() }, icon('down'), 'New messages');
  #problem = h('p', { class: 'wrong chat-problem', role: 'alert' });
  /** @type {(() => void)[]} */
  #subscriptions = [];

  connectedCallback() {
    const { client } = this.room;
    setText(this.#empty, this.readOnly ? 'Nothing was written in this class.' : 'No messages yet. Everybody in the class can read what you write here.');
    this.#scroll.replaceChildren(this.#earlier, this.#empty, this.#log, this.#unsent);
    this.#scroll.onscroll = () => {
      if (this.#atEnd) set(this.#below, 'hidden', true);
    };
    this.replaceChildren(this.#scroll, this.#below);
    if (!this.readOnly) this.append(this.#composer());
    this.#subscriptions = [client.on('chat', ({ added, live }) => this.#update(added, live))];
    this.#update([], false);
    this.#toEnd();
  }

  disconnectedCallback() {
    for (const unsubscribe of this.#subscriptions) unsubscribe();
  }

  /** Puts the cursor into the field. */
  focusField() {
    this.querySelector('textarea')?.focus();
  }

  /** Shows the newest messages; to be called when the panel becomes visible. */
  reveal() {
    this.#toEnd();
  }

  get #atEnd() {
    return this.#scroll.scrollHeight - this.#scroll.scrollTop - this.#scroll.clientHeight < 48;
  }

  #toEnd() {
    this.#scroll.scrollTop = this.#scroll.scrollHeight;
    set(this.#below, 'hidden', true);
  }

  /**
   * @param {ChatMessage[]} added
   * @param {boolean} live
   */
  #update(added, live) {
    const { client } = this.room;
    const messages = client.chat.messages;
    const stay = !this.#atEnd;
    const fromEnd = this.#scroll.scrollHeight - this.#scroll.scrollTop;
    const present = new Set(messages.map((message) => message.seq));
    for (const [sequence, row] of this.#rows) {
      if (present.has(sequence)) continue;
      row.remove();
      this.#rows.delete(sequence);
    }
    /** @type {HTMLElement | null} */
    let next = null;
    for (let index = messages.length - 1; index >= 0; index -= 1) {
      const message = messages[index];
      let row = this.#rows.get(message.seq);
      if (!row) {
        row = messageRow(message, message.user === client.you?.user);
        this.#rows.set(message.seq, row);
        this.#log.insertBefore(row, next);
      }
      const former = messages[index - 1];
      set(row, 'data-follows', former?.user === message.user && message.at - former.at < together);
      next = row;
    }
    set(this.#empty, 'hidden', messages.length > 0);
    set(this.#earlier, 'hidden', !client.chat.hasMore);
    const own = added.some((message) => message.user === client.you?.user);
    if (!stay || (live && own)) this.#toEnd();
    else if (!live) this.#scroll.scrollTop = this.#scroll.scrollHeight - fromEnd;
    else if (added.length > 0) set(this.#below, 'hidden', false);
  }

  async #showEarlier() {
    if (this.#earlier.hasAttribute('aria-disabled')) return;
    set(this.#earlier, 'aria-disabled', 'true');
    setText(this.#earlier, 'Fetching…');
    try {
      await this.room.client.loadEarlier();
    } catch (error) {
      setText(this.#problem, explain(error));
    }
    set(this.#earlier, 'aria-disabled', null);
    setText(this.#earlier, 'Show earlier messages');
    set(this.#earlier, 'hidden', !this.room.client.chat.hasMore);
    if (!this.room.client.chat.hasMore) this.#scroll.focus();
  }

  #composer() {
    const field = h('textarea', { id: 'message', rows: 1, placeholder: 'Message to everyone', enterkeyhint: 'send', autocomplete: 'off' });
    const submit = () => {
      const text = field.value.trim();
      setText(this.#problem, '');
      if (!text) return;
      if (new TextEncoder().encode(text).length > longest) {
        setText(this.#problem, 'This message is too long. Please send it in parts.');
        return;
      }
      field.value = '';
      grow();
      void this.#say(text, randomKey());
    };
    const grow = () => {
      field.style.setProperty('height', 'auto');
      field.style.setProperty('height', `${Math.min(field.scrollHeight + 2, 132)}px`);
    };
    field.addEventListener('input', grow);
    field.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      submit();
    });
    return h(
      'form',
      {
        class: 'composer',
        onsubmit: (/** @type {SubmitEvent} */ event) => {
          event.preventDefault();
          submit();
        },
      },
      this.#problem,
      h('label', { for: 'message', class: 'visually-hidden' }, 'Message to everyone'),
      field,
      h('button', { type: 'submit', class: 'send' }, icon('send'), h('span', { class: 'visually-hidden' }, 'Send message')),
    );
  }

  /**
   * Says something, and shows it as unsent until the server has it.
   *
   * @param {string} text
   * @param {string} key
   */
  async #say(text, key) {
    const state = h('span', { class: 'unsent-state' }, 'Sending…');
    const row = h('div', { class: 'message own pending' }, h('p', { class: 'message-text' }, text), state);
    // Most messages are confirmed at once: only a delay is worth showing.
    const timer = setTimeout(() => {
      this.#unsent.append(row);
      this.#toEnd();
    }, 250);
    try {
      await this.room.client.sendChat(text, key);
      clearTimeout(timer);
      row.remove();
    } catch (error) {
      clearTimeout(timer);
      row.classList.add('failed');
      setText(state, `Not sent. ${explain(error)} `);
      state.append(
        h('button', {
          type: 'button',
          class: 'quiet small',
          onclick: () => {
            row.remove();
            void this.#say(text, key);
          },
        }, 'Send again'),
      );
      this.#unsent.append(row);
      this.#toEnd();
    }
  }
}

/**
 * @param {ChatMessage} message
 * @param {boolean} own
 */
function messageRow(message, own) {
  const role = roleName(message.role);
  const at = new Date(message.at);
  const name = message.erased ? 'Deleted user' : message.name;
  return h(
    'div',
    { class: own ? 'message own' : 'message', 'data-seq': message.seq },
    h('div', { class: 'message-head' },
      avatar(message.user, name),
      h('span', { class: 'message-name' }, name),
      role && h('span', { class: 'badge' }, role),
      h('time', { datetime: at.toISOString() }, clock.format(at))),
    message.erased
      ? h('p', { class: 'message-text erased' }, 'This message was deleted.')
      : h('p', { class: 'message-text' }, message.text),
  );
}

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });

customElements.define('rollcall-chat', ChatPanel);
