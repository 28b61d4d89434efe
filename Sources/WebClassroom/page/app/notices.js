// @ts-check

import { h } from './dom.js';
import { icon } from './icons.js';

/**
 * @typedef {object} Notice
 * @property {string} text
 * @property {{label: string, run: () => void}[]} [actions] each also dismisses the notice
 * @property {string} [topic] a notice takes the place of the one before about the same
 * @property {boolean} [passing] goes by itself after a while
 */

/** How long a notice stays that goes by itself, in milliseconds. */
const patience = 8000;

/** How many notices are shown at once; older ones give way. */
const most = 3;

/** What this person is told: each in a sentence, with what one can do about it. */
export class Notices extends HTMLElement {
  connectedCallback() {
    this.setAttribute('role', 'status');
  }

  /** @param {Notice} notice */
  say({ text, actions = [], topic = text, passing = false }) {
    this.retract(topic);
    const card = h('div', { class: 'notice', 'data-topic': topic },
      h('p', {}, text),
      ...actions.map(({ label, run }) =>
        h('button', {
          type: 'button',
          class: 'small secondary',
          onclick: () => {
            card.remove();
            run();
          },
        }, label)),
      h('button', { type: 'button', class: 'icon-button', onclick: () => card.remove() },
        icon('close'), h('span', { class: 'visually-hidden' }, 'Dismiss')));
    while (this.childElementCount >= most) this.firstElementChild?.remove();
    this.append(card);
    if (passing) {
      const timer = setInterval(() => {
        // Whoever reads or reaches for it keeps it.
        if (card.matches(':hover, :focus-within')) return;
        clearInterval(timer);
        card.remove();
      }, patience);
    }
  }

  /**
   * What was said about this counts no more.
   *
   * @param {string} topic
   */
  retract(topic) {
    for (const card of [...this.children]) {
      if (/** @type {HTMLElement} */ (card).dataset.topic === topic) card.remove();
    }
  }
}

customElements.define('rollcall-notices', Notices);
