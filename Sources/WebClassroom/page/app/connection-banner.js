// @ts-check

import { h, set, setText } from './dom.js';
import { icon } from './icons.js';

/** @typedef {import('../sdk/client.js').RollcallClient} RollcallClient */

/** How long an attempt may take before the banner of a first connection appears. */
const patience = 1500;

/** Says that the connection is lost, when the next attempt is, and when it is back. */
export class ConnectionBanner extends HTMLElement {
  /** @type {RollcallClient | null} */
  #client = null;
  #text = h('span');
  #countdown = h('span', { class: 'countdown', 'aria-hidden': 'true' });
  #retry = h('button', { type: 'button', class: 'small secondary', onclick: () => this.#client?.retryNow() }, 'Try now');
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #timer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #dismissal;
  #lost = false;
  #since = 0;
  /** @type {(() => void) | undefined} */
  #unsubscribe;

  connectedCallback() {
    set(this, 'hidden', true);
    this.replaceChildren(
      h('span', { class: 'banner-icon' }, icon('lost')),
      h('span', { role: 'status', class: 'banner-text' }, this.#text),
      this.#countdown,
      this.#retry,
    );
  }

  /** @param {RollcallClient | null} client */
  follow(client) {
    this.#unsubscribe?.();
    clearInterval(this.#timer);
    clearTimeout(this.#dismissal);
    this.#client = client;
    this.#lost = false;
    set(this, 'hidden', true);
    if (!client) return;
    this.#since = Date.now();
    this.#unsubscribe = client.on('connection', () => this.#render());
    this.#timer = setInterval(() => this.#tick(), 250);
  }

  #render() {
    const client = this.#client;
    if (!client) return;
    if (client.status === 'closed') {
      this.follow(null);
    } else if (client.status === 'open') {
      if (!this.#lost) return;
      this.#lost = false;
      this.#show('You are connected again.', 'back');
      this.#dismissal = setTimeout(() => set(this, 'hidden', true), 3000);
    } else if (client.status === 'retrying' && !this.#lost) {
      this.#lost = true;
      clearTimeout(this.#dismissal);
      this.#show(client.state === null ? 'The server cannot be reached. Trying again…' : 'Connection lost. Reconnecting…', 'lost');
    }
    this.#tick();
  }

  /**
   * @param {string} sentence
   * @param {'lost' | 'back'} state
   */
  #show(sentence, state) {
    set(this, 'hidden', false);
    set(this, 'data-state', state);
    setText(this.#text, sentence);
  }

  #tick() {
    const client = this.#client;
    if (!client) return;
    if (client.status === 'connecting' && client.state === null && !this.#lost && Date.now() - this.#since > patience) {
      this.#lost = true;
      this.#show('Connecting takes longer than usual…', 'lost');
    }
    const seconds = client.retryAt === null ? 0 : Math.ceil((client.retryAt - Date.now()) / 1000);
    const counts = this.#lost && client.status === 'retrying' && seconds > 0;
    setText(this.#countdown, counts ? `next attempt in ${seconds} s` : '');
    set(this.#retry, 'hidden', !counts);
  }
}

customElements.define('rollcall-banner', ConnectionBanner);
