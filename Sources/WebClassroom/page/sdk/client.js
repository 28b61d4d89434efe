// @ts-check

import { Chat } from './chat.js';
import { Connection } from './connection.js';
import { TypedEvents } from './events.js';
import { Moderation } from './moderation.js';
import { PresenceSet } from './presence.js';
import { Rules } from './rules.js';
import { RollcallError, leads, randomKey, reconnects, tokenExpired } from './protocol.js';

/**
 * @typedef {import('./backoff.js').Backoff} Backoff
 * @typedef {import('./chat-log.js').ChatLog} ChatLog
 * @typedef {import('./chat.js').Typing} Typing
 * @typedef {import('./protocol.js').ChatMessage} ChatMessage
 * @typedef {import('./protocol.js').Joined} Joined
 * @typedef {import('./protocol.js').JoinState} JoinState
 * @typedef {import('./protocol.js').Participant} Participant
 * @typedef {import('./protocol.js').Policy} Policy
 * @typedef {import('./protocol.js').PresenceDiff} PresenceDiff
 * @typedef {import('./protocol.js').PresenceMode} PresenceMode
 * @typedef {import('./protocol.js').Session} Session
 * @typedef {import('./protocol.js').SessionStatus} SessionStatus
 * @typedef {import('./protocol.js').Signal} Signal
 * @typedef {import('./protocol.js').SignalKind} SignalKind
 * @typedef {import('./protocol.js').User} User
 * @typedef {import('./protocol.js').Waiting} Waiting
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
 * @property {null} session the session's details have changed: `session`
 * @property {{by: string | null, text: string}} starting the host says that the class begins now
 * @property {Waiting} waiting who waits has changed
 * @property {{reset: boolean, joined: Participant[], updated: Participant[], left: {user: string, name: string}[]}} presence
 * @property {{log: ChatLog, added: ChatMessage[], live: boolean, changed: boolean}} chat `live` when it was said just now;
 *   `changed` when more than additions happened to the log
 * @property {null} pins what is pinned has changed: `chat.pinned`
 * @property {Typing} typing
 * @property {{policy: Policy, former: Policy, by: string | null}} policy
 * @property {{user: string | null}} spotlight
 * @property {null} stage who may send sound and pictures has changed: `stage`
 * @property {{user: string, role: string, by: string | null, own: boolean}} role somebody has another role
 * @property {{on: boolean, by: string | null}} muted this person was muted, or may speak again
 * @property {{by: string | null}} unmute_asked this person is asked to speak, and may
 * @property {{by: string | null, all: boolean}} hand_lowered somebody who leads has lowered the hands, or the own one
 * @property {{user: string, name: string, by: string | null, banned: boolean, on: boolean}} removed to who leads: somebody was
 *   sent out; `on` is false when a ban was lifted
 * @property {null} bans to who leads: what is known of who is banned has changed: `banned`
 * @property {any} attendance to who leads: the totals of the attendance report
 * @property {any} event any other event, as it came
 * @property {Signal} signal
 * @property {null} ice the servers for calls, or the policy, have changed: `iceServers`, `iceTransportPolicy`
 * @property {{error: RollcallError | null}} media the server does not let this connection send what it said; `media` is what it may
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
  /** @type {RTCIceTransportPolicy} */
  iceTransportPolicy = 'all';
  /** @type {Waiting} who waits: for who waits, and for who leads the class */
  waiting = nobodyWaits;
  /** @type {Map<string, {user: string, name: string}>} to who leads: who is banned */
  banned = new Map();
  presence = new PresenceSet();
  chat = new Chat(this);
  rules = new Rules(this, (media, error) => this.#quieten(media, error));
  moderation = new Moderation((type, fields) => this.requestDurably(type, fields));
  /** What this connection sends, as last told by `setMedia`. */
  media = { audio: false, video: false, screen: false };

  /** @type {string | null} */
  #guestToken = null;
  /** What the server has taken in of `media`. */
  #takenMedia = { audio: false, video: false, screen: false };
  #isAway = false;
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

  /** Whether this person leads the class. */
  get leads() {
    return leads(this.you?.role);
  }

  /** This person as the others see it, while in the class. */
  get self() {
    return this.you ? this.presence.get(this.you.user) : undefined;
  }

  /** Whether who comes now has to wait to be let in. */
  get hasWaitingRoom() {
    return this.rules.policy.waiting_room ?? this.session?.waiting_room ?? false;
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
    return this.requestDurably('session.start', {});
  }

  /** Ends the class for everybody (host). */
  end() {
    return this.requestDurably('session.end', {});
  }

  /**
   * Tells those who wait, and those who follow the list of sessions, that the class begins now (who leads).
   *
   * @param {string} [text]
   */
  announce(text) {
    return this.requestDurably('session.announce', { text });
  }

  /**
   * Raises the own hand, or takes it down.
   *
   * @param {boolean} up
   */
  setHand(up) {
    return this.requestDurably(up ? 'hand.raise' : 'hand.lower', {});
  }

  /**
   * Says whether anybody looks at this tab; repeated by itself after a reconnect.
   *
   * @param {boolean} away
   */
  setAway(away) {
    if (away === this.#isAway) return;
    this.#isAway = away;
    this.#tellAway();
  }

  #tellAway() {
    if (this.#joined && this.state === 'present' && this.peer) this.request('presence.away', { on: this.#isAway }).catch(() => {});
  }

  /**
   * Fetches the attendance report as it is now: for who leads the class, of everybody; else the own row.
   *
   * @returns {Promise<{report: any, participants: any[]}>}
   */
  async attendance() {
    /** @type {any[]} */
    const participants = [];
    let report = null;
    for (let after = /** @type {number | undefined | null} */ (undefined); after !== null; ) {
      /** @type {any} */
      const answer = await this.request('attendance.get', { after, limit: 100 });
      report = answer.report;
      participants.push(...answer.participants);
      after = answer.next ?? null;
    }
    return { report, participants };
  }

  /**
   * Says what this connection sends; repeated by itself after a reconnect.
   *
   * @param {{audio?: boolean, video?: boolean, screen?: boolean}} flags
   */
  setMedia(flags) {
    this.media = { ...this.media, ...flags };
    if (!this.#joined || this.state !== 'present') return;
    const said = this.media;
    this.#transmit(
      { type: 'media.set', ...said },
      {
        resolve: () => {
          this.#takenMedia = said;
        },
        reject: (error) => {
          // What was said meanwhile has an answer of its own.
          if (error.code !== 'connection_lost' && this.media === said) this.#refuseMedia(this.#takenMedia, error);
        },
        durable: null,
      },
    );
  }

  /** @type {import('./rules.js').Quieten} */
  #quieten(media, error) {
    const sends = Object.keys(media).some((kind) => this.media[/** @type {'audio'} */ (kind)]);
    if (sends) this.#refuseMedia({ ...this.media, ...media }, error);
  }

  /**
   * @param {typeof this.media} media what may be sent
   * @param {RollcallError | null} error
   */
  #refuseMedia(media, error) {
    this.media = { ...media };
    this.#takenMedia = this.media;
    this.emit('media', { error });
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
   * Sends a command that is to be done once: without a connection it is sent after the reconnect,
   * and it is repeated, with the same key, until there is an answer.
   *
   * @param {string} type
   * @param {Record<string, any>} fields
   * @returns {Promise<any>} the `ok`
   * @throws {RollcallError} the refusal; `unconfirmed` after too long a time; `connection_lost` at the end
   */
  requestDurably(type, fields) {
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
      case 'session.updated':
        if (this.#isNew(message) && message.session.rev >= (this.session?.rev ?? 0)) this.#takeSession(message.session);
        break;
      case 'session.starting':
        if (this.#isNew(message)) this.emit('starting', { by: message.by ?? null, text: message.text ?? '' });
        break;
      case 'session.deleted':
        this.#dismiss(new RollcallError('session_deleted', 'The session does not exist any more.'));
        break;
      case 'session.dismissed':
        this.#dismiss(new RollcallError(String(message.code), 'There is no place.'));
        break;
      case 'waiting.denied':
        this.#dismiss(new RollcallError('denied', 'A host has turned you away.'));
        break;
      case 'waiting.count':
        // Who leads hears more of it.
        if (!this.leads || this.waiting.people.length === 0) this.#takeWaiting(message);
        break;
      case 'waiting.state':
        this.#takeWaiting(message);
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
      case 'chat.edited':
      case 'chat.deleted':
      case 'chat.reaction':
      case 'chat.pinned':
        if (this.#isNew(message)) this.chat.receive(message);
        break;
      case 'chat.typing':
        this.chat.receiveTyping(message);
        break;
      case 'room.policy':
      case 'room.spotlight':
      case 'room.stage':
      case 'stage.removed':
      case 'participant.muted':
      case 'participant.unmute_asked':
        if (this.#isNew(message)) this.rules.receive(message);
        break;
      case 'participant.role':
        if (this.#isNew(message)) this.#onRole(message);
        break;
      case 'participant.removed':
      case 'participant.banned':
        if (this.#isNew(message)) {
          const { user, name, by = null, on = true } = message;
          if (message.type === 'participant.banned') {
            if (on) this.banned.set(user, { user, name });
            else this.banned.delete(user);
          }
          this.emit('removed', { user, name, by, banned: message.type === 'participant.banned', on });
        }
        break;
      case 'hand.lowered':
      case 'hands.lowered':
        if (this.#isNew(message)) this.emit('hand_lowered', { by: message.by ?? null, all: message.type === 'hands.lowered' });
        break;
      case 'attendance.summary':
        this.emit('attendance', message.totals);
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
      case 'ice_servers':
        this.#takeServers(message);
        break;
      case 'server.draining':
        this.#connection.comeBackAfter(Number(message.retry_after_ms) || 0);
        break;
      default:
        // A newer server may say more. What is not understood counts all the same, and is handed on.
        if (this.#isNew(message)) this.emit('event', message);
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
    this.#takeServers(joined);
    this.waiting = { ...nobodyWaits, ...joined.waiting };
    this.#takenMedia = { audio: false, video: false, screen: false };
    const arrived = !this.#joined;
    this.#joined = true;
    this.#connection.succeeded();
    if (joined.presence) this.presence.reset(joined.presence);
    else this.presence.clear();
    this.rules.enter(joined);
    if (arrived) this.#announceStatus();
    this.emit('joined', joined);
    this.emit('waiting', this.waiting);
    if (joined.presence) this.emit('presence', { reset: true, joined: [], updated: [], left: [] });
    this.chat.enter(joined);
    // Who keeps what it has is told of the rest by the events it missed.
    if (!joined.recovered) void this.#fetchBans();
    void this.#fetchPresence(joined.presence?.next ?? null);
    if (joined.state === 'present' && Object.values(this.media).includes(true)) this.setMedia({});
    if (this.#isAway) this.#tellAway();
    this.#releaseSignals();
    for (const durable of [...this.#outbox]) this.#repeat(durable);
  }

  async #fetchBans() {
    this.banned.clear();
    this.emit('bans', null);
    try {
      for (let after = 0; this.leads && after !== null; ) {
        const { banned, next } = await this.request('participant.bans', { after });
        for (const { user, name } of banned) this.banned.set(user, { user, name });
        this.emit('bans', null);
        after = next;
      }
    } catch (error) {
      // The next time that this client comes in, it asks again.
      if (!(error instanceof RollcallError)) throw error;
    }
  }

  /** @param {any} message */
  #takeWaiting({ count = 0, people = [] }) {
    this.waiting = { ...this.waiting, count, people };
    this.emit('waiting', this.waiting);
  }

  /** @param {Partial<Session>} changes */
  #takeSession(changes) {
    if (!this.session) return;
    this.session = { ...this.session, ...changes };
    this.emit('session', null);
  }

  /**
   * The server has put this person out of the session: there is nothing to come back to.
   *
   * @param {RollcallError} error
   */
  #dismiss(error) {
    this.#refusal = error;
    this.#connection.stop();
  }

  /** @param {any} message */
  #onRole({ stream, streams, user, role, by = null }) {
    const own = user === this.you?.user;
    if (own && stream !== 'hosts' && this.you) {
      // The stream of the hosts begins here, or is this person's no more.
      this.#streams.delete('hosts');
      if (streams) this.#streams.set('hosts', streams.hosts);
      this.you = { ...this.you, role };
      if (!this.leads) this.waiting = nobodyWaits;
      void this.#fetchBans();
      this.chat.readPrivate();
    } else if (own) {
      return; // it is told in the own stream, too
    }
    this.emit('role', { user, role, by, own });
  }

  /** @param {{ice_servers?: RTCIceServer[], ice_transport_policy?: RTCIceTransportPolicy}} message */
  #takeServers({ ice_servers: servers = [], ice_transport_policy: policy = 'all' }) {
    const isSame = policy === this.iceTransportPolicy && JSON.stringify(servers) === JSON.stringify(this.iceServers);
    this.iceServers = servers;
    this.iceTransportPolicy = policy;
    if (!isSame) this.emit('ice', null);
  }

  /** @param {SessionStatus} status */
  #onStatus(status) {
    const { status: name, is_live, rev, started_at, ended_at, reason = null } = status;
    const { scheduled_at = this.session?.scheduled_at, time_zone = this.session?.time_zone } = status;
    const { duration_minutes = this.session?.duration_minutes } = status;
    // What was missed is told in order, but where this client is has been said already: an end after which the class went
    // on is over.
    const isPast = rev < (this.session?.rev ?? 0);
    if (isPast && name !== this.session?.status) return;
    if (!isPast) this.#takeSession({ status: name, is_live, rev, started_at, ended_at, reason, scheduled_at, time_zone, duration_minutes });
    if (name === 'cancelled') {
      this.emit('status', status);
      this.#dismiss(new RollcallError('session_cancelled', 'The session was cancelled.', { details: { reason } }));
      return;
    }
    if (name === 'completed') {
      this.state = 'ended';
      this.peer = null;
      this.presence.clear();
      this.waiting = nobodyWaits;
      this.rules.clear();
      this.media = { audio: false, video: false, screen: false };
    }
    this.emit('status', status);
  }

  /** @param {PresenceDiff} diff */
  #onPresenceDiff(diff) {
    const left = (diff.left ?? []).map(({ user }) => ({ user, name: this.presence.get(user)?.name ?? '' }));
    const joined = (diff.joined ?? []).filter(({ user }) => !this.presence.get(user));
    if (!this.presence.apply(diff)) return;
    const isSilenced = this.#takenMedia.audio && this.media.audio && this.self?.audio_enabled === false;
    if (isSilenced && (diff.updated ?? []).some(({ user }) => user === this.you?.user)) this.rules.noticeSilence();
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
}

/** @type {Waiting} */
const nobodyWaits = { approved: true, count: 0, people: [] };

function defaultURL() {
  const url = new URL('/ws', location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  url.hash = '';
  return url;
}

function lostError() {
  return new RollcallError('connection_lost', 'The connection was lost.', { retryable: true });
}
