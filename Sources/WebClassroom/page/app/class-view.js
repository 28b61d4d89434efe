// @ts-check

import { ChatPanel } from './chat-panel.js';
import { CheckInBoard } from './check-in-board.js';
import { CheckInCard } from './check-in-card.js';
import { announceRules } from './class-notices.js';
import { deviceButton } from './device-buttons.js';
import { coalesced, h, plural, set, setText } from './dom.js';
import { handButton } from './hand-button.js';
import { icon } from './icons.js';
import { leaveDialog } from './leave-dialog.js';
import { ManagePanel } from './manage-panel.js';
import { PeoplePanel } from './people-panel.js';
import { Stage } from './stage.js';

/**
 * @typedef {import('./room.js').Room} Room
 * @typedef {'chat' | 'people' | 'manage'} PanelName
 */

/** The class while it is on: stage, panel, controls. */
export class ClassView extends HTMLElement {
  /** @type {Room} */
  room = /** @type {any} */ (undefined);
  #stage = new Stage();
  /** In a class that is held in a room these stand in the place of the stage. */
  #board = new CheckInBoard();
  #card = new CheckInCard();
  #chat = new ChatPanel();
  #people = new PeoplePanel();
  #manage = new ManagePanel();
  /** @type {PanelName | null} */
  #open = null;
  #unread = 0;
  #panelTitle = h('h2', { id: 'panel-title' });
  #panel = h('aside', { class: 'panel', id: 'panel', 'aria-labelledby': 'panel-title' });
  #badge = h('span', { class: 'unread', hidden: true });
  #asking = h('span', { class: 'unread', hidden: true });
  #announcer = h('p', { class: 'visually-hidden', 'aria-live': 'polite' });
  /** @type {Record<PanelName, HTMLButtonElement>} */
  #switches = /** @type {any} */ ({});
  /** @type {(() => void)[]} */
  #subscriptions = [];
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #clock;

