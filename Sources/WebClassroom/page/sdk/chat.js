// @ts-check

import { ChatLog } from './chat-log.js';
import { randomKey } from './protocol.js';

/**
 * @typedef {import('./client.js').RollcallClient} RollcallClient
 * @typedef {import('./protocol.js').ChatMessage} ChatMessage
 * @typedef {import('./protocol.js').Joined} Joined
 *
 * @typedef {object} Typing
 * @property {{user: string, name: string}[]} users those who have been typing longest, without oneself
 * @property {number} count how many are typing, without oneself
 */

/** How many messages are fetched at once. */
const page = 50;

/** How far back a chat that has to be fetched anew is fetched again by itself, in pages of 100. */
const pagesFetchedAgain = 10;

/** The server forgets that somebody types after a few seconds: it is said again this often, in milliseconds. */
const typingInterval = 3000;

/**
 * The chat of a session: what everybody reads, what is said to the hosts alone, what is pinned, and
 * who is typing. Everything that becomes of a message is taken in, whenever it becomes known.
 */
export class Chat {
  /** What everybody reads. */
  everyone = new ChatLog();
  /** What is said to the hosts alone: all of it for who leads the class, the own messages for others. */
  toHosts = new ChatLog();
  /** @type {ChatMessage[]} in the order in which they were pinned */
  pinned = [];
  /** @type {Typing} */
  typing = { users: [], count: 0 };

  #member;
  /** @type {number | null} when it was last said that this person types */
  #saidTyping = null;

  /** @param {RollcallClient} member */
  constructor(member) {
    this.#member = member;
  }

  /**
   * Says something. Without a connection it is said after the reconnect, and never twice.
   *
   * @param {string} text
   * @param {object} [options]
   * @param {string} [options.key] give the key of an unconfirmed message to say that one again
   * @param {string} [options.replyTo] the id of the message that is answered
   * @param {boolean} [options.toHosts] only the hosts, and oneself, read it
   * @returns {Promise<ChatMessage>}
   */
  async send(text, options = {}) {
    const { key = randomKey(), replyTo, toHosts = false } = options;
    const member = this.#member;
    this.#saidTyping = null;
    const stream = this.#ownStream;
    const answer = await member.requestDurably('chat.send', { text, key, reply_to: replyTo, to: toHosts ? 'hosts' : undefined });
    const message = /** @type {ChatMessage} */ ({
      seq: answer.seq,
      at: answer.at,
      message_id: answer.message_id,
      user: member.you?.user ?? '',
      name: member.you?.name ?? '',
      role: member.you?.role ?? 'participant',
      text,
      ...(replyTo ? { reply_to: replyTo } : {}),
      ...(toHosts ? { to: 'hosts' } : {}),
    });
    // Its number counts in another stream when the role has changed meanwhile.
    if (!toHosts || stream === this.#ownStream) this.#add(toHosts ? this.toHosts : this.everyone, [message], true);
    return message;
  }

  /**
   * @param {string} message its id
   * @param {string} text
   */
  edit(message, text) {
    return this.#member.requestDurably('chat.edit', { message, text });
  }

  /** @param {string} message its id */
  delete(message) {
    return this.#member.requestDurably('chat.delete', { message });
  }

  /**
   * @param {string} message its id
   * @param {string} emoji one character as people see it
   * @param {boolean} on
   */
  react(message, emoji, on) {
    return this.#member.requestDurably('chat.react', { message, emoji, on });
  }

  /**
   * @param {string} message its id
   * @param {boolean} on
   */
  pin(message, on) {
    return this.#member.requestDurably('chat.pin', { message, on });
  }

  /**
   * Tells the others that something is being written; call it with each key.
   *
   * @param {boolean} on
   */
  setTyping(on) {
    const now = performance.now();
    const said = this.#saidTyping;
    if (on ? said !== null && now - said < typingInterval : said === null) return;
    this.#saidTyping = on ? now : null;
    this.#member.request('chat.typing', { on }).catch(() => {});
  }

  /**
   * Fetches the page before the oldest known message.
   *
   * @param {ChatLog} log
   */
  async loadEarlier(log) {
    await this.#fetch(log, page);
  }

  /**
   * Takes in a numbered event of the chat.
   *
   * @param {any} event
   */
  receive(event) {
    const id = event.message_id;
    switch (event.type) {
      case 'chat.message':
        if (event.stream === 'room') this.#add(this.everyone, [event], true);
        else if (event.stream === this.#ownStream) this.#add(this.toHosts, [event], true);
        break;
      case 'chat.edited':
        this.#change(id, (message) => ({ ...message, text: event.text, edited_at: new Date(event.at).toISOString() }));
        break;
      case 'chat.deleted':
        this.#change(id, ({ reactions, ...message }) => ({ ...message, text: '', deleted: true }));
        break;
      case 'chat.reaction':
        this.#change(id, (message) => ({ ...message, reactions: this.#withReaction(message.reactions ?? [], event) }));
        break;
      case 'chat.pinned':
        void this.#pinned(id, event.on);
        break;
    }
  }

  /** @param {Typing} typing */
  receiveTyping({ users, count }) {
    const own = this.#member.you?.user;
    const others = users.filter(({ user }) => user !== own);
    this.typing = { users: others, count: count - (users.length - others.length) };
    this.#member.emit('typing', this.typing);
  }

  /**
   * Takes in the state of the chat at the entrance, unless every missed event follows.
   *
   * @param {Joined} joined
   */
  enter({ recovered, chat, streams, state }) {
    if (this.typing.count > 0) this.receiveTyping({ users: [], count: 0 });
    if (recovered || !chat) return;
    const { oldest, newest } = this.everyone;
    this.everyone.clear();
    this.everyone.hasMore = chat.has_more;
    const messages = this.everyone.add(chat.messages);
    this.pinned = chat.pinned ?? [];
    const added = messages.filter(({ seq }) => !newest || seq > newest.seq);
    this.#member.emit('chat', { log: this.everyone, added, live: newest !== undefined, changed: true });
    this.#member.emit('pins', null);
    if (oldest) void this.#fetchAgain(this.everyone, oldest.seq);
    const hasPrivate = Object.keys(streams ?? {}).some((name) => name !== 'room');
    if (hasPrivate && state !== 'waiting') this.readPrivate();
  }

  /** Fetches what was said to the hosts anew: another role reads other messages, under other numbers. */
  readPrivate() {
    this.toHosts.clear();
    this.#member.emit('chat', { log: this.toHosts, added: [], live: false, changed: true });
    this.#fetch(this.toHosts, page).catch(() => {});
  }

  clear() {
    this.everyone.clear();
    this.toHosts.clear();
    this.pinned = [];
  }

  /** The stream in which messages to the hosts come to this member. */
  get #ownStream() {
    const { you, leads } = this.#member;
    return leads ? 'hosts' : `user:${you?.user}`;
  }

  /**
   * @param {ChatLog} log
   * @param {number} limit
   */
  async #fetch(log, limit) {
    const stream = this.#ownStream;
    const question = { before: log.oldest?.seq, limit, private: log === this.toHosts ? true : undefined };
    const answer = await this.#member.request('chat.history', question);
    if (log === this.toHosts && stream !== this.#ownStream) return;
    log.hasMore = answer.has_more;
    this.#add(log, answer.messages, false);
  }

  /**
   * Fetches what was shown before the whole state came anew, so that nothing that was there is missing.
   *
   * @param {ChatLog} log
   * @param {number} sequence the oldest message that was shown
   */
  async #fetchAgain(log, sequence) {
    for (let fetched = 0; fetched < pagesFetchedAgain; fetched += 1) {
      if (!log.hasMore || !log.oldest || log.oldest.seq <= sequence) return;
      try {
        await this.#fetch(log, 100);
      } catch {
        return; // the rest can be asked for
      }
    }
  }

