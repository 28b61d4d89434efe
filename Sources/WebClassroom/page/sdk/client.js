// @ts-check

import { ChatLog } from './chat-log.js';
import { Connection } from './connection.js';
import { TypedEvents } from './events.js';
import { PresenceSet } from './presence.js';
import { RollcallError, randomKey, reconnects, tokenExpired } from './protocol.js';

/**
 * @typedef {import('./backoff.js').Backoff} Backoff
 * @typedef {import('./protocol.js').ChatMessage} ChatMessage
 * @typedef {import('./protocol.js').Joined} Joined
 * @typedef {import('./protocol.js').JoinState} JoinState
 * @typedef {import('./protocol.js').Participant} Participant
 * @typedef {import('./protocol.js').PresenceDiff} PresenceDiff
 * @typedef {import('./protocol.js').PresenceMode} PresenceMode
 * @typedef {import('./protocol.js').Session} Session
 * @typedef {import('./protocol.js').SessionStatus} SessionStatus
 * @typedef {import('./protocol.js').Signal} Signal
 * @typedef {import('./protocol.js').SignalKind} SignalKind
 * @typedef {import('./protocol.js').User} User
 *
 * @typedef {{token: string} | {ticket: string} | {guest: string}} Credentials
 *
 * @typedef {'idle' | 'connecting' | 'open' | 'retrying' | 'closed'} ConnectionStatus
 *   `open` means that the session is joined; `retrying` that the next attempt is at `retryAt`
 *
 * @typedef {object} Events
 * @property {{status: ConnectionStatus, attempt: number, retryAt: number | null}} connection
 * @property {{user: User, guestToken: string | null, expiresAt: string}} ready
 * @property {{expiresAt: string, inMs: number}} expiring the token ends soon; with `getToken`, and for guests, it is renewed
 *   by itself
 * @property {{expiresAt: string, guestToken: string | null}} renewed the new token counts
 * @property {Joined} joined
 * @property {SessionStatus} status
 * @property {{count: number}} waiting
 * @property {{reset: boolean, joined: Participant[], updated: Participant[], left: {user: string, name: string}[]}} presence
 * @property {{added: ChatMessage[], live: boolean}} chat `live` when it was said just now
 * @property {Signal} signal
 * @property {RollcallError} problem a refusal of a command that nobody waits for
 * @property {{code: number, error: RollcallError | null}} closed the end: there will be no further attempt
 *
 * @typedef {object} Pending
 * @property {(answer: any) => void} resolve
 * @property {(error: RollcallError) => void} reject
 * @property {Durable | null} durable
 * @property {OutgoingSignal} [signal]
 *
 * @typedef {object} OutgoingSignal
 * @property {string} from this tab's address when it was made
 * @property {Record<string, any>} message
 *
 * @typedef {object} Durable a command with a key: sent again after a reconnect until it is answered
 * @property {string} type
 * @property {Record<string, any>} fields
 * @property {number} since
 * @property {(answer: any) => void} resolve
 * @property {(error: RollcallError) => void} reject
 */

/** The server remembers keys for ten minutes: a repetition is safe for a little less. */
const keyLifetime = 9 * 60_000;

/** How many signals wait for a lost connection to come back. */
const signalsHeld = 256;

/** How soon a command is repeated when the server cannot write to its disk, in milliseconds. */
const storagePatience = 2000;

/**
 * A member of one session: connects, greets, joins, keeps presence and chat, and comes back by
 * itself after every close that the protocol allows to come back from, with the same address and
 * everything it missed, as long as the server has it.
 *
 * @extends {TypedEvents<Events>}
 */
export class RollcallClient extends TypedEvents {
  /** @type {User | null} */
  user = null;
  /** @type {JoinState | null} null until joined; it stays while the connection is lost */
  state = null;
  /** @type {Joined['you'] | null} */
  you = null;
  /** @type {string | null} this tab's address for signals; a resume keeps it */
  peer = null;
  /** @type {Session | null} */
  session = null;
  /** @type {RTCIceServer[]} */
  iceServers = [];
  /** @type {number} how many wait, while the state is `waiting` */
  waiting = 0;
  presence = new PresenceSet();
  chat = new ChatLog();
  /** What this connection sends, as last told by `setMedia`. */
  media = { audio: false, video: false, screen: false };

