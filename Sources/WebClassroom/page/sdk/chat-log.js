// @ts-check

/** @typedef {import('./protocol.js').ChatMessage} ChatMessage */

/** What was written, as far as it is known: ascending, each message once, by its sequence number. */
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

  /** @param {string} id */
  get(id) {
    return this.#messages.find((message) => message.message_id === id);
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

  /**
   * Puts another version in the place of a message.
   *
   * @param {string} id
   * @param {(message: ChatMessage) => ChatMessage} change
   * @returns {boolean} whether the message is known
   */
  change(id, change) {
    const index = this.#messages.findIndex((message) => message.message_id === id);
    if (index < 0) return false;
    this.#messages[index] = change(this.#messages[index]);
    return true;
  }

  clear() {
    this.#messages = [];
    this.hasMore = false;
  }
}
