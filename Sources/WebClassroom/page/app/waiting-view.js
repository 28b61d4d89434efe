// @ts-check

import { h, plural, set, setText } from './dom.js';
import { Preview } from './preview.js';
import { explain } from './sentences.js';

/**
 * @typedef {import('./room.js').Room} Room
 */

/** Before the class: who is early waits here; the host starts it. */
export class WaitingView extends HTMLElement {
  /** @type {Room} */
  room = /** @type {any} */ (undefined);
  /** @type {(() => void)[]} */
  #subscriptions = [];

  connectedCallback() {
    const { client, media } = this.room;
    const session = client.session;
    const hosts = client.you?.role === 'host' || client.you?.role === 'admin';
    const count = h('p', { class: 'waiting-count', role: 'status' });
    const problem = h('p', { class: 'wrong', role: 'alert' });
    const start = h('button', { type: 'button', class: 'primary large', onclick: () => this.#start(start, problem) }, 'Start class');
    const preview = new Preview();
    preview.media = media;

    this.replaceChildren(
      h('div', { class: 'card lobby' },
        h('div', { class: 'lobby-text' },
          h('p', { class: 'eyebrow' }, hosts ? 'You are the host' : 'Waiting room'),
          h('h1', { tabindex: '-1' }, session?.title || 'Your class'),
          session?.instructor ? h('p', { class: 'lede' }, 'with ', session.instructor) : null,
          h('p', { class: 'lede' }, hosts
            ? 'The class has not started yet. Everybody who waits comes in when you start it.'
            : 'The class has not started yet. You will come in by yourself as soon as it does.'),
          session?.description ? h('p', { class: 'description' }, session.description) : null,
          count,
          problem,
          h('div', { class: 'actions' },
            hosts && start,
            h('button', { type: 'button', class: 'quiet', onclick: () => this.room.leave() }, 'Leave'))),
        h('div', { class: 'lobby-preview' }, preview)));

    const render = () => setText(count, waitingSentence(client.waiting));
    this.#subscriptions = [client.on('waiting', render)];
    render();
  }

  disconnectedCallback() {
    for (const unsubscribe of this.#subscriptions) unsubscribe();
  }

  /**
   * @param {HTMLButtonElement} button
   * @param {HTMLElement} problem
   */
  async #start(button, problem) {
    if (button.hasAttribute('aria-disabled')) return;
    set(button, 'aria-disabled', 'true');
    setText(button, 'Starting…');
    setText(problem, '');
    try {
      await this.room.client.start();
    } catch (error) {
      setText(problem, explain(error));
      set(button, 'aria-disabled', null);
      setText(button, 'Start class');
    }
  }
}

/** @param {number} count the reader included */
function waitingSentence(count) {
  if (count <= 0) return '';
  return count === 1 ? 'Nobody else is waiting yet.' : `${plural(count, 'person is', 'people are')} waiting, you included.`;
}

customElements.define('rollcall-waiting', WaitingView);
