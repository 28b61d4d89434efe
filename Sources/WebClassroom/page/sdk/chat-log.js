// @ts-check

/** @typedef {import('./protocol.js').ChatMessage} ChatMessage */

/** The chat as far as it is known: ascending, each message once, by its sequence number. */
export class ChatLog {
  /** @type {ChatMessage[]} */
  #messages = [];

  /** Whether the server holds messages older than the first one here. */
  hasMore = false;

  /** @returns {readonly ChatMessage[]} */
  get messages() {
    return this.#messages;
  }

  get oldest() {
    return this.#messages[0];
  }

  get newest() {
    return this.#messages[this.#messages.length - 1];
  }

  /**
   * Takes in messages in any order, known or new.
   *
   * @param {ChatMessage[]} messages
   * @returns {ChatMessage[]} those that were new, ascending
   */
  add(messages) {
    const known = new Set(this.#messages.map((message) => message.seq));
    const added = messages.filter((message) => {
      if (known.has(message.seq)) return false;
      known.add(message.seq);
      return true;
    });
    added.sort((a, b) => a.seq - b.seq);
    if (added.length === 0) return added;
    const appends = !this.newest || added[0].seq > this.newest.seq;
    this.#messages.push(...added);
    if (!appends) this.#messages.sort((a, b) => a.seq - b.seq);
    return added;
  }

  clear() {
    this.#messages = [];
    this.hasMore = false;
  }
}