  /**
   * @param {ChatLog} log
   * @param {ChatMessage[]} messages
   * @param {boolean} live
   */
  #add(log, messages, live) {
    const added = log.add(messages);
    this.#member.emit('chat', { log, added, live, changed: false });
  }

  /**
   * @param {string} id
   * @param {(message: ChatMessage) => ChatMessage} change
   */
  #change(id, change) {
    const isPinned = this.pinned.some((message) => message.message_id === id);
    if (isPinned) {
      this.pinned = this.pinned.map((message) => (message.message_id === id ? change(message) : message));
      this.#member.emit('pins', null);
    }
    if (this.everyone.change(id, change)) this.#member.emit('chat', { log: this.everyone, added: [], live: false, changed: true });
  }

  /**
   * @param {NonNullable<ChatMessage['reactions']>} reactions
   * @param {{emoji: string, count: number, user: string, on: boolean}} event
   */
  #withReaction(reactions, { emoji, count, user, on }) {
    const former = reactions.find((reaction) => reaction.emoji === emoji);
    const mine = user === this.#member.you?.user ? on : former?.mine === true;
    const now = { emoji, count, ...(mine ? { mine } : {}) };
    if (count === 0) return reactions.filter((reaction) => reaction !== former);
    return former ? reactions.map((reaction) => (reaction === former ? now : reaction)) : [...reactions, now];
  }

  /**
   * @param {string} id
   * @param {boolean} on
   */
  async #pinned(id, on) {
    if (on) {
      for (let fetched = 0; fetched < pagesFetchedAgain && !this.everyone.get(id) && this.everyone.hasMore; fetched += 1) {
        try {
          await this.#fetch(this.everyone, 100);
        } catch {
          return; // the connection is lost: the next one brings what is pinned
        }
      }
    }
    const message = on ? this.everyone.get(id) : undefined;
    const rest = this.pinned.filter((other) => other.message_id !== id);
    this.pinned = message ? [...rest, message] : rest;
    this.#member.emit('pins', null);
  }
}
