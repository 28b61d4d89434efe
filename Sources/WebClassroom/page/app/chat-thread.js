// @ts-check

import { MessageRow } from './chat-message.js';
import { Composer } from './composer.js';
import { coalesced, h, set, setText } from './dom.js';
import { icon } from './icons.js';
import { randomKey } from '../sdk/protocol.js';
import { explain } from './sentences.js';

/**
 * @typedef {import('./room.js').Room} Room
 * @typedef {import('./composer.js').Draft} Draft
 * @typedef {import('../sdk/chat-log.js').ChatLog} ChatLog
 * @typedef {import('../sdk/protocol.js').ChatMessage} ChatMessage
 * @typedef {import('../sdk/protocol.js').RollcallError} RollcallError
 */

/** Messages of one person that follow within this time stand under one name. */
const together = 4 * 60_000;

/** What was written to everybody, or to the hosts alone, and, while the class is on, a field to write in. */
export class ChatThread extends HTMLElement {
  /** @type {Room} */
  room = /** @type {any} */ (undefined);
  readOnly = false;
  isPrivate = false;
  /** @type {Map<number, MessageRow>} */
  #rows = new Map();
  #log = h('div', { class: 'messages', role: 'log' });
  #empty = h('p', { class: 'chat-empty' });
  #unsent = h('div', { class: 'unsent' });
  #earlier = h('button', { type: 'button', class: 'quiet small earlier', hidden: true, onclick: () => this.#showEarlier() }, 'Show earlier messages');
  #scroll = h('div', { class: 'scroll', tabindex: '0', role: 'region' });
  #below = h('button', { type: 'button', class: 'below', hidden: true, onclick: () => this.#toEnd() }, icon('down'), 'New messages');
  #typing = h('p', { class: 'typing', 'aria-hidden': 'true' });
  #problem = h('p', { class: 'wrong chat-problem', role: 'alert' });
  #composer = new Composer();
  /** @type {(() => void)[]} */
  #subscriptions = [];
  #isAtEnd = true;
  /** What is read stays in view when the field below grows, or a keyboard comes up. */
  #observer = new ResizeObserver(() => {
    if (this.#isAtEnd) this.#toEnd();
  });

  connectedCallback() {
    const { client } = this.room;
    set(this.#log, 'aria-label', this.isPrivate ? 'Messages to the hosts' : 'Messages');
    set(this.#scroll, 'aria-label', this.isPrivate ? 'Chat with the hosts' : 'Chat messages');
    this.#scroll.replaceChildren(this.#earlier, this.#empty, this.#log, this.#unsent);
    this.#scroll.onscroll = () => {
      this.#isAtEnd = this.#atEnd;
      if (this.#isAtEnd) set(this.#below, 'hidden', true);
    };
    this.#observer.observe(this.#scroll);
    this.replaceChildren(h('div', { class: 'scroll-frame' }, this.#scroll, this.#below), this.#problem);
    if (!this.readOnly) {
      this.#composer.room = this.room;
      this.#composer.isPrivate = this.isPrivate;
      this.#composer.onsend = (draft) => void (draft.edits ? this.#change(draft) : this.#say(draft, randomKey()));
      this.append(this.#typing, this.#composer);
    }
    const refresh = coalesced(() => this.#update([], false));
    this.#subscriptions = [
      client.on('chat', ({ log, added, live, changed }) => {
        if (log !== this.log) return;
        // Additions are shown at once: where the list stands afterwards depends on each.
        if (changed && added.length === 0) refresh();
        else this.#update(added, live);
      }),
      client.on('typing', () => this.#showTyping()),
      client.on('role', refresh),
    ];
    this.#update([], false);
    this.#toEnd();
  }

  disconnectedCallback() {
    for (const unsubscribe of this.#subscriptions) unsubscribe();
    this.#observer.disconnect();
  }

  /** @returns {ChatLog} */
  get log() {
    const { chat } = this.room.client;
    return this.isPrivate ? chat.toHosts : chat.everyone;
  }

  /** Puts the cursor into the field. */
  focusField() {
    this.#composer.focusField();
  }

  /**
   * Brings a message into view, and the focus to it.
   *
   * @param {string} id
   */
  reveal(id) {
    const message = this.find(id);
    const element = message && this.#rows.get(message.seq)?.element;
    if (!element) return;
    element.scrollIntoView({ block: 'center' });
    set(element, 'data-revealed', true);
    element.setAttribute('tabindex', '-1');
    element.focus({ preventScroll: true });
    setTimeout(() => set(element, 'data-revealed', null), 2000);
  }

  /** Shows the newest messages; to be called when the thread becomes visible. */
  showNewest() {
    this.#toEnd();
  }

  /** @param {string} id */
  find(id) {
    return this.log.get(id);
  }

  /** @param {ChatMessage} message */
  reply(message) {
    this.#composer.reply(message);
  }

  /** @param {ChatMessage} message */
  edit(message) {
    this.#composer.edit(message);
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
    const { messages, hasMore } = this.log;
    const stay = !this.#atEnd;
    const fromEnd = this.#scroll.scrollHeight - this.#scroll.scrollTop;
    const present = new Map(messages.map((message) => [message.seq, message.message_id]));
    for (const [sequence, row] of this.#rows) {
      if (present.get(sequence) === row.element.dataset.id) continue;
      row.element.remove();
      this.#rows.delete(sequence);
    }
    /** @type {HTMLElement | null} */
    let next = null;
    for (let index = messages.length - 1; index >= 0; index -= 1) {
      const message = messages[index];
      let row = this.#rows.get(message.seq);
      if (!row) {
        row = new MessageRow(this.#thread, message);
        this.#rows.set(message.seq, row);
        this.#log.insertBefore(row.element, next);
      } else {
        row.show(message);
      }
      const former = messages[index - 1];
      const follows = former?.user === message.user && message.at - former.at < together && !message.reply_to;
      set(row.element, 'data-follows', follows);
      next = row.element;
    }
    setText(this.#empty, this.#emptySentence);
    set(this.#empty, 'hidden', messages.length > 0);
    set(this.#earlier, 'hidden', !hasMore);
    const own = added.some((message) => message.user === client.you?.user);
    if (!stay || (live && own)) this.#toEnd();
    else if (!live) this.#scroll.scrollTop = this.#scroll.scrollHeight - fromEnd;
    else if (added.length > 0) set(this.#below, 'hidden', false);
  }

  get #emptySentence() {
    if (this.readOnly) return this.isPrivate ? 'Nothing was said to the hosts alone.' : 'Nothing was written in this class.';
    if (!this.isPrivate) return 'No messages yet. Everybody in the class can read what you write here.';
    return this.room.client.leads
      ? 'What people say to the hosts alone appears here. Only hosts and co-hosts can read it.'
      : 'What you write here only the hosts can read.';
  }

  get #thread() {
    return {
      room: this.room,
      isPrivate: this.isPrivate,
      readOnly: this.readOnly,
      find: (/** @type {string} */ id) => this.find(id) ?? this.room.client.chat.everyone.get(id),
      reveal: (/** @type {string} */ id) => this.reveal(id),
      reply: (/** @type {ChatMessage} */ message) => this.reply(message),
      edit: (/** @type {ChatMessage} */ message) => this.edit(message),
    };
  }

  #showTyping() {
    const { users, count } = this.room.client.chat.typing;
    const names = users.map(({ name }) => name);
    let text = '';
    if (count === 1 && names[0]) text = `${names[0]} is typing…`;
    else if (count === 2 && names.length === 2) text = `${names[0]} and ${names[1]} are typing…`;
    else if (count > 1) text = `${count.toLocaleString()} people are typing…`;
    setText(this.#typing, this.isPrivate ? '' : text);
  }

  async #showEarlier() {
    if (this.#earlier.hasAttribute('aria-disabled')) return;
    set(this.#earlier, 'aria-disabled', 'true');
    setText(this.#earlier, 'Fetching…');
    setText(this.#problem, '');
    try {
      await this.room.client.chat.loadEarlier(this.log);
    } catch (error) {
      setText(this.#problem, explain(error));
    }
    set(this.#earlier, 'aria-disabled', null);
    setText(this.#earlier, 'Show earlier messages');
    set(this.#earlier, 'hidden', !this.log.hasMore);
    if (!this.log.hasMore) this.#scroll.focus();
  }

  /** @param {Draft} draft */
  async #change(draft) {
    try {
      await this.room.client.chat.edit(draft.edits?.message_id ?? '', draft.text);
    } catch (error) {
      this.#composer.restore(draft, explain(error));
    }
  }

  /**
   * Says something, and shows it as unsent until the server has it.
   *
   * @param {Draft} draft
   * @param {string} key
   */
  async #say(draft, key) {
    const { client } = this.room;
    const state = h('span', { class: 'unsent-state' }, 'Sending…');
    const row = h('div', { class: 'message own pending' }, h('p', { class: 'message-text' }, draft.text), state);
    // Most messages are confirmed at once: only a delay is worth showing.
    const timer = setTimeout(() => {
      this.#unsent.append(row);
      this.#toEnd();
    }, 250);
    try {
      await client.chat.send(draft.text, { key, replyTo: draft.replyTo?.message_id, toHosts: this.isPrivate });
      clearTimeout(timer);
      row.remove();
      this.room.mayWriteAt = Date.now() + client.rules.policy.slow_mode_seconds * 1000;
    } catch (problem) {
      clearTimeout(timer);
      const error = /** @type {RollcallError} */ (problem);
      if (error.code === 'slow_mode' || error.code === 'chat_closed') {
        row.remove();
        if (error.code === 'slow_mode') this.room.mayWriteAt = Date.now() + (Number(error.details.retry_after_ms) || 1000);
        this.#composer.restore(draft, explain(error));
        return;
      }
      row.classList.add('failed');
      setText(state, `Not sent. ${explain(error)} `);
      state.append(
        h('button', {
          type: 'button',
          class: 'quiet small',
          onclick: () => {
            row.remove();
            void this.#say(draft, key);
          },
        }, 'Send again'),
      );
      this.#unsent.append(row);
      this.#toEnd();
    }
  }
}

customElements.define('rollcall-thread', ChatThread);