  connectedCallback() {
    const { client, media, notices } = this.room;
    this.#stage.room = this.#chat.room = this.#people.room = this.#manage.room = this.room;
    this.#stage.onmore = () => this.#show('people');
    this.#board.room = this.room;
    this.#card.session = client.sessionId;
    this.#card.bearer = () => this.room.bearer;
    this.#card.mayLeave = false;

    const count = h('p', { class: 'count', role: 'status', 'aria-live': 'polite' });
    const elapsed = h('span', { class: 'elapsed' });
    const rules = { obstacle: () => null, explain: (/** @type {string} */ text) => notices.say({ text, topic: 'speaking' }) };
    const kind = client.session?.kind ?? 'video';
    const devices = kind === 'in_person' ? [] : [deviceButton(media, 'microphone', { ...rules, obstacle: () => this.#silencedBecause() })];
    if (kind === 'video') {
      devices.push(deviceButton(media, 'camera', { ...rules, obstacle: () => this.#offStageBecause() }));
      if (media.canShareScreen) devices.push(deviceButton(media, 'screen', { ...rules, obstacle: () => this.#offStageBecause() }));
    }
    const hand = handButton(this.room);
    const title = h('h1', { tabindex: '-1' });
    const instructor = h('p', { class: 'instructor' });
    const renderTitle = () => {
      setText(title, client.session?.title || 'Class');
      setText(instructor, client.session?.instructor ?? '');
      set(instructor, 'hidden', !client.session?.instructor);
    };
    renderTitle();
    const marks = h('p', { class: 'room-marks' });

    set(this.#board, 'hidden', true);
    this.#panel.replaceChildren(
      h('div', { class: 'panel-head' }, this.#panelTitle,
        h('button', { type: 'button', class: 'icon-button', onclick: () => this.#close() }, icon('close'), h('span', { class: 'visually-hidden' }, 'Close'))),
      this.#chat,
      this.#people,
      this.#manage,
    );
    this.#switches = {
      chat: this.#switch('chat', 'Chat', this.#badge),
      people: this.#switch('people', 'People', this.#asking),
      manage: this.#switch('manage', 'Manage'),
    };

    this.replaceChildren(
      h('header', { class: 'bar' },
        h('div', { class: 'bar-title' },
          title, instructor),
        h('p', { class: 'pill live' }, h('span', { class: 'dot', 'aria-hidden': 'true' }), 'Live', elapsed),
        marks, count),
      h('main', { class: 'classroom' }, kind === 'in_person' ? h('div', { class: 'in-room' }, this.#card, this.#board) : this.#stage, notices, this.#panel),
      h('section', { class: 'controls', 'aria-label': 'Class controls' },
        h('div', { class: 'controls-group' }, ...devices.map(({ button }) => button), hand.button),
        h('div', { class: 'controls-group' },
          this.#switches.people,
          this.#switches.chat,
          this.#switches.manage,
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
      client.on('chat', ({ added, live }) => {
        const news = live ? added.filter(({ user }) => user !== client.you?.user).length : 0;
        if (news > 0) this.#countUnread(news);
      }),
      client.on('session', renderTitle),
      media.on('change', () => devices.forEach((button) => button.render())),
      media.on('problem', ({ sentence }) => notices.say({ text: sentence })),
      ...announceRules(this.room, (name) => this.#show(name), () => this.#open === 'people'),
    ];
    const renderRules = coalesced(() => {
      devices.forEach((button) => button.render());
      hand.render();
      this.#renderAsking();
      const { policy } = client.rules;
      marks.replaceChildren(...[
        policy.locked ? mark('lock', 'The class is locked') : '',
        policy.muted ? mark('microphone', 'Everyone is muted', true) : '',
      ]);
      if (!client.leads && this.#open === 'manage') this.#close();
      set(this.#switches.manage, 'hidden', !client.leads);
      set(this.#card, 'hidden', client.leads);
      if (client.leads === this.#board.hidden) {
        set(this.#board, 'hidden', !client.leads);
        this.#board.reveal();
      }
    });
    for (const name of /** @type {const} */ (['presence', 'policy', 'stage', 'role', 'waiting', 'muted', 'unmute_asked', 'joined'])) {
      this.#subscriptions.push(client.on(name, renderRules));
    }
    renderRules();
    renderCount();
    this.#render();
    if (kind !== 'in_person' && matchMedia('(min-width: 900px)').matches) this.#show('chat', false);
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
    if (name === 'people') {
      this.room.notices.retract('waiting');
      this.room.notices.retract('requests');
    }
    if (name === 'manage') this.#manage.reveal();
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
    set(this.#manage, 'hidden', this.#open !== 'manage');
    setText(this.#panelTitle, { chat: 'Chat', people: 'People', manage: 'Manage the class' }[this.#open ?? 'chat']);
    for (const name of /** @type {PanelName[]} */ (['chat', 'people', 'manage'])) {
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

  /** Hands that are up and, for who leads, people who wait. */
  #renderAsking() {
    const { client } = this.room;
    const hands = client.presence.hands.length;
    const asking = hands + (client.leads ? client.waiting.count : 0);
    set(this.#asking, 'hidden', asking === 0);
    this.#asking.replaceChildren(asking > 99 ? '99+' : String(asking),
      h('span', { class: 'visually-hidden' }, client.leads ? ' waiting or with a raised hand' : ' with a raised hand'));
  }

  /** Why this person may not speak. */
  #silencedBecause() {
    const { rules } = this.room.client;
    if (rules.mutedBy === 'person') return 'A host has muted you. You can speak again when a host asks you to. You can raise your hand, or write.';
    if (rules.mutedBy === 'all') return 'Everyone is muted. You can speak when a host asks you to. You can raise your hand, or write.';
    return this.#offStageBecause();
  }

  /** Why this person may not be seen. */
  #offStageBecause() {
    const { rules, leads, you } = this.room.client;
    if (rules.stage.mode === 'open' || leads || rules.stage.invited.includes(you?.user ?? '')) return null;
    return 'Only people whom a host has invited to the stage send sound and pictures now. You can raise your hand, or write.';
  }

  #leave() {
    const { client } = this.room;
    const hosts = client.you?.role === 'host' || client.you?.role === 'admin';
    if (!hosts) void this.room.leave();
    else this.append(leaveDialog(this.room));
  }
}

/**
 * @param {import('./icons.js').IconName} name
 * @param {string} text
 * @param {boolean} [crossed]
 */
function mark(name, text, crossed = false) {
  return h('span', { class: 'room-mark', title: text }, icon(name, { crossed }), h('span', { class: 'visually-hidden' }, text));
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