  /** @type {string | null} */
  #guestToken = null;
  #connection;
  #nextId = 1;
  /** @type {Map<number, Pending>} */
  #pending = new Map();
  /** @type {Set<Durable>} */
  #outbox = new Set();
  /** @type {RollcallError | null} */
  #refusal = null;
  #joined = false;
  /** @type {string | null} */
  #epoch = null;
  /** @type {Map<string, number>} */
  #streams = new Map();
  /** @type {string | null} */
  #resumeToken = null;
  #signalSequence = 0;
  /** @type {OutgoingSignal[]} signals that could not be sent, or were not confirmed, in order */
  #heldSignals = [];
  /** Whether the token that we have ran out. */
  #needsToken = false;
  /** Whether `getToken` gave the one that is tried now. */
  #triesFreshToken = false;

  /**
   * @param {object} options
   * @param {string} options.session the session's id
   * @param {Credentials | (() => Credentials | Promise<Credentials>)} options.credentials who joins; a
   *   function is asked at each connection (a ticket works only once)
   * @param {() => string | Promise<string>} [options.getToken] asked for a fresh token when the one in use is about to
   *   end, and when it has: the class goes on without a seam
   * @param {string} [options.guestName] the name to come back with when a stored guest token is refused
   * @param {PresenceMode} [options.presence]
   * @param {string | URL} [options.url] default: `/ws` on the page's own origin
   * @param {string} [options.client] what the server's log calls this client
   * @param {Backoff} [options.backoff]
   */
  constructor({ session, credentials, getToken, guestName, presence = 'full', url, client = 'rollcall-web', backoff }) {
    super();
    this.sessionId = session;
    this.credentials = credentials;
    this.getToken = getToken;
    this.guestName = guestName;
    this.presenceMode = presence;
    this.clientName = client;
    const connection = new Connection({
      url: url ?? defaultURL(),
      prepare: () => this.#currentCredentials(),
      comesBack: (code) => this.#comesBack(code),
      backoff,
    });
    this.#connection = connection;
    connection.on('change', () => this.#announceStatus());
    connection.on('opened', (current) => this.#greet(current));
    connection.on('message', (message) => this.#receive(message));
    connection.on('lost', (code) => this.#forgetConnection(code));
    connection.on('closed', (code) => this.#finished(code));
  }

  /** @returns {ConnectionStatus} */
  get status() {
    const { status } = this.#connection;
    if (status === 'up') return this.#joined ? 'open' : 'connecting';
    return status;
  }

  /** Unix time of the next attempt, in milliseconds. */
  get retryAt() {
    return this.#connection.retryAt;
  }

  /** Connects, and stays connected until `leave`, `close`, or a refusal. */
  connect() {
    this.#refusal = null;
    this.#connection.start();
  }

  /** Does not wait for the next attempt. */
  retryNow() {
    this.#connection.retryNow();
  }

  /** Leaves the session (attendance ends now) and closes the connection. */
  async leave() {
    if (this.#joined) {
      const patience = new Promise((resolve) => setTimeout(resolve, 2000));
      await Promise.race([this.request('session.leave').catch(() => {}), patience]);
    }
    this.close();
  }

  /** Closes the connection without leaving; the server keeps the seat for its grace time. */
  close() {
    this.#connection.stop();
  }

  /**
   * Brings a new token of the same user, which counts from now on.
   *
   * @param {string} token
   * @throws {RollcallError} when it is not good; the one before counts until it ends
   */
  async renewToken(token) {
    const answer = await this.request('token.renew', { token });
    if (answer.guest_token) this.#guestToken = answer.guest_token;
    else if (typeof this.credentials !== 'function') this.credentials = { token };
    this.emit('renewed', { expiresAt: answer.expires_at, guestToken: answer.guest_token ?? null });
  }

  /**
   * Sends a command and waits for its answer.
   *
   * @param {string} type
   * @param {Record<string, any>} [fields]
   * @returns {Promise<any>} the `ok`
   * @throws {RollcallError} the refusal, or `connection_lost`
   */
  request(type, fields = {}) {
    return new Promise((resolve, reject) => {
      if (!this.#transmit({ type, ...fields }, { resolve, reject, durable: null })) {
        reject(new RollcallError('connection_lost', 'There is no connection.', { retryable: true }));
      }
    });
  }

  /** Starts the class (host). It is done once, however often the connection is lost meanwhile. */
  start() {
    return this.#requestDurably('session.start', {});
  }

  /** Ends the class for everybody (host). */
  end() {
    return this.#requestDurably('session.end', {});
  }

  /**
   * Says something. Without a connection it is said after the reconnect, and never twice.
   *
   * @param {string} text
   * @param {string} [key] give the key of an unconfirmed message to say that one again
   * @returns {Promise<ChatMessage>}
   */
  async sendChat(text, key = randomKey()) {
    const answer = await this.#requestDurably('chat.send', { text, key });
    const message = /** @type {ChatMessage} */ ({
      seq: answer.seq,
      at: answer.at,
      message_id: answer.message_id,
      user: this.you?.user ?? '',
      name: this.you?.name ?? '',
      role: this.you?.role ?? 'participant',
      text,
    });
    this.#addChat([message], true);
    return message;
  }

  /** Fetches the page before the oldest known message. */
  async loadEarlier() {
    const before = this.chat.oldest?.seq;
    const answer = await this.request('chat.history', before === undefined ? { limit: 50 } : { before, limit: 50 });
    this.chat.hasMore = answer.has_more;
    this.#addChat(answer.messages, false);
  }

  /**
   * Says what this connection sends; repeated by itself after a reconnect.
   *
   * @param {{audio?: boolean, video?: boolean, screen?: boolean}} flags
   */
  setMedia(flags) {
    this.media = { ...this.media, ...flags };
    if (this.#joined && this.state === 'present') this.#transmit({ type: 'media.set', ...this.media });
  }

  /**
   * Passes a signal on to a peer; while the connection is lost it waits for the address to come back.
   *
   * @param {string} to
   * @param {SignalKind} kind
   * @param {any} payload
   * @param {string} [negotiation]
   */
  signal(to, kind, payload, negotiation) {
    if (!this.peer) return;
    this.#transmitSignal({ from: this.peer, message: { type: 'signal', to, kind, negotiation, payload } });
  }

  /** @param {OutgoingSignal} signal */
  #transmitSignal(signal) {
    const reject = (/** @type {RollcallError} */ error) => {
      if (error.code !== 'connection_lost') this.emit('problem', error);
    };
    if (this.#joined && this.#transmit(signal.message, { resolve: () => {}, reject, durable: null, signal })) return;
    if (this.#heldSignals.length < signalsHeld) this.#heldSignals.push(signal);
  }

  /** Sends the signals that waited, unless the address that they came from is gone. */
  #releaseSignals() {
    const held = this.#heldSignals;
    this.#heldSignals = [];
    for (const signal of held) {
      if (signal.from === this.peer) this.#transmitSignal(signal);
    }
  }

  // Connection

  /** @param {number} code */
  #comesBack(code) {
    if (code === tokenExpired && this.getToken && !this.#guestToken) {
      this.#needsToken = true;
      return true;
    }
    return reconnects(code);
  }

  async #currentCredentials() {
    if (this.#guestToken) return { token: this.#guestToken };
    if (this.#needsToken && this.getToken) {
      const token = await this.getToken();
      this.#needsToken = false;
      this.#triesFreshToken = true;
      if (typeof this.credentials !== 'function') this.credentials = { token };
      return { token };
    }
    return typeof this.credentials === 'function' ? await this.credentials() : this.credentials;
  }

  /** @param {Credentials} credentials */
  #greet(credentials) {
    this.#transmit(
      { type: 'hello', ...credentials, client: this.clientName },
      { resolve: () => {}, reject: (error) => this.#helloRefused(error), durable: null },
    );
    const resume = this.#resumeToken
      ? { token: this.#resumeToken, epoch: this.#epoch, streams: Object.fromEntries(this.#streams), signal_seq: this.#signalSequence }
      : undefined;
    this.#transmit(
      { type: 'session.join', session: this.sessionId, presence: this.presenceMode, resume },
      { resolve: () => {}, reject: (error) => this.#joinRefused(error), durable: null },
    );
  }

  /** The token ends soon: with a new one nothing else changes. */
  async #renew() {
    try {
      const token = this.#guestToken ?? (await this.getToken?.());
      if (token) await this.renewToken(token);
    } catch (error) {
      if (error instanceof RollcallError && error.code !== 'connection_lost') this.emit('problem', error);
    }
  }

  /** @param {RollcallError} error */
  #helloRefused(error) {
    if (error.code === 'connection_lost') return;
    if (error.retryable) {
      this.#connection.restart();
    } else if (error.code === 'token_expired' && this.getToken && !this.#guestToken && !this.#triesFreshToken) {
      this.#needsToken = true;
      this.#connection.restart();
    } else if (this.guestName && !('guest' in this.credentials)) {
      // The stored guest is not known any more (a new secret, a token too old): come as a new one.
      this.#guestToken = null;
      this.credentials = { guest: this.guestName };
      this.#connection.restart();
    } else if (this.#guestToken) {
      this.#guestToken = null;
      this.#connection.restart();
    } else {
      this.#refusal = error;
      this.#connection.stop(4500);
    }
  }

  /** @param {RollcallError} error */
  #joinRefused(error) {
    if (error.code === 'connection_lost' || error.code === 'hello_expected') return;
    if (error.retryable && error.code !== 'session_full') {
      this.#connection.restart();
    } else {
      this.#refusal = error;
      this.#connection.stop();
    }
  }

  /**
   * What waits for an answer gets none; commands with a key, and signals, are said again later.
   *
   * @param {number | null} code
   */
  #forgetConnection(code) {
    this.#joined = false;
    // Another connection speaks for our address: this one becomes a tab of its own.
    if (code === 4003) this.#resumeToken = null;
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    const signals = pending.flatMap(({ signal }) => (signal ? [signal] : []));
    this.#heldSignals = [...signals, ...this.#heldSignals].slice(0, signalsHeld);
    for (const { durable, reject, signal } of pending) {
      if (!durable && !signal) reject(lostError());
    }
  }

  /** @param {number} code */
  #finished(code) {
    const error = this.#refusal;
    const unsent = [...this.#outbox];
    this.#outbox.clear();
    for (const durable of unsent) durable.reject(error ?? lostError());
    this.emit('closed', { code, error });
  }

  #announceStatus() {
    this.emit('connection', { status: this.status, retryAt: this.retryAt, attempt: this.#connection.attempt });
  }

  // Messages

  /**
   * @param {Record<string, any>} message
   * @param {Pending} [pending]
   * @returns {boolean} false when there is no open connection
   */
  #transmit(message, pending) {
    if (!pending) return this.#connection.send(message);
    const id = this.#nextId++;
    if (!this.#connection.send({ ...message, id })) return false;
    this.#pending.set(id, pending);
    return true;
  }

  /**
   * @param {string} type
   * @param {Record<string, any>} fields
   * @returns {Promise<any>}
   */
  #requestDurably(type, fields) {
    return new Promise((resolve, reject) => {
      if (this.status === 'closed' || this.status === 'idle') {
        reject(lostError());
        return;
      }
      /** @type {Durable} */
      const durable = { type, fields: { key: randomKey(), ...fields }, since: Date.now(), resolve, reject };
      this.#outbox.add(durable);
      if (this.#joined) this.#transmitDurable(durable);
    });
  }

  /** @param {Durable} durable */
  #transmitDurable(durable) {
    if (Date.now() - durable.since > keyLifetime) {
      this.#outbox.delete(durable);
      durable.reject(new RollcallError('unconfirmed', 'It is not known whether this was done.', { retryable: true }));
      return;
    }
    this.#transmit(
      { type: durable.type, ...durable.fields },
      {
        resolve: (answer) => {
          this.#outbox.delete(durable);
          durable.resolve(answer);
        },
        reject: (error) => {
          if (error.code === 'storage_unavailable') {
            // It was not done, or it is not known whether: the same key makes it once.
            setTimeout(() => this.#repeat(durable), storagePatience * (1 + Math.random()));
            return;
          }
          this.#outbox.delete(durable);
          durable.reject(error);
        },
        durable,
      },
    );
  }

  /** @param {Durable} durable */
  #repeat(durable) {
    const inFlight = [...this.#pending.values()].some((pending) => pending.durable === durable);
    if (this.#joined && this.#outbox.has(durable) && !inFlight) this.#transmitDurable(durable);
  }

  /** @param {any} message */
  #receive(message) {
    switch (message?.type) {
      case 'welcome':
        if (message.ping_interval_ms > 0) this.#connection.pingInterval = message.ping_interval_ms;
        break;
      case 'ready':
        this.#settle(message);
        this.user = message.user;
        this.#triesFreshToken = false;
        if (message.guest_token) this.#guestToken = message.guest_token;
        this.emit('ready', { user: message.user, guestToken: message.guest_token ?? null, expiresAt: message.expires_at });
        break;
      case 'ok':
        this.#settle(message);
        break;
      case 'error':
        this.#refused(message);
        break;
      case 'session.joined':
        this.#settle(message);
        this.#onJoined(message);
        break;
      case 'session.status':
        if (this.#isNew(message)) this.#onStatus(message);
        break;
      case 'waiting.count':
        this.waiting = message.count;
        this.emit('waiting', { count: message.count });
        break;
      case 'presence.state':
        this.#settle(message);
        this.presence.reset(message);
        this.emit('presence', { reset: true, joined: [], updated: [], left: [] });
        void this.#fetchPresence(message.next);
        break;
      case 'presence.diff':
      case 'presence.count':
        this.#onPresenceDiff(message);
        break;
      case 'chat.message':
        if (this.#isNew(message)) this.#addChat([message], true);
        break;
      case 'signal':
        if (message.signal_seq <= this.#signalSequence) break;
        this.#signalSequence = message.signal_seq;
        this.emit('signal', message);
        break;
      case 'token.expiring':
        this.emit('expiring', { expiresAt: message.expires_at, inMs: message.in_ms });
        void this.#renew();
        break;
      case 'server.draining':
        this.#connection.comeBackAfter(Number(message.retry_after_ms) || 0);
        break;
      default:
        break; // a newer server may say more; what is not understood is ignored
    }
  }

  /** @param {any} message */
  #settle(message) {
    const pending = this.#pending.get(message.id);
    if (!pending) return;
    this.#pending.delete(message.id);
    pending.resolve(message);
  }

  /** @param {any} message */
  #refused(message) {
    const error = RollcallError.from(message);
    const pending = this.#pending.get(message.id);
    if (pending) {
      this.#pending.delete(message.id);
      pending.reject(error);
    } else {
      this.emit('problem', error);
    }
  }

  /**
   * Counts a durable event. One that was seen before is skipped; after a gap the connection is made
   * anew, which brings what is missing.
   *
   * @param {any} message
   */
  #isNew(message) {
    if (!message.stream) return true;
    const last = this.#streams.get(message.stream) ?? 0;
    if (message.seq <= last) return false;
    if (message.seq !== last + 1) {
      this.#connection.restart();
      return false;
    }
    this.#streams.set(message.stream, message.seq);
    return true;
  }

  /** @param {Joined} joined */
  #onJoined(joined) {
    if (this.#epoch !== null && this.#epoch !== joined.epoch) this.chat.clear();
    this.#epoch = joined.epoch;
    this.#resumeToken = joined.resume_token ?? null;
    this.#signalSequence = joined.signal_seq ?? 0;
    this.#streams = new Map(Object.entries(joined.streams ?? {}));
    this.state = joined.state;
    this.you = joined.you;
    this.session = joined.session;
    this.peer = joined.peer ?? null;
    this.iceServers = joined.ice_servers ?? [];
    const arrived = !this.#joined;
    this.#joined = true;
    this.#connection.succeeded();
    if (joined.presence) this.presence.reset(joined.presence);
    else this.presence.clear();
    if (arrived) this.#announceStatus();
    this.emit('joined', joined);
    if (joined.presence) this.emit('presence', { reset: true, joined: [], updated: [], left: [] });
    this.#mergeChat(joined.chat);
    void this.#fetchPresence(joined.presence?.next ?? null);
    if (joined.state === 'present' && Object.values(this.media).includes(true)) this.setMedia({});
    this.#releaseSignals();
    for (const durable of [...this.#outbox]) this.#repeat(durable);
  }

  /** @param {SessionStatus} status */
  #onStatus(status) {
    if (this.session) {
      const { status: name, is_live, rev, started_at, ended_at } = status;
      this.session = { ...this.session, status: name, is_live, rev, started_at, ended_at };
    }
    if (status.status === 'completed') {
      this.state = 'ended';
      this.peer = null;
      this.presence.clear();
      this.media = { audio: false, video: false, screen: false };
    }
    this.emit('status', status);
  }

  /** @param {PresenceDiff} diff */
  #onPresenceDiff(diff) {
    const left = (diff.left ?? []).map(({ user }) => ({ user, name: this.presence.get(user)?.name ?? '' }));
    const joined = (diff.joined ?? []).filter(({ user }) => !this.presence.get(user));
    if (!this.presence.apply(diff)) return;
    this.emit('presence', { reset: false, joined, updated: diff.updated ?? [], left });
  }

  /** @param {string | null} cursor */
  async #fetchPresence(cursor) {
    const { generation } = this.#connection;
    while (cursor) {
      let answer;
      try {
        answer = await this.request('presence.page', { after: cursor });
      } catch {
        return;
      }
      if (generation !== this.#connection.generation) return;
      this.presence.add(answer.participants);
      this.emit('presence', { reset: true, joined: [], updated: [], left: [] });
      cursor = answer.next;
    }
  }

  // Chat

  /**
   * @param {ChatMessage[]} messages
   * @param {boolean} live
   */
  #addChat(messages, live) {
    const added = this.chat.add(messages);
    if (added.length > 0) this.emit('chat', { added, live });
  }

