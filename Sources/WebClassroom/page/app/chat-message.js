// @ts-check

import { avatar } from './avatar.js';
import { h, set, setText } from './dom.js';
import { emojiPicker } from './emoji-picker.js';
import { icon } from './icons.js';
import { menuButton } from './menu.js';
import { roleName } from './sentences.js';

/**
 * @typedef {import('./room.js').Room} Room
 * @typedef {import('./menu.js').MenuItem} MenuItem
 * @typedef {import('../sdk/protocol.js').ChatMessage} ChatMessage
 *
 * @typedef {object} Thread what a message needs of the list that it stands in
 * @property {Room} room
 * @property {boolean} isPrivate
 * @property {boolean} readOnly the class is over
 * @property {(id: string) => ChatMessage | undefined} find
 * @property {(id: string) => void} reveal
 * @property {(message: ChatMessage) => void} reply
 * @property {(message: ChatMessage) => void} edit
 */

/** For how long an author may change a message, by the server's rules, in milliseconds. */
const editTime = 10 * 60_000;

/** One message: who, when, what, what it answers, what others think of it, and what can be done with it. */
export class MessageRow {
  element;
  #thread;
  /** @type {ChatMessage} */
  #message;
  #head = h('div', { class: 'message-head' });
  #quote = h('button', { type: 'button', class: 'quote', hidden: true, onclick: () => this.#thread.reveal(this.#message.reply_to ?? '') });
  #text = h('p', { class: 'message-text' });
  #reactions = h('div', { class: 'reactions', hidden: true });
  #edited = h('span', { class: 'edited', hidden: true }, 'edited');
  #menu;
  #shown = '';

  /**
   * @param {Thread} thread
   * @param {ChatMessage} message
   */
  constructor(thread, message) {
    this.#thread = thread;
    this.#message = message;
    const own = message.user === thread.room.client.you?.user;
    this.#menu = menuButton({
      label: `Actions for the message of ${nameOf(message)}`,
      picture: icon('more'),
      kind: 'message-menu',
      items: () => this.#items(),
      head: () => (this.#mayReact ? emojiPicker((emoji) => this.#react(emoji, true)) : null),
    });
    this.element = h('div', { class: own ? 'message own' : 'message', 'data-seq': message.seq, 'data-id': message.message_id },
      this.#head, this.#quote, this.#text, this.#reactions, this.#edited, this.#menu);
    this.show(message);
  }

  /** @param {ChatMessage} message */
  show(message) {
    const answered = message.reply_to ? this.#thread.find(message.reply_to) : undefined;
    const state = JSON.stringify([message, answered?.text, answered?.deleted]);
    if (state === this.#shown) return;
    this.#shown = state;
    this.#message = message;
    const isGone = message.erased === true || message.deleted === true;
    const role = roleName(message.role);
    const at = new Date(message.at);
    this.#head.replaceChildren(...[
      avatar(message.user, nameOf(message)),
      h('span', { class: 'message-name' }, nameOf(message)),
      role ? h('span', { class: 'badge' }, role) : '',
      h('time', { datetime: at.toISOString() }, clock.format(at)),
    ]);
    set(this.#quote, 'hidden', !message.reply_to || isGone);
    this.#quote.replaceChildren(icon('reply'), h('span', { class: 'visually-hidden' }, 'In reply to '),
      h('span', { class: 'quote-text' }, answered ? `${nameOf(answered)}: ${excerpt(answered)}` : 'an earlier message'));
    setText(this.#text, isGone ? 'This message was deleted.' : message.text);
    this.#text.classList.toggle('erased', isGone);
    set(this.#edited, 'hidden', isGone || !message.edited_at);
    this.#showReactions(isGone ? [] : message.reactions ?? []);
    set(this.#menu, 'hidden', isGone || (!this.#mayReact && this.#items().length === 0));
  }

  /** @param {NonNullable<ChatMessage['reactions']>} reactions */
  #showReactions(reactions) {
    set(this.#reactions, 'hidden', reactions.length === 0);
    const focused = /** @type {HTMLElement | null} */ (this.#reactions.querySelector(':focus'))?.dataset.emoji;
    this.#reactions.replaceChildren(...reactions.map(({ emoji, count, mine = false }) =>
      h('button', {
        type: 'button',
        class: 'reaction',
        'data-emoji': emoji,
        'aria-pressed': String(mine),
        disabled: !this.#mayReact,
        onclick: () => this.#react(emoji, !mine),
      }, h('span', {}, emoji), ' ', h('span', { class: 'reaction-count' }, count.toLocaleString()),
      h('span', { class: 'visually-hidden' }, count === 1 ? ' person' : ' people'))));
    if (focused) /** @type {HTMLElement | null} */ (this.#reactions.querySelector(`[data-emoji="${CSS.escape(focused)}"]`))?.focus();
  }

  get #mayReact() {
    const { room, readOnly, isPrivate } = this.#thread;
    return !readOnly && !isPrivate && room.client.you?.role !== 'observer';
  }

  /**
   * @param {string} emoji
   * @param {boolean} on
   */
  #react(emoji, on) {
    void this.#thread.room.attempt(() => this.#thread.room.client.chat.react(this.#message.message_id, emoji, on));
  }

  /** @returns {MenuItem[]} */
  #items() {
    const { room, readOnly, isPrivate, reply, edit } = this.#thread;
    const { client } = room;
    const message = this.#message;
    const id = message.message_id;
    const own = message.user === client.you?.user;
    /** @type {MenuItem[]} */
    const items = [];
    if (!readOnly && client.you?.role !== 'observer') items.push({ label: 'Reply', run: () => reply(message) });
    if (isPrivate) return items;
    if (own && !readOnly && Date.now() - message.at < editTime) items.push({ label: 'Edit', run: () => edit(message) });
    if (client.leads) {
      const isPinned = client.chat.pinned.some(({ message_id }) => message_id === id);
      items.push({ label: isPinned ? 'Unpin' : 'Pin', run: () => void room.attempt(() => client.chat.pin(id, !isPinned)) });
    }
    if (client.leads || (own && !readOnly)) {
      items.push({ label: 'Delete', danger: true, run: () => void room.attempt(() => client.chat.delete(id)) });
    }
    return items;
  }
}

/** @param {ChatMessage} message */
export function nameOf({ name, erased }) {
  return erased ? 'Deleted user' : name;
}

/** @param {ChatMessage} message */
export function excerpt({ text, erased, deleted }) {
  return erased || deleted ? 'This message was deleted.' : text;
}

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
