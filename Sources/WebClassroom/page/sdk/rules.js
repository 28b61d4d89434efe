// @ts-check

import { RollcallError } from './protocol.js';

/**
 * @typedef {import('./client.js').RollcallClient} RollcallClient
 * @typedef {import('./protocol.js').Joined} Joined
 * @typedef {import('./protocol.js').Policy} Policy
 * @typedef {import('./protocol.js').StageRule} StageRule
 *
 * @typedef {(media: {audio?: false, video?: false, screen?: false}, error: RollcallError | null) => void} Quieten
 */

/** @type {Policy} a room in which nothing is forbidden */
const openPolicy = { muted: false, unmute_allowed: false, locked: false, chat: 'open', slow_mode_seconds: 0 };

const everything = /** @type {const} */ ({ audio: false, video: false, screen: false });

/** How people may behave in the room, as those who lead the class have decided: who may speak, write, and be seen. */
export class Rules {
  policy = openPolicy;
  /** @type {string | null} whom everybody sees large */
  spotlight = null;
  /** @type {StageRule} `open` to all while there are places, or only to those who are invited */
  stage = { mode: 'open', places: null, invited: [] };

  #member;
  #quieten;
  /** Whether this person was asked to speak since everybody was muted. */
  #isAskedToSpeak = false;

  /**
   * @param {RollcallClient} member
   * @param {Quieten} quieten stops what this person may not send any more
   */
  constructor(member, quieten) {
    this.#member = member;
    this.#quieten = quieten;
  }

  /** Why the microphone has to stay off: this person was muted, or all are. @returns {'person' | 'all' | null} */
  get mutedBy() {
    const member = this.#member;
    if (member.self?.muted) return 'person';
    const { muted, unmute_allowed } = this.policy;
    return muted && !unmute_allowed && !member.leads && !this.#isAskedToSpeak ? 'all' : null;
  }

  /**
   * Takes in what counts at the entrance, unless every change of it follows.
   *
   * @param {Joined} joined
   */
  enter({ recovered, policy = openPolicy, spotlight = null, stage }) {
    if (recovered) return;
    const former = this.policy;
    this.policy = policy;
    if (stage) this.stage = stage;
    this.#isAskedToSpeak = false;
    this.#member.emit('policy', { policy, former, by: null });
    this.#member.emit('stage', null);
    this.#point(spotlight);
  }

  /** The class is over. */
  clear() {
    this.#point(null);
  }

  /**
   * Takes in a numbered event.
   *
   * @param {any} event
   */
  receive(event) {
    const by = event.by ?? null;
    switch (event.type) {
      case 'room.policy':
        this.#change(event);
        break;
      case 'room.spotlight':
        this.#point(event.user ?? null);
        break;
      case 'room.stage':
        this.#setStage(event);
        break;
      case 'stage.removed':
        this.#quieten(everything, new RollcallError('stage_removed'));
        break;
      case 'participant.muted':
        this.#isAskedToSpeak = !event.on;
        if (event.on) this.#quieten({ audio: false }, null);
        this.#member.emit('muted', { on: event.on, by });
        break;
      case 'participant.unmute_asked':
        this.#isAskedToSpeak = true;
        this.#member.emit('unmute_asked', { by });
        break;
    }
  }

  /** Presence says that the server has switched off this person's sound. */
  noticeSilence() {
    // Everybody was muted once more: nothing else says so to who was asked to speak meanwhile.
    if (!this.policy.muted || this.#member.leads) return;
    this.#isAskedToSpeak = false;
    this.#quieten({ audio: false }, null);
  }

  /** @param {any} event */
  #change({ type, stream, seq, at, by = null, ...policy }) {
    const former = this.policy;
    this.policy = policy;
    if (policy.muted && !former.muted) {
      this.#isAskedToSpeak = false;
      if (!this.#member.leads) this.#quieten({ audio: false }, null);
    }
    this.#member.emit('policy', { policy, former, by });
  }

  /** @param {string | null} user */
  #point(user) {
    this.spotlight = user;
    this.#member.emit('spotlight', { user });
  }

  /** @param {StageRule} stage */
  #setStage({ mode, places, invited }) {
    this.stage = { mode, places, invited };
    const { leads, you } = this.#member;
    const mayStay = mode === 'open' || leads || invited.includes(you?.user ?? '');
    if (!mayStay) this.#quieten(everything, new RollcallError('stage_removed'));
    this.#member.emit('stage', null);
  }
}
