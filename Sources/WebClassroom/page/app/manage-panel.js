// @ts-check

import { AttendanceSection } from './attendance-section.js';
import { CheckInBoard } from './check-in-board.js';
import { duration } from './composer.js';
import { h, set, setText } from './dom.js';

/**
 * @typedef {import('./room.js').Room} Room
 * @typedef {import('../sdk/protocol.js').Policy} Policy
 */

/** Offered between one message and the next, in seconds. */
const pauses = [0, 5, 10, 30, 60, 300, 600];

/** For those who lead: how people may behave in the room, and who has been here. */
export class ManagePanel extends HTMLElement {
  /** @type {Room} */
  room = /** @type {any} */ (undefined);
  #attendance = new AttendanceSection();
  /** @type {(() => void)[]} */
  #renderings = [];
  /** @type {(() => void)[]} */
  #subscriptions = [];

  connectedCallback() {
    const { client } = this.room;
    const { moderation, rules } = client;
    this.#attendance.room = this.room;
    this.#renderings = [];
    this.replaceChildren(
      h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Rules and attendance' },
        h('section', { class: 'manage-section', 'aria-labelledby': 'manage-rules' },
          h('h3', { id: 'manage-rules' }, 'In the room'),
          this.#switch('Mute everyone', 'Microphones go off and stay off until you ask somebody to speak.',
            () => rules.policy.muted, (on) => moderation.muteAll(on)),
          this.#switch('People may unmute themselves', 'While everyone is muted.',
            () => rules.policy.unmute_allowed, (on) => moderation.setPolicy({ unmute_allowed: on }), () => rules.policy.muted),
          this.#switch('Lock the class', 'Nobody new gets in. Who is here, or comes back after a lost connection, stays.',
            () => rules.policy.locked, (on) => moderation.lock(on)),
          this.#switch('Waiting room', 'Who comes now waits until a host lets the person in.',
            () => client.hasWaitingRoom, (on) => moderation.setPolicy({ waiting_room: on })),
          this.#choice('chat-policy', 'Who may write to everyone',
            [['open', 'Everyone'], ['hosts', 'Hosts only'], ['off', 'Nobody: the chat is closed']],
            () => rules.policy.chat, (value) => moderation.setPolicy({ chat: /** @type {Policy['chat']} */ (value) })),
          this.#choice('slow-mode', 'Slow mode',
            pauses.map((seconds) => [String(seconds), seconds === 0 ? 'Off' : `One message every ${duration(seconds)}`]),
            () => String(rules.policy.slow_mode_seconds), (value) => moderation.setPolicy({ slow_mode_seconds: Number(value) })),
          this.#choice('stage-mode', 'Who may send sound and pictures',
            [['open', 'Everyone, while there are places'], ['invited', 'Only people invited to the stage']],
            () => rules.stage.mode, (value) => moderation.setStage({ mode: /** @type {'open'} */ (value) }))),
        this.#attendance, client.session?.kind !== 'in_person' && this.#inRoom()));
    const render = () => this.#render();
    this.#subscriptions = [client.on('policy', render), client.on('stage', render), client.on('session', render), client.on('joined', render)];
    this.#render();
  }

  disconnectedCallback() {
    for (const unsubscribe of this.#subscriptions) unsubscribe();
  }

  /** To be called when the panel becomes visible. */
  reveal() {
    void this.#attendance.refresh();
    /** @type {CheckInBoard | null} */ (this.querySelector('rollcall-check-in-board'))?.reveal();
  }

  #render() {
    for (const render of this.#renderings) render();
  }

  /** For those who sit together before one screen: they are here, too. */
  #inRoom() {
    const board = new CheckInBoard();
    board.room = this.room;
    board.showsCode = false;
    // Only while it is looked at does it ask for the report.
    const section = h('details', { class: 'in-room-section', ontoggle: () => (section.open ? section.append(board) : board.remove()) },
      h('summary', {}, 'Check people in by hand'));
    return section;
  }

  /**
   * @param {string} label
   * @param {string} hint
   * @param {() => boolean} read
   * @param {(on: boolean) => Promise<any>} write
   * @param {() => boolean} [applies]
   */
  #switch(label, hint, read, write, applies = () => true) {
    const id = `switch-${label.toLowerCase().replaceAll(' ', '-')}`;
    const button = h('button', {
      type: 'button', role: 'switch', class: 'switch', 'aria-labelledby': `${id}-label`, 'aria-describedby': `${id}-hint`,
      onclick: async () => {
        if (button.hasAttribute('aria-busy')) return;
        set(button, 'aria-busy', 'true');
        await this.room.attempt(() => write(!read()));
        set(button, 'aria-busy', null);
        this.#render();
      },
    }, h('span', { class: 'switch-thumb' }));
    const row = h('div', { class: 'setting' },
      h('div', {}, h('p', { id: `${id}-label`, class: 'setting-label' }, label), h('p', { id: `${id}-hint`, class: 'hint' }, hint)), button);
    this.#renderings.push(() => {
      set(button, 'aria-checked', String(read()));
      set(row, 'hidden', !applies());
    });
    return row;
  }

  /**
   * @param {string} id
   * @param {string} label
   * @param {string[][]} options value and text
   * @param {() => string} read
   * @param {(value: string) => Promise<any>} write
   */
  #choice(id, label, options, read, write) {
    const select = h('select', {
      id,
      onchange: async () => {
        await this.room.attempt(() => write(select.value));
        this.#render();
      },
    }, ...options.map(([value, text]) => h('option', { value }, text)));
    this.#renderings.push(() => {
      const value = read();
      if (![...select.options].some((option) => option.value === value)) select.append(h('option', { value }, `One message every ${duration(Number(value))}`));
      select.value = value;
    });
    return h('div', { class: 'setting-choice' }, h('label', { for: id }, label), select);
  }
}

customElements.define('rollcall-manage', ManagePanel);
