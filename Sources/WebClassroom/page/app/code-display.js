// @ts-check

import { h, set, setText } from './dom.js';

/** @typedef {import('./room.js').Room} Room */

/** How soon it is tried again when the code could not be fetched, in milliseconds. */
const patience = 3000;

/** The code that people in the room type in, as it is now, with the time that is left of it; large when it is to be shown to all. */
export class CodeDisplay extends HTMLElement {
  /** @type {Room} */
  room = /** @type {any} */ (undefined);
  #code = h('p', { class: 'code', 'aria-label': 'Code' });
  #left = h('p', { class: 'code-left' });
  #bar = h('span', { class: 'code-bar' });
  #largeCode = h('p', { class: 'code code-large' });
  #largeLeft = h('p', { class: 'code-left' });
  /** @type {HTMLDialogElement | null} */
  #dialog = null;
  /** Until when the code is shown, by `performance.now()`. */
  #until = 0;
  #span = 30_000;
  #isFetching = false;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #timer;

  connectedCallback() {
    this.replaceChildren(
      h('section', { class: 'code-card', 'aria-labelledby': 'code-title' },
        h('h2', { id: 'code-title' }, 'Code for the room'),
        h('p', { class: 'hint' }, 'Show it to the people in the room. Who types it in is checked in.'),
        this.#code, h('span', { class: 'code-track', 'aria-hidden': 'true' }, this.#bar), this.#left,
        h('button', { type: 'button', class: 'secondary', onclick: () => this.#enlarge() }, 'Show large')));
    this.#timer = setInterval(() => this.#tick(), 500);
    this.#tick();
  }

  disconnectedCallback() {
    clearInterval(this.#timer);
    this.#dialog?.close();
  }

  /** To be called when it becomes visible. */
  reveal() {
    this.#tick();
  }

  #tick() {
    const left = Math.max(0, this.#until - performance.now());
    const sentence = left > 0 ? `Changes in ${Math.ceil(left / 1000)} s` : '';
    setText(this.#left, sentence);
    setText(this.#largeLeft, sentence);
    this.#bar.style.setProperty('inline-size', `${(100 * left) / this.#span}%`);
    const isSeen = this.offsetParent !== null || this.#dialog !== null;
    if (left === 0 && isSeen && this.room.client.leads) void this.#fetch();
  }

  async #fetch() {
    if (this.#isFetching) return;
    this.#isFetching = true;
    try {
      const response = await this.room.fetch('check_in_code/');
      if (!response.ok) throw new Error(String(response.status));
      const { code, changes_in_ms: left } = await response.json();
      this.#until = performance.now() + left;
      this.#span = Math.max(30_000, left);
      this.#show(code);
      this.#isFetching = false;
      this.#tick();
    } catch {
      setTimeout(() => {
        this.#isFetching = false;
      }, patience);
    }
  }

  /** @param {string} code */
  #show(code) {
    const halves = [code.slice(0, 3), code.slice(3)];
    for (const place of [this.#code, this.#largeCode]) {
      // Read aloud letter by letter; in two halves for the eye.
      place.replaceChildren(
        h('span', { class: 'visually-hidden' }, [...code].join(' ')),
        ...halves.map((half) => h('span', { 'aria-hidden': 'true' }, half)));
      set(place, 'data-code', code);
    }
  }

  #enlarge() {
    const dialog = h('dialog', {
      class: 'code-dialog', 'aria-labelledby': 'code-dialog-title',
      onclose: () => {
        dialog.remove();
        this.#dialog = null;
      },
    },
    h('h2', { id: 'code-dialog-title' }, `Check in: ${this.room.client.session?.title || 'Class'}`),
    h('p', {}, 'Open the class on your phone, and type in:'),
    this.#largeCode, this.#largeLeft,
    h('button', { type: 'button', class: 'secondary large', onclick: () => dialog.close() }, 'Close'));
    this.#dialog = dialog;
    document.body.append(dialog);
    dialog.showModal();
  }
}

customElements.define('rollcall-code', CodeDisplay);
