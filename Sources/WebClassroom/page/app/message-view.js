// @ts-check

import { h } from './dom.js';

/**
 * @typedef {object} Action
 * @property {string} label
 * @property {() => void} run
 */

/** A title, a sentence, and what one can do now. */
export class MessageView extends HTMLElement {
  heading = '';
  text = '';
  /** @type {Action[]} the first is the suggested one */
  actions = [];
  busy = false;

  connectedCallback() {
    this.replaceChildren(
      h('div', { class: 'card message-card', 'aria-busy': this.busy ? 'true' : null },
        this.busy && h('span', { class: 'spinner', 'aria-hidden': 'true' }),
        h('h1', { tabindex: '-1' }, this.heading),
        this.text && h('p', { class: 'lede' }, this.text),
        this.actions.length > 0 && h('div', { class: 'actions' },
          ...this.actions.map(({ label, run }, index) =>
            h('button', { type: 'button', class: index === 0 ? 'primary' : 'secondary', onclick: run }, label)))));
  }
}

customElements.define('rollcall-message', MessageView);
