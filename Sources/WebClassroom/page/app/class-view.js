// @ts-check

import { ChatPanel } from './chat-panel.js';
import { deviceButton } from './device-buttons.js';
import { coalesced, h, plural, set, setText } from './dom.js';
import { icon } from './icons.js';
import { leaveDialog } from './leave-dialog.js';
import { PeoplePanel } from './people-panel.js';
import { Stage } from './stage.js';

/**
 * @typedef {import('./room.js').Room} Room
 * @typedef {'chat' | 'people'} PanelName
 */

/** The class while it is on: stage, panel, controls. */
export class ClassView extends HTMLElement {
  /** @type {Room} */
  room = /** @type {any} */ (undefined);
  #stage = new Stage();
  #chat = new ChatPanel();
  #people = new PeoplePanel();
  /** @type {PanelName | null} */
  #open = null;
  #unread = 0;
  #panelTitle = h('h2', { id: 'panel-title' });
  #panel = h('aside', { class: 'panel', id: 'panel', 'aria-labelledby': 'panel-title' });
  #badge = h('span', { class: 'unread', hidden: true });
  #notice = h('div', { class: 'notice', role: 'status' });
  #announcer = h('p', { class: 'visually-hidden', 'aria-live': 'polite' });
  /** @type {Record<PanelName, HTMLButtonElement>} */
  #switches = /** @type {any} */ ({});
  /** @type {(() => void)[]} */
  #subscriptions = [];
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #clock;

