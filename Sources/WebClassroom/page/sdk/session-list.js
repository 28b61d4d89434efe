// @ts-check

import { Connection } from './connection.js';
import { TypedEvents } from './events.js';
import { RollcallError } from './protocol.js';

/**
 * @typedef {import('./backoff.js').Backoff} Backoff
 * @typedef {import('./protocol.js').Session} Session
 * @typedef {import('./protocol.js').User} User
 *
 * @typedef {Session & {participants?: number, watching?: number}} ListedSession `participants` were ever in, `watching` are in now
 *
 * @typedef {object} Notification
 * @property {string} id
 * @property {string} kind
 * @property {string} session
 * @property {string} text
 * @property {string} created_at
 * @property {boolean} read
 *
 * @typedef {object} ListEvents
 * @property {null} change the sessions, or whether they are known, have changed
 * @property {null} connection `isFollowing` has changed
 * @property {null} notifications the notifications have changed
 * @property {Notification} notified this person was told something just now
 * @property {{code: number, error: RollcallError | null}} closed the end: there will be no further attempt
 */

/** States of what lies ahead, or is live. */
const ahead = new Set(['pending_approval', 'approved', 'scheduled', 'ongoing']);

/** How many sessions, or notifications, are asked for at once. */
const page = 50;

/**
 * The sessions that a user sees, as the server's list has them, and what the user is told of them. Both are kept up to
 * date over a socket that comes back by itself.
 *
 * @extends {TypedEvents<ListEvents>}
 */
export class SessionList extends TypedEvents {
  /** @type {User | null} */
  user = null;
  /** @type {Map<string, ListedSession>} what lies ahead or is live */
  sessions = new Map();
  /** @type {Map<string, ListedSession>} what is over; fetched when asked for */
  past = new Map();
  /** @type {Notification[]} the newest first */
  notifications = [];
  unread = 0;
  /** Whether the sessions were fetched once. */
  isKnown = false;
  /** Whether changes are told at the moment. */
  isFollowing = false;

  #token;
  #origin;
  #connection;
  #nextId = 1;
  /** @type {Map<number, {resolve: (answer: any) => void, reject: (error: RollcallError) => void}>} */
  #pending = new Map();
  /** @type {RollcallError | null} */
  #refusal = null;
  /** @type {string | null} */
  #nextAhead = null;
  /** @type {string | null} */
  #nextPast = null;
  #hasPast = false;
  /** @type {Map<string, number>} the `rev` of what the socket has told of; infinite for what is in the list no more */
  #told = new Map();
  /** @type {Set<string>} notifications that came by the socket */
  #heard = new Set();

