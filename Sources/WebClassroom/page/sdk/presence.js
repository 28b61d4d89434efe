// @ts-check

/**
 * @typedef {import('./protocol.js').Participant} Participant
 * @typedef {import('./protocol.js').PresenceSnapshot} PresenceSnapshot
 * @typedef {import('./protocol.js').PresenceDiff} PresenceDiff
 */

/**
 * Who is here, kept by the protocol's rules (section 6): a snapshot replaces everything, a diff
 * replaces or removes the entries it names, and a diff that is not newer is skipped.
 */
export class PresenceSet {
  /** @type {Map<string, Participant>} */
  #participants = new Map();
  #sequence = 0;

  /** How many people are here; in the modes `hosts` and `count` more than the set holds. */
  count = 0;

  /** @param {PresenceSnapshot} snapshot */
  reset(snapshot) {
    this.#participants = new Map(snapshot.participants.map((participant) => [participant.user, participant]));
    this.#sequence = snapshot.presence_seq;
    this.count = snapshot.count;
  }

  /** Forgets everybody. */
  clear() {
    this.#participants.clear();
    this.#sequence = 0;
    this.count = 0;
  }

  /**
   * A further page of a snapshot.
   *
   * @param {Participant[]} participants
   */
  add(participants) {
    for (const participant of participants) this.#participants.set(participant.user, participant);
  }

  /**
   * @param {PresenceDiff} diff
   * @returns {boolean} false when the diff is not newer than the set
   */
  apply(diff) {
    if (diff.presence_seq <= this.#sequence) return false;
    this.#sequence = diff.presence_seq;
    this.count = diff.count;
    this.add(diff.joined ?? []);
    this.add(diff.updated ?? []);
    for (const { user } of diff.left ?? []) this.#participants.delete(user);
    return true;
  }

  /** @param {string} user */
  get(user) {
    return this.#participants.get(user);
  }

  /**
   * The participant who is reached at this address.
   *
   * @param {string} peer
   */
  owner(peer) {
    for (const participant of this.#participants.values()) {
      if (participant.peers.includes(peer)) return participant;
    }
    return undefined;
  }

  /** Those whose hand is up, in the order in which they raised it. */
  get hands() {
    return [...this].filter(({ hand }) => hand !== undefined && hand !== null).sort((a, b) => Number(a.hand) - Number(b.hand));
  }

  get size() {
    return this.#participants.size;
  }

  [Symbol.iterator]() {
    return this.#participants.values();
  }
}