  connectedCallback() {
    const { client, media } = this.room;
    this.#stage.room = this.#chat.room = this.#people.room = this.room;
    this.#stage.onmore = () => this.#show('people');

    const count = h('p', { class: 'count', role: 'status', 'aria-live': 'polite' });
    const elapsed = h('span', { class: 'elapsed' });
    const devices = [deviceButton(media, 'microphone'), deviceButton(media, 'camera')];
    if (media.canShareScreen) devices.push(deviceButton(media, 'screen'));

    this.#panel.replaceChildren(
      h('div', { class: 'panel-head' }, this.#panelTitle,
        h('button', { type: 'button', class: 'icon-button', onclick: () => this.#close() }, icon('close'), h('span', { class: 'visually-hidden' }, 'Close'))),
      this.#chat,
      this.#people,
    );
    this.#switches = { chat: this.#switch('chat', 'Chat', this.#badge), people: this.#switch('people', 'People') };

    this.replaceChildren(
      h('header', { class: 'bar' },
        h('div', { class: 'bar-title' },
          h('h1', { tabindex: '-1' }, client.session?.title || 'Class'),
          client.session?.instructor ? h('p', { class: 'instructor' }, client.session.instructor) : null),
        h('p', { class: 'pill live' }, h('span', { class: 'dot', 'aria-hidden': 'true' }), 'Live', elapsed),
        count),
      h('main', { class: 'classroom' }, this.#stage, this.#notice, this.#panel),
      h('section', { class: 'controls', 'aria-label': 'Class controls' },
        h('div', { class: 'controls-group' }, ...devices.map(({ button }) => button)),
        h('div', { class: 'controls-group' },
          this.#switches.people,
          this.#switches.chat,
          h('button', { type: 'button', class: 'control leave', onclick: () => this.#leave() },
            h('span', { class: 'picture' }, icon('leave')),
            h('span', { class: 'caption', 'aria-hidden': 'true' }, 'Leave'),
            h('span', { class: 'visually-hidden' }, 'Leave class')))),
      this.#announcer,
    );

    const renderCount = coalesced(() => {
      const people = client.presence.count;
      count.replaceChildren(icon('people'), h('span', { class: 'count-number' }, people.toLocaleString()),
        h('span', { class: 'visually-hidden' }, people === 1 ? ' person is here' : ' people are here'));
    });
    const renderElapsed = () => setText(elapsed, since(client.session?.started_at ?? null));
    this.#clock = setInterval(renderElapsed, 1000);
    renderElapsed();
    let shownCount = -1;
    this.#subscriptions = [
      client.on('presence', ({ joined, left }) => {
        if (client.presence.count !== shownCount) {
          shownCount = client.presence.count;
          renderCount();
        }
        this.#announce(joined.map(({ name }) => name), left.map(({ name }) => name));
      }),
      client.on('chat', ({ added, live }) => this.#countUnread(live ? added.filter(({ user }) => user !== client.you?.user).length : 0)),
      media.on('change', () => devices.forEach((button) => button.render())),
      media.on('problem', ({ sentence }) => this.#say(sentence)),
    ];
    renderCount();
    this.#render();
    if (matchMedia('(min-width: 900px)').matches) this.#show('chat', false);
  }

  disconnectedCallback() {
    for (const unsubscribe of this.#subscriptions) unsubscribe();
    clearInterval(this.#clock);
  }

  /**
   * @param {PanelName} name
   * @param {string} caption
   * @param {HTMLElement} [badge]
   */
  #switch(name, caption, badge) {
    return h(
      'button',
      { type: 'button', class: 'control', 'aria-controls': 'panel', onclick: () => (this.#open === name ? this.#close() : this.#show(name)) },
      h('span', { class: 'picture' }, icon(name)),
      h('span', { class: 'caption' }, caption),
      badge ?? null,
    );
  }

  /**
   * @param {PanelName} name
   * @param {boolean} [focus]
   */
  #show(name, focus = true) {
    this.#open = name;
    if (name === 'chat') this.#countUnread(0);
    this.#render();
    if (name === 'chat') this.#chat.reveal();
    if (focus && name === 'chat') this.#chat.focusField();
  }

  #close() {
    const former = this.#open;
    const inside = this.#panel.contains(document.activeElement);
    this.#open = null;
    this.#render();
    if (inside && former) this.#switches[former].focus();
  }

  #render() {
    set(this, 'data-panel', this.#open);
    set(this.#panel, 'hidden', this.#open === null);
    set(this.#chat, 'hidden', this.#open !== 'chat');
    set(this.#people, 'hidden', this.#open !== 'people');
    setText(this.#panelTitle, this.#open === 'people' ? 'People' : 'Chat');
    for (const name of /** @type {PanelName[]} */ (['chat', 'people'])) {
      set(this.#switches[name], 'aria-expanded', this.#open === name ? 'true' : 'false');
    }
  }

  /** @param {number} added 0 marks everything as read */
  #countUnread(added) {
    this.#unread = this.#open === 'chat' ? 0 : this.#unread + added;
    set(this.#badge, 'hidden', this.#unread === 0);
    this.#badge.replaceChildren(
      this.#unread > 99 ? '99+' : String(this.#unread),
      h('span', { class: 'visually-hidden' }, this.#unread === 1 ? ' new message' : ' new messages'),
    );
  }

  /**
   * @param {string[]} joined
   * @param {string[]} left
   */
  #announce(joined, left) {
    const parts = [];
    if (joined.length > 0) parts.push(joined.length > 3 ? `${plural(joined.length, 'person', 'people')} joined.` : `${joined.join(', ')} joined.`);
    if (left.length > 0) parts.push(left.length > 3 ? `${plural(left.length, 'person', 'people')} left.` : `${left.join(', ')} left.`);
    if (parts.length > 0) setText(this.#announcer, parts.join(' '));
  }

  /**
   * A sentence that stays until it is dismissed.
   *
   * @param {string} sentence
   */
  #say(sentence) {
    this.#notice.replaceChildren(
      h('p', {}, sentence),
      h('button', { type: 'button', class: 'icon-button', onclick: () => this.#notice.replaceChildren() },
        icon('close'), h('span', { class: 'visually-hidden' }, 'Dismiss')),
    );
  }

  #leave() {
    const { client } = this.room;
    const hosts = client.you?.role === 'host' || client.you?.role === 'admin';
    if (!hosts) void this.room.leave();
    else this.append(leaveDialog(this.room));
  }
}

/** @param {string | null} start */
function since(start) {
  if (!start) return '';
  const seconds = Math.max(0, Math.floor((Date.now() - Date.parse(start)) / 1000));
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const shown = parts[0] > 0 ? parts : parts.slice(1);
  return shown.map((part, index) => (index === 0 ? String(part) : String(part).padStart(2, '0'))).join(':');
}

customElements.define('rollcall-class', ClassView);
