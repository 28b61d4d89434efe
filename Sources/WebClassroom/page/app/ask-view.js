// @ts-check

import { h, set, setText } from './dom.js';

/** How often it is looked whether the host has decided, in milliseconds. */
const interval = 10_000;

/** For who sees a class and may not enter: asks the host for a place, waits for the word, and goes in. */
export class AskView extends HTMLElement {
  session = '';
  /** @type {string | null} */
  bearer = null;
  /** Called when the person may come in. */
  onready = () => {};
  onelsewhere = () => {};
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #timer;
  #text = h('p', { class: 'lede', role: 'status' });
  #problem = h('p', { class: 'wrong', role: 'alert' });
  #ask = h('button', { type: 'button', class: 'primary', onclick: () => void this.#send() }, 'Ask to join');

  connectedCallback() {
    setText(this.#text, 'This class is only open to people on its list. You can ask the host for a place.');
    this.replaceChildren(
      h('div', { class: 'card message-card' },
        h('h1', { tabindex: '-1' }, 'You are not on the list yet'), this.#text, this.#problem,
        h('div', { class: 'actions' }, this.#ask,
          h('button', { type: 'button', class: 'quiet', onclick: () => this.onelsewhere() }, 'Join another class'))));
  }

  disconnectedCallback() {
    clearInterval(this.#timer);
  }

  async #send() {
    if (this.#ask.hasAttribute('aria-disabled')) return;
    set(this.#ask, 'aria-disabled', 'true');
    setText(this.#problem, '');
    try {
      const response = await this.#request('register/', 'POST');
      const answer = await response.json();
      if (response.ok) this.#told(answer.registration?.state);
      else this.#complain(answer.message);
    } catch {
      this.#complain('The server cannot be reached. Please try again.');
    }
  }

  /** @param {string} state */
  #told(state) {
    if (state === 'approved' || state === 'invited') {
      this.onready();
    } else if (state === 'rejected') {
      setText(this.#text, 'The host has decided not to give you a place in this class.');
      set(this.#ask, 'hidden', true);
    } else {
      setText(this.#text, 'Your request was sent. You come in by yourself as soon as the host says yes: leave this page open.');
      set(this.#ask, 'hidden', true);
      this.#timer = setInterval(() => void this.#look(), interval);
    }
  }

  /** The room's name is told to those who may come in. */
  async #look() {
    try {
      const response = await this.#request('', 'GET');
      if (response.ok && (await response.json()).room_name) this.onready();
    } catch {
      // The next look may be luckier.
    }
  }

  /** @param {string | undefined} sentence */
  #complain(sentence) {
    setText(this.#problem, sentence ?? 'That was not possible. Please try again.');
    set(this.#ask, 'aria-disabled', null);
  }

  /**
   * @param {string} path
   * @param {string} method
   */
  #request(path, method) {
    return fetch(`/api/sessions/${encodeURIComponent(this.session)}/${path}`, { method, headers: { Authorization: `Bearer ${this.bearer}` } });
  }
}

customElements.define('rollcall-ask', AskView);
