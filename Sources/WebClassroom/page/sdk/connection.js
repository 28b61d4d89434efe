// @ts-check

import { Backoff } from './backoff.js';
import { TypedEvents } from './events.js';
import { reconnects, subprotocol } from './protocol.js';

/**
 * @typedef {'idle' | 'connecting' | 'up' | 'retrying' | 'closed'} TransportStatus
 *
 * @typedef {object} ConnectionEvents
 * @property {null} change the status changed
 * @property {any} opened the socket is open; with what `prepare` gave
 * @property {any} message a JSON object of the server
 * @property {number | null} lost the socket is gone, with the server's close code if there was one; another attempt
 *   follows unless `closed` does
 * @property {number} closed the close code after which there is no further attempt
 */

/** How long a connection may stay silent after our ping before it is taken for dead, in milliseconds. */
const pongTimeout = 10_000;

/**
 * A WebSocket that comes back: after every close that the protocol allows to come back from, with
 * full jitter, at once when the network returns, and also when the other side is silently gone.
 *
 * @extends {TypedEvents<ConnectionEvents>}
 */
export class Connection extends TypedEvents {
  /** @type {TransportStatus} */
  status = 'idle';
  /** @type {number | null} Unix time of the next attempt, in milliseconds */
  retryAt = null;
  /** After how long a silence it asks whether the server is there, in milliseconds. */
  pingInterval = 25_000;

  #url;
  #prepare;
  #comesBack;
  #backoff;
  /** @type {WebSocket | null} */
  #socket = null;
  /** Tells the socket of now from events of those before. */
  #generation = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #retryTimer;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #watch;
  #lastHeard = 0;
  #pinged = 0;
  /** @type {number | null} */
  #requestedDelay = null;

  /**
   * @param {object} options
   * @param {string | URL} options.url
   * @param {() => any} options.prepare what is to be known before each attempt; may be a promise
   * @param {(code: number) => boolean} [options.comesBack] whether another attempt follows a close with this code
   * @param {Backoff} [options.backoff]
   */
  constructor({ url, prepare, comesBack = reconnects, backoff = new Backoff() }) {
    super();
    this.#url = url;
    this.#prepare = prepare;
    this.#comesBack = comesBack;
    this.#backoff = backoff;
  }

  /** How many attempts have failed since `succeeded`. */
  get attempt() {
    return this.#backoff.attempt;
  }

  /** Counts up with each socket: what was asked over an earlier one gets no answer. */
  get generation() {
    return this.#generation;
  }

  start() {
    if (this.status !== 'idle' && this.status !== 'closed') return;
    this.#backoff.reset();
    addEventListener('online', this.#awake);
    document.addEventListener('visibilitychange', this.#awake);
    void this.#open();
  }

  /** Does not wait for the next attempt. */
  retryNow() {
    if (this.status !== 'retrying') return;
    clearTimeout(this.#retryTimer);
    void this.#open();
  }

  /**
   * @param {Record<string, any>} message
   * @returns {boolean} false when there is no open socket
   */
  send(message) {
    if (this.status !== 'up' || this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  /** The peer has taken us in: delays start from the shortest again. */
  succeeded() {
    this.#backoff.reset();
  }

  /**
   * The server has said when to come back.
   *
   * @param {number} milliseconds
   */
  comeBackAfter(milliseconds) {
    this.#requestedDelay = milliseconds;
  }

  /**
   * Gives up this socket and tries with another one.
   *
   * @param {number | null} code with which the server closed it
   */
  restart(code = null) {
    if (this.status === 'closed' || this.status === 'idle') return;
    this.#drop(code);
    this.#retry();
  }

  /**
   * Ends it: there is no further attempt.
   *
   * @param {number} [code] what `closed` is to tell
   */
  stop(code = 1000) {
    if (this.status === 'closed') return;
    clearTimeout(this.#retryTimer);
    removeEventListener('online', this.#awake);
    document.removeEventListener('visibilitychange', this.#awake);
    this.#drop(null);
    this.#setStatus('closed', null);
    this.emit('closed', code);
  }

  async #open() {
    const generation = ++this.#generation;
    this.#setStatus('connecting', null);
    /** @type {any} */
    let prepared;
    try {
      prepared = await this.#prepare();
    } catch {
      if (generation === this.#generation) this.#retry();
      return;
    }
    if (generation !== this.#generation) return;
    const socket = new WebSocket(this.#url, subprotocol);
    this.#socket = socket;
    this.#requestedDelay = null;
    socket.onopen = () => {
      if (generation !== this.#generation) return;
      this.#heard();
      this.#watch = setInterval(() => this.#watchSilence(), 2500);
      this.status = 'up';
      this.emit('opened', prepared);
    };
    socket.onmessage = ({ data }) => {
      if (generation !== this.#generation) return;
      this.#heard();
      this.#receive(data);
    };
    socket.onclose = ({ code }) => {
      if (generation !== this.#generation) return;
      if (this.#comesBack(code)) this.restart(code);
      else this.stop(code);
    };
  }

  /** @param {any} data */
  #receive(data) {
    /** @type {any} */
    let message;
    try {
      message = JSON.parse(data);
    } catch {
      return;
    }
    this.emit('message', message);
  }

  #retry() {
    const requested = this.#requestedDelay;
    this.#requestedDelay = null;
    const delay = requested === null ? this.#backoff.next() : this.#backoff.after(requested);
    this.#retryTimer = setTimeout(() => void this.#open(), delay);
    this.#setStatus('retrying', Date.now() + delay);
  }

  /** @param {number | null} code */
  #drop(code) {
    this.#generation += 1;
    clearTimeout(this.#retryTimer);
    clearInterval(this.#watch);
    // Without a code: 1000 would say that this tab is done, and give its address away.
    this.#socket?.close();
    this.#socket = null;
    this.emit('lost', code);
  }

  /**
   * @param {TransportStatus} status
   * @param {number | null} retryAt
   */
  #setStatus(status, retryAt) {
    this.status = status;
    this.retryAt = retryAt;
    this.emit('change', null);
  }

  /** The network is back, or the page is looked at again: a good moment to be sure. */
  #awake = (/** @type {Event} */ event) => {
    if (event.type === 'visibilitychange' && document.visibilityState === 'hidden') return;
    if (this.status === 'retrying') this.retryNow();
    else this.#ping();
  };

  #heard() {
    this.#lastHeard = performance.now();
    this.#pinged = 0;
  }

  #ping() {
    if (this.#pinged === 0 && this.send({ type: 'ping' })) this.#pinged = performance.now();
  }

  /** A page cannot see WebSocket pings, so it asks by itself when it has heard nothing for long. */
  #watchSilence() {
    const now = performance.now();
    if (this.#pinged !== 0) {
      if (now - this.#pinged > pongTimeout) this.restart();
    } else if (now - this.#lastHeard > this.pingInterval) {
      this.#ping();
    }
  }
}
