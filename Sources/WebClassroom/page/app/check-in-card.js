// @ts-check

import { h, set, setText } from './dom.js';
import { icon } from './icons.js';

/** How many characters the code has that is shown in the room. */
const length = 6;

/** For who sits in the room: the code that is shown there is typed in, and one is in the class, without a connection. */
export class CheckInCard extends HTMLElement {
  session = '';
  /** @type {() => string | null} */
  bearer = () => null;
  /** Whether the person may say here to have gone, too. */
  mayLeave = true;
  #field = h('input', {
    id: 'check-in-code', class: 'code-field', required: true, autocomplete: 'one-time-code', autocapitalize: 'characters', autocorrect: 'off',
    spellcheck: 'false', maxlength: 12, 'aria-describedby': 'check-in-hint',
  });
  #hint = h('p', { id: 'check-in-hint', class: 'hint' }, 'It stands on the screen at the front, and changes every half minute.');
  #button = h('button', { type: 'submit', class: 'primary large' }, 'Check in');
  #problem = h('p', { class: 'wrong', role: 'alert' });
  #form = h('form', {
    class: 'check-in-form', novalidate: true,
    onsubmit: (/** @type {SubmitEvent} */ event) => {
      event.preventDefault();
      void this.#send();
    },
  }, h('label', { for: 'check-in-code' }, 'Code that is shown in the room'), this.#field, this.#problem, this.#hint, this.#button);
  #doneTitle = h('h2', { tabindex: '-1' }, 'You are checked in');
  #gone = h('button', { type: 'button', class: 'quiet', onclick: () => void this.#leave() }, 'I am leaving: check me out');
  #refused = h('p', { class: 'wrong', role: 'alert' });
  #done = h('div', { class: 'checked-in', hidden: true },
    h('span', { class: 'checked-in-mark', 'aria-hidden': 'true' }, icon('check')), this.#doneTitle,
    h('p', {}, 'Your attendance counts until the class ends. You need not keep this page open.'), this.#gone, this.#refused);

  connectedCallback() {
    this.replaceChildren(this.#form, this.#done);
    set(this.#gone, 'hidden', !this.mayLeave);
    void this.#look();
  }

  /** Whoever is checked in already is told so. */
  async #look() {
    try {
      const response = await this.#request('attendance/', 'GET');
      if (!response.ok) return;
      const { participants = [] } = await response.json();
      if (participants.length !== 1) return;
      const newest = participants[0].segments.at(-1);
      if (newest?.checked_in && newest.to === null) this.#show(true);
    } catch {
      // Who checks in again is told.
    }
  }

  async #send() {
    if (this.#button.hasAttribute('aria-disabled')) return;
    const code = this.#field.value.replace(/[\s-]/gu, '').toUpperCase();
    if (code.length !== length) {
      this.#complain(`The code has ${length} letters and digits.`);
      return;
    }
    set(this.#button, 'aria-disabled', 'true');
    try {
      const response = await this.#request('check_in/', 'POST', { code });
      if (response.ok) {
        this.#show(true);
        this.#doneTitle.focus();
        return;
      }
      const { error } = await response.json();
      this.#complain(sentences[error?.code] ?? error?.message ?? 'That was not possible. Please try again.');
    } catch {
      this.#complain('The server cannot be reached. Please try again.');
    } finally {
      set(this.#button, 'aria-disabled', null);
    }
  }

  async #leave() {
    if (this.#gone.hasAttribute('aria-disabled')) return;
    set(this.#gone, 'aria-disabled', 'true');
    setText(this.#refused, '');
    try {
      const response = await this.#request('leave/', 'POST');
      if (!response.ok) throw new Error(String(response.status));
      this.#show(false);
      this.#field.value = '';
      this.#field.focus();
    } catch {
      setText(this.#refused, 'That was not possible. Please try again.');
    }
    set(this.#gone, 'aria-disabled', null);
  }

  /** @param {boolean} isIn */
  #show(isIn) {
    set(this.#form, 'hidden', isIn);
    set(this.#done, 'hidden', !isIn);
    setText(this.#problem, '');
    set(this.#field, 'aria-invalid', null);
  }

  /** @param {string} sentence */
  #complain(sentence) {
    setText(this.#problem, sentence);
    set(this.#field, 'aria-invalid', 'true');
    this.#field.select();
    this.#field.focus();
  }

  /**
   * @param {string} path
   * @param {string} method
   * @param {Record<string, any>} [body]
   */
  #request(path, method, body) {
    return fetch(`/api/sessions/${encodeURIComponent(this.session)}/${path}`, {
      method,
      headers: { Authorization: `Bearer ${this.bearer()}`, ...(body ? { 'Content-Type': 'application/json' } : {}) },
      body: body ? JSON.stringify(body) : undefined,
    });
  }
}

/** @type {Record<string, string>} */
const sentences = {
  invalid_field: 'This is not the code that is shown now. It may have just changed.',
  wrong_state: 'The class is not on at the moment.',
  session_full: 'All seats are taken.',
  locked: 'The host lets nobody new in at the moment.',
  rate_limited: 'That was too fast. Please wait a moment, then try again.',
};

customElements.define('rollcall-check-in-card', CheckInCard);