  /** @param {Joined['chat']} snapshot the newest messages */
  #mergeChat(snapshot) {
    if (!snapshot) return;
    const known = this.chat.newest?.seq;
    const first = snapshot.messages[0]?.seq;
    if (known === undefined) this.chat.hasMore = snapshot.has_more;
    const added = this.chat.add(snapshot.messages);
    this.emit('chat', { added, live: known !== undefined });
    if (known !== undefined && first !== undefined && first > known && snapshot.has_more) {
      void this.#fillGap(known, first);
    }
  }

  /**
   * Fetches what was said while the connection was lost, beyond what the snapshot held.
   *
   * @param {number} after
   * @param {number} before
   */
  async #fillGap(after, before) {
    try {
      while (before > after) {
        const answer = await this.request('chat.history', { before, limit: 100 });
        this.#addChat(answer.messages, false);
        if (!answer.has_more || answer.messages.length === 0) return;
        before = answer.messages[0].seq;
      }
    } catch {
      const rest = this.chat.messages.filter((message) => message.seq >= before);
      this.chat.clear();
      this.chat.hasMore = true;
      this.#addChat(rest, false);
    }
  }
}

function defaultURL() {
  const url = new URL('/ws', location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  url.hash = '';
  return url;
}

function lostError() {
  return new RollcallError('connection_lost', 'The connection was lost.', { retryable: true });
}
