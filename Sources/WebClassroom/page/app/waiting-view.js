// @ts-check

import { avatar } from './avatar.js';
import { h, plural, set, setText } from './dom.js';
import { Preview } from './preview.js';
import { explain } from './sentences.js';
import { sessionDetails } from './session-details.js';
import { RequestsList } from './requests-list.js';
import { WaitingList } from './waiting-list.js';

/**
 * @typedef {import('./room.js').Room} Room
 */

/** Before the class, or before one is let in: who is early waits here; the host starts it, and lets people in. */
export class WaitingView extends HTMLElement {
  /** @type {Room} */
  room = /** @type {any} */ (undefined);
  #eyebrow = h('p', { class: 'eyebrow' });
  #title = h('h1', { tabindex: '-1' });
  #instructor = h('p', { class: 'lede' });
  #sentence = h('p', { class: 'lede', role: 'status' });
  #details = h('div');
  #shownDetails = '';
  #count = h('p', { class: 'waiting-count', role: 'status' });
  #others = h('ul', { class: 'waiting-names', 'aria-label': 'Who else is waiting' });
  #list = new WaitingList();
  #requests = new RequestsList();
  #problem = h('p', { class: 'wrong', role: 'alert' });
  #start = h('button', { type: 'button', class: 'primary large', onclick: () => void this.#begin() }, 'Start class');
  #announce = h('button', { type: 'button', class: 'secondary', onclick: () => void this.#tell() }, 'Say that it begins soon');
  /** @type {(() => void)[]} */
  #subscriptions = [];

  connectedCallback() {
    const { client, media, notices } = this.room;
    const preview = new Preview();
    preview.media = media;
    this.#list.room = this.#requests.room = this.room;
    this.#list.level = this.#requests.level = 'h2';
    this.replaceChildren(
      h('div', { class: 'card lobby' },
        h('div', { class: 'lobby-text' }, this.#eyebrow, this.#title, this.#instructor, this.#sentence, this.#details,
          this.#count, this.#others, this.#list, this.#requests, this.#problem, notices,
          h('div', { class: 'actions' }, this.#start, this.#announce,
            h('button', { type: 'button', class: 'quiet', onclick: () => this.room.leave() }, 'Leave'))),
        h('div', { class: 'lobby-preview' }, preview)));
    const render = () => this.#render();
    this.#subscriptions = [
      client.on('waiting', render),
      client.on('session', render),
      client.on('joined', render),
      client.on('role', render),
      client.on('starting', ({ text }) => notices.say({ text: text || 'The host says that the class begins now.', topic: 'starting' })),
      client.on('problem', (error) => {
        // No place is free yet: one goes on waiting.
        if (error.code === 'session_full') notices.say({ text: 'All seats are taken. You come in as soon as one is free.', topic: 'full' });
      }),
    ];
    this.#render();
  }

  disconnectedCallback() {
    for (const unsubscribe of this.#subscriptions) unsubscribe();
  }

  #render() {
    const { client } = this.room;
    const { session, waiting, you } = client;
    const mayStart = you?.role === 'host' || you?.role === 'admin';
    const knocks = waiting.approved === false;
    setText(this.#eyebrow, mayStart ? 'You are the host' : knocks ? 'Asking to come in' : 'Waiting room');
    setText(this.#title, session?.title || 'Your class');
    setText(this.#instructor, session?.instructor ? `with ${session.instructor}` : '');
    setText(this.#sentence, this.#explain(mayStart, knocks));
    const { title, status, rev, is_live, ...facts } = session ?? /** @type {any} */ ({});
    const shown = JSON.stringify(facts);
    if (session && shown !== this.#shownDetails) {
      this.#shownDetails = shown;
      this.#details.replaceChildren(sessionDetails({ ...session, instructor: '' }));
    }
    setText(this.#count, knocks ? '' : waitingSentence(waiting.count));
    const others = client.leads || knocks ? [] : waiting.people.filter(({ user }) => user !== you?.user);
    set(this.#others, 'hidden', others.length === 0);
    this.#others.replaceChildren(...others.map(({ user, name }) => h('li', {}, avatar(user, name), h('span', {}, name))));
    set(this.#start, 'hidden', !mayStart || session?.is_live === true);
    set(this.#announce, 'hidden', !client.leads || session?.is_live === true);
  }

  /**
   * @param {boolean} mayStart
   * @param {boolean} knocks
   */
  #explain(mayStart, knocks) {
    const { session, hasWaitingRoom } = this.room.client;
    if (knocks) return 'You are not on the list of this class. The host sees that you are here, and decides whether to let you in.';
    if (session?.is_live) return 'The class is on. You come in by yourself as soon as the host lets you in.';
    if (session?.status === 'pending_approval') return 'The host has not agreed to this class yet.';
    if (session?.status === 'expired') return 'The time of this class is over, and it was not started.';
    if (!mayStart) return 'The class has not started yet. You will come in by yourself as soon as it does.';
    if (hasWaitingRoom) return 'The class has not started yet. The waiting room is on: you let people in one by one, or all.';
    return 'The class has not started yet. Everybody who waits comes in when you start it.';
  }

  async #tell() {
    const done = await this.room.attempt(() => this.room.client.announce());
    if (done) this.room.notices.say({ text: 'Everyone who waits was told that the class begins soon.', topic: 'starting', passing: true });
  }

  async #begin() {
    if (this.#start.hasAttribute('aria-disabled')) return;
    set(this.#start, 'aria-disabled', 'true');
    setText(this.#start, 'Starting…');
    setText(this.#problem, '');
    try {
      await this.room.client.start();
    } catch (error) {
      setText(this.#problem, explain(error));
      set(this.#start, 'aria-disabled', null);
      setText(this.#start, 'Start class');
    }
  }
}

/** @param {number} count the reader included */
function waitingSentence(count) {
  if (count <= 0) return '';
  return count === 1 ? 'Nobody else is waiting yet.' : `${plural(count, 'person is', 'people are')} waiting, you included.`;
}

customElements.define('rollcall-waiting', WaitingView);