  /**
   * @param {object} options
   * @param {string} options.token of a user, good for more than one session
   * @param {string | URL} [options.origin] of the server; default: the page's own
   * @param {Backoff} [options.backoff]
   */
  constructor({ token, origin = location.origin, backoff }) {
    super();
    this.#token = token;
    this.#origin = origin;
    const url = new URL('/ws', origin);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    const connection = new Connection({ url, prepare: () => null, backoff });
    this.#connection = connection;
    connection.on('opened', () => void this.#follow());
    connection.on('message', (message) => this.#receive(message));
    connection.on('lost', () => this.#forgetConnection());
    connection.on('closed', (code) => this.emit('closed', { code, error: this.#refusal }));
  }

  /** Whether there are further sessions that lie ahead. */
  get hasMore() {
    return this.#nextAhead !== null;
  }

  /** Whether there are further sessions that are over. */
  get hasMorePast() {
    return this.#nextPast !== null || !this.#hasPast;
  }

  /** Connects, and follows the list until `stop` or a refusal. */
  start() {
    this.#refusal = null;
    this.#connection.start();
  }

  stop() {
    this.#connection.stop();
  }

  /** Does not wait for the next attempt. */
  retryNow() {
    this.#connection.retryNow();
  }

  /** Fetches the next page of what lies ahead. @throws {RollcallError} */
  async loadMore() {
    if (this.#nextAhead === null) return;
    this.#nextAhead = this.#take(await this.#ask(`/api/sessions/upcoming/?limit=${page}&cursor=${encodeURIComponent(this.#nextAhead)}`), this.sessions);
    this.emit('change', null);
  }

  /** Fetches what is over, page by page, the newest first. @throws {RollcallError} */
  async loadPast() {
    if (!this.hasMorePast) return;
    const cursor = this.#nextPast ? `&cursor=${encodeURIComponent(this.#nextPast)}` : '';
    this.#nextPast = this.#take(await this.#ask(`/api/sessions/?status=completed&limit=${page}${cursor}`), this.past);
    this.#hasPast = true;
    this.emit('change', null);
  }

  /**
   * Says that a notification was read.
   *
   * @param {string} id
   */
  async markRead(id) {
    const notification = this.notifications.find((one) => one.id === id);
    if (!notification || notification.read) return;
    notification.read = true;
    this.unread = Math.max(0, this.unread - 1);
    this.emit('notifications', null);
    await this.#ask(`/api/notifications/${encodeURIComponent(id)}/read/`, 'POST');
  }

  /** Says that all were read. */
  async markAllRead() {
    await this.#ask('/api/notifications/read_all/', 'POST');
    for (const notification of this.notifications) notification.read = true;
    this.unread = 0;
    this.emit('notifications', null);
  }

  /**
   * Agrees to give a class that somebody asks for, or does not.
   *
   * @param {string} session
   * @param {'approve' | 'decline'} decision
   * @throws {RollcallError}
   */
  async decide(session, decision) {
    await this.#ask(`/api/sessions/${encodeURIComponent(session)}/${decision}/`, 'POST');
  }

  // Connection

  async #follow() {
    const { generation } = this.#connection;
    const isCurrent = () => generation === this.#connection.generation;
    const hello = this.#request({ type: 'hello', token: this.#token, client: 'rollcall-web/0.1.0' });
    const watching = this.#request({ type: 'sessions.watch', on: true });
    watching.catch(() => {});
    try {
      this.user = (await hello).user;
      await watching;
    } catch (error) {
      if (isCurrent()) this.#refused(/** @type {RollcallError} */ (error));
      return;
    }
    this.#told.clear();
    this.#heard.clear();
    // Changes are told from here on: what is fetched now cannot miss any.
    try {
      const [list, notes] = await Promise.all([this.#ask(`/api/sessions/upcoming/?limit=${page}`), this.#ask(`/api/notifications/?limit=${page}`)]);
      if (!isCurrent()) return;
      for (const id of [...this.sessions.keys()]) {
        if (!this.#told.has(id)) this.sessions.delete(id);
      }
      this.#nextAhead = this.#take(list, this.sessions);
      const fetched = new Set(notes.notifications.map((/** @type {Notification} */ { id }) => id));
      const newer = this.notifications.filter(({ id }) => this.#heard.has(id) && !fetched.has(id));
      this.notifications = [...newer, ...notes.notifications];
      this.unread = notes.unread + newer.length;
    } catch (error) {
      if (isCurrent()) this.#refused(/** @type {RollcallError} */ (error));
      return;
    }
    this.#connection.succeeded();
    this.isKnown = true;
    this.isFollowing = true;
    this.emit('connection', null);
    this.emit('change', null);
    this.emit('notifications', null);
  }

  /** @param {RollcallError} error */
  #refused(error) {
    if (error.code === 'connection_lost') return;
    if (error.retryable) {
      this.#connection.restart();
    } else {
      this.#refusal = error;
      this.#connection.stop(4500);
    }
  }

  #forgetConnection() {
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const { reject } of pending) reject(new RollcallError('connection_lost', 'The connection was lost.', { retryable: true }));
    if (!this.isFollowing) return;
    this.isFollowing = false;
    this.emit('connection', null);
  }

  /**
   * @param {Record<string, any>} message
   * @returns {Promise<any>}
   */
  #request(message) {
    return new Promise((resolve, reject) => {
      const id = this.#nextId++;
      this.#pending.set(id, { resolve, reject });
      this.#connection.send({ ...message, id });
    });
  }

  /**
   * @param {string} path
   * @param {string} [method]
   * @throws {RollcallError}
   */
  async #ask(path, method = 'GET') {
    /** @type {Response} */
    let response;
    /** @type {any} */
    let answer;
    try {
      response = await fetch(new URL(path, this.#origin), { method, headers: { Authorization: `Bearer ${this.#token}` } });
      answer = await response.json();
    } catch {
      throw new RollcallError('unavailable', 'The server cannot be reached.', { retryable: true });
    }
    if (!response.ok) throw RollcallError.from(answer.error ?? { code: 'unavailable' });
    return answer;
  }

  // Messages

  /** @param {any} message */
  #receive(message) {
    const pending = this.#pending.get(message?.id);
    switch (message?.type) {
      case 'welcome':
        if (message.ping_interval_ms > 0) this.#connection.pingInterval = message.ping_interval_ms;
        break;
      case 'ready':
      case 'ok':
        this.#pending.delete(message.id);
        pending?.resolve(message);
        break;
      case 'error':
        this.#pending.delete(message.id);
        pending?.reject(RollcallError.from(message));
        break;
      case 'sessions.changed':
        for (const session of message.sessions) this.#put(session);
        for (const id of message.removed) this.#remove(id);
        this.emit('change', null);
        break;
      case 'session.status':
        this.#noteStatus(message);
        break;
      case 'notification':
        this.#notify(message);
        break;
      case 'server.draining':
        this.#connection.comeBackAfter(Number(message.retry_after_ms) || 0);
        break;
    }
  }

  /**
   * @param {{sessions: ListedSession[], next: string | null}} answer
   * @param {Map<string, ListedSession>} target
   */
  #take({ sessions, next }, target) {
    for (const session of sessions) {
      const told = this.#told.get(session.id) ?? -1;
      // What was told is newer, or as new and has the newer counts.
      if (told > session.rev || (told === session.rev && target.has(session.id))) continue;
      target.set(session.id, session);
    }
    return next;
  }

  /** @param {ListedSession} session */
  #put(session) {
    const known = this.sessions.get(session.id);
    if (known && known.rev > session.rev) return;
    this.#told.set(session.id, session.rev);
    this.sessions.delete(session.id);
    this.past.delete(session.id);
    if (ahead.has(session.status)) this.sessions.set(session.id, session);
    else if (session.status === 'completed' && this.#hasPast) this.past.set(session.id, session);
  }

  /** @param {string} id */
  #remove(id) {
    this.#told.set(id, Infinity);
    this.sessions.delete(id);
    this.past.delete(id);
  }

  /** @param {any} message what `sessions.changed` tells a moment later, with the counts */
  #noteStatus({ session: id, status, is_live, rev, started_at, ended_at, ...more }) {
    const known = this.sessions.get(id);
    if (!known || known.rev >= rev) return;
    const { scheduled_at = known.scheduled_at, time_zone = known.time_zone, duration_minutes = known.duration_minutes } = more;
    this.#put({ ...known, status, is_live, rev, started_at, ended_at, scheduled_at, time_zone, duration_minutes });
    this.emit('change', null);
  }

  /** @param {any} message */
  #notify({ id, kind, session, text, created_at, read }) {
    if (this.notifications.some((one) => one.id === id)) return;
    this.#heard.add(id);
    const notification = { id, kind, session, text, created_at, read };
    this.notifications = [notification, ...this.notifications];
    if (!read) this.unread += 1;
    this.emit('notifications', null);
    this.emit('notified', notification);
  }
}
