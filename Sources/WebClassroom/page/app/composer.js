// @ts-check

import { excerpt, nameOf } from './chat-message.js';
import { h, set, setText } from './dom.js';
import { icon } from './icons.js';

/**
 * @typedef {import('./room.js').Room} Room
 * @typedef {import('../sdk/protocol.js').ChatMessage} ChatMessage
 *
 * @typedef {object} Draft
 * @property {string} text
 * @property {ChatMessage | null} replyTo
 * @property {ChatMessage | null} edits the message that is to say this instead
 */

/** What the server takes, in bytes of UTF-8. */
const longest = 4096;

/** The field to write in: to everybody or to the hosts; it says when one has to wait, or may not write. */
export class Composer extends HTMLElement {
  /** @type {Room} */
  room = /** @type {any} */ (undefined);
  isPrivate = false;
  /** @type {(draft: Draft) => void} */
  onsend = () => {};
  /** @type {ChatMessage | null} */
  #replyTo = null;
  /** @type {ChatMessage | null} */
  #edits = null;
  #field = h('textarea', { rows: 1, enterkeyhint: 'send', autocomplete: 'off' });
  #send = h('button', { type: 'submit', class: 'send' }, icon('send'), h('span', { class: 'visually-hidden' }, 'Send message'));
  #context = h('div', { class: 'composer-context', hidden: true });
  #problem = h('p', { class: 'wrong chat-problem', role: 'alert' });
  #hint = h('p', { class: 'composer-hint', role: 'status' });
  #closed = h('p', { class: 'composer-closed', role: 'status' });
  /** @type {HTMLFormElement} */
  #form = h('form', { class: 'composer' });
  /** @type {(() => void)[]} */
  #subscriptions = [];
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #timer;

  connectedCallback() {
    const { client } = this.room;
    const id = this.isPrivate ? 'message-hosts' : 'message';
    const label = this.isPrivate ? (client.leads ? 'Message to the other hosts' : 'Message to the hosts') : 'Message to everyone';
    this.#field.id = id;
    this.#field.placeholder = label;
    this.#form.replaceChildren(this.#context, this.#problem, this.#hint,
      h('label', { for: id, class: 'visually-hidden' }, label), this.#field, this.#send);
    this.replaceChildren(this.#form, this.#closed);
    this.#form.onsubmit = (event) => {
      event.preventDefault();
      this.#submit();
    };
    this.#field.oninput = () => {
      this.#grow();
      if (!this.isPrivate && !this.#edits) client.chat.setTyping(this.#field.value.trim() !== '');
    };
    this.#field.onblur = () => {
      if (!this.isPrivate) client.chat.setTyping(false);
    };
    this.#field.onkeydown = (event) => {
      if (event.key === 'Escape' && (this.#replyTo || this.#edits)) {
        event.stopPropagation();
        this.#forget();
      }
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#submit();
    };
    const render = () => this.#render();
    this.#subscriptions = [client.on('policy', render), client.on('role', render), client.on('joined', render)];
    this.#timer = setInterval(() => this.#count(), 250);
    this.#render();
  }

  disconnectedCallback() {
    for (const unsubscribe of this.#subscriptions) unsubscribe();
    clearInterval(this.#timer);
  }

  focusField() {
    this.#field.focus();
  }

  /** @param {ChatMessage} message */
  reply(message) {
    this.#edits = null;
    this.#replyTo = message;
    this.#showContext(`Reply to ${nameOf(message)}`, excerpt(message), 'Do not reply');
  }

  /** @param {ChatMessage} message */
  edit(message) {
    this.#replyTo = null;
    this.#edits = message;
    this.#field.value = message.text;
    this.#showContext('Edit your message', message.text, 'Do not edit');
  }

  /**
   * Puts back what could not be sent, if nothing else has been written meanwhile.
   *
   * @param {Draft} draft
   * @param {string} problem
   */
  restore({ text, replyTo, edits }, problem) {
    setText(this.#problem, problem);
    if (this.#field.value !== '') return;
    if (edits) this.edit(edits);
    else if (replyTo) this.reply(replyTo);
    this.#field.value = text;
    this.#grow();
  }

  #submit() {
    const text = this.#field.value.trim();
    setText(this.#problem, '');
    if (!text || (this.#wait > 0 && !this.#edits)) return;
    if (new TextEncoder().encode(text).length > longest) {
      setText(this.#problem, 'This message is too long. Please send it in parts.');
      return;
    }
    const draft = { text, replyTo: this.#replyTo, edits: this.#edits };
    this.#forget();
    this.#field.value = '';
    this.#grow();
    this.onsend(draft);
  }

  #forget() {
    if (this.#edits) this.#field.value = '';
    this.#replyTo = this.#edits = null;
    set(this.#context, 'hidden', true);
    this.#grow();
  }

  /**
   * @param {string} title
   * @param {string} text
   * @param {string} undo
   */
  #showContext(title, text, undo) {
    this.#context.replaceChildren(
      h('p', {}, h('strong', {}, title), h('span', { class: 'quote-text' }, text)),
      h('button', {
        type: 'button',
        class: 'icon-button',
        onclick: () => {
          this.#forget();
          this.#field.focus();
        },
      }, icon('close'), h('span', { class: 'visually-hidden' }, undo)));
    set(this.#context, 'hidden', false);
    this.#grow();
    this.#field.focus();
  }

  /** How long one still has to wait, in milliseconds. */
  get #wait() {
    return this.room.client.leads ? 0 : Math.max(0, this.room.mayWriteAt - Date.now());
  }

  #render() {
    const { client } = this.room;
    const { chat } = client.rules.policy;
    let closed = '';
    if (client.you?.role === 'observer') closed = 'Observers do not write.';
    else if (chat === 'off') closed = 'The chat is closed at the moment.';
    else if (chat === 'hosts' && !client.leads && !this.isPrivate) closed = 'Only hosts write to everyone at the moment. You can write to the hosts alone.';
    setText(this.#closed, closed);
    set(this.#closed, 'hidden', closed === '');
    set(this.#form, 'hidden', closed !== '');
    this.#count();
  }

  #count() {
    const seconds = Math.ceil(this.#wait / 1000);
    const { slow_mode_seconds: slow } = this.room.client.rules.policy;
    const leads = this.room.client.leads;
    set(this.#send, 'aria-disabled', seconds > 0 ? 'true' : null);
    // The seconds are for the eye: aloud they would be heard each second.
    const said = slow > 0 && !leads ? `Slow mode: one message every ${duration(slow)}.` : '';
    if (this.#hint.dataset.said !== said) {
      this.#hint.dataset.said = said;
      this.#hint.replaceChildren(said, h('span', { class: 'countdown', 'aria-hidden': 'true' }));
    }
    const countdown = this.#hint.querySelector('.countdown');
    if (countdown) setText(countdown, seconds > 0 ? ` You can write again in ${seconds} s.` : '');
    set(this.#hint, 'hidden', said === '');
  }

  #grow() {
    this.#field.style.setProperty('height', 'auto');
    this.#field.style.setProperty('height', `${Math.min(this.#field.scrollHeight + 2, 132)}px`);
  }
}

/** @param {number} seconds */
export function duration(seconds) {
  if (seconds % 60 !== 0) return `${seconds} seconds`;
  return seconds === 60 ? 'minute' : `${seconds / 60} minutes`;
}

customElements.define('rollcall-composer', Composer);
