// @ts-check

/**
 * @typedef {import('./protocol.js').Policy} Policy
 * @typedef {(type: string, fields: Record<string, any>) => Promise<any>} Ask
 */

/**
 * What those who lead a class can do: hosts, cohosts and admins. The server decides; each of these
 * is done once, however often the connection is lost meanwhile, and fails with a `RollcallError`.
 */
export class Moderation {
  #ask;

  /** @param {Ask} ask */
  constructor(ask) {
    this.#ask = ask;
  }

  /**
   * Mutes a person, who cannot unmute; with `on` false the person may again.
   *
   * @param {string} user
   * @param {boolean} [on]
   */
  mute(user, on = true) {
    return this.#ask('participant.mute', { user, on });
  }

  /**
   * Asks a person to speak, and allows it.
   *
   * @param {string} user
   */
  askToUnmute(user) {
    return this.#ask('participant.ask_unmute', { user });
  }

  /**
   * @param {boolean} on
   * @param {boolean} [unmuteAllowed] whether people may turn their microphones on again by themselves
   */
  muteAll(on, unmuteAllowed = false) {
    return this.#ask('room.mute_all', { on, ...(on ? { unmute_allowed: unmuteAllowed } : {}) });
  }

  /**
   * Sends a person out, who may come back.
   *
   * @param {string} user
   */
  remove(user) {
    return this.#ask('participant.remove', { user });
  }

  /**
   * Sends a person out for good.
   *
   * @param {string} user
   */
  ban(user) {
    return this.#ask('participant.ban', { user });
  }

  /** @param {string} user */
  unban(user) {
    return this.#ask('participant.unban', { user });
  }

  /**
   * Makes a person a cohost.
   *
   * @param {string} user
   */
  promote(user) {
    return this.#ask('participant.promote', { user });
  }

  /** @param {string} user */
  demote(user) {
    return this.#ask('participant.demote', { user });
  }

  /**
   * Shows a person large to everybody.
   *
   * @param {string} user
   * @param {boolean} on
   */
  spotlight(user, on) {
    return this.#ask('participant.spotlight', { user, on });
  }

  /**
   * Lets nobody new in.
   *
   * @param {boolean} on
   */
  lock(on) {
    return this.#ask('room.lock', { on });
  }

  /** @param {Partial<Policy>} changes */
  setPolicy(changes) {
    return this.#ask('room.policy', changes);
  }

  /** @param {string} user */
  lowerHand(user) {
    return this.#ask('hand.lower', { user });
  }

  lowerAllHands() {
    return this.#ask('hand.lower', { all: true });
  }

  /**
   * Lets a person in who waits.
   *
   * @param {string} user
   */
  admit(user) {
    return this.#ask('waiting.admit', { user });
  }

  admitAll() {
    return this.#ask('waiting.admit', { all: true });
  }

  /**
   * Turns a person away who waits.
   *
   * @param {string} user
   */
  deny(user) {
    return this.#ask('waiting.deny', { user });
  }

  /** @param {{mode?: 'open' | 'invited', places?: number}} changes */
  setStage(changes) {
    return this.#ask('stage.set', changes);
  }

  /** @param {string} user */
  inviteToStage(user) {
    return this.#ask('stage.invite', { user });
  }

  /** @param {string} user */
  takeOffStage(user) {
    return this.#ask('stage.remove', { user });
  }

  /**
   * Says of a person to be in the place where the class is held; after the class, to have been there all the time.
   *
   * @param {string} user
   */
  checkIn(user) {
    return this.#ask('participant.check_in', { user });
  }

  /**
   * Says of a person to have gone.
   *
   * @param {string} user
   */
  checkOut(user) {
    return this.#ask('participant.check_out', { user });
  }
}
