// @ts-check

import { CallMesh } from '../sdk/mesh.js';
import { RollcallClient } from '../sdk/client.js';
import { forget, recall, remember } from './link.js';
import { Notices } from './notices.js';
import { explain } from './sentences.js';

/**
 * @typedef {import('./local-media.js').LocalMedia} LocalMedia
 * @typedef {import('../sdk/client.js').Credentials} Credentials
 */

/** One stay in one class: the connection, the calls, and this person's devices, bound together. */
export class Room {
  /** Whether the person left by choice. */
  left = false;
  /** What the person is told; the view of now shows it. */
  notices = new Notices();
  /** Until when slow mode makes the person wait with the next message: Unix time in milliseconds. */
  mayWriteAt = 0;
  #away = () => this.client.setAway(document.visibilityState === 'hidden');

  /**
   * @param {string} session
   * @param {string} name for a guest
   * @param {LocalMedia} media
   */
  constructor(session, name, media) {
    this.media = media;
    const memory = recall(session);
    const guest = memory.token === undefined;
    this.client = new RollcallClient({
      session,
      credentials: credentials(memory, name),
      guestName: guest ? name : undefined,
      client: 'rollcall-web/0.1.0',
    });
    this.mesh = new CallMesh(this.client);
    this.client.on('ready', ({ guestToken }) => {
      if (guestToken) remember(session, { guestToken, name });
    });
    this.client.on('renewed', ({ guestToken }) => {
      if (guestToken) remember(session, { guestToken, name });
    });
    this.client.on('media', ({ error }) => this.#silence(error));
    this.client.on('joined', () => remember(session, { joined: true }));
    this.client.on('status', ({ status }) => {
      if (status === 'completed') this.media.stop();
    });
    this.client.on('closed', ({ error }) => {
      remember(session, { joined: false });
      // A name or seat that was refused must not be tried again by a reload.
      if (error && ['bad_token', 'token_expired'].includes(error.code)) forget(session);
    });
    this.unsubscribe = media.on('change', () => this.#publish());
    document.addEventListener('visibilitychange', this.#away);
    this.#away();
    this.#publish();
  }

  /** The bearer token of this person, for the HTTP API. */
  get bearer() {
    const { token, guestToken } = recall(this.client.sessionId);
    return token ?? guestToken ?? null;
  }

  /**
   * Does what the server may refuse, and says so if it does.
   *
   * @param {() => Promise<any>} run
   * @returns {Promise<boolean>} whether it was done
   */
  async attempt(run) {
    try {
      await run();
      return true;
    } catch (error) {
      this.notices.say({ text: explain(error), passing: true });
      return false;
    }
  }

  /**
   * Shows a dialog over whatever is shown now.
   *
   * @param {HTMLDialogElement} dialog
   */
  ask(dialog) {
    (this.notices.parentElement ?? document.body).append(dialog);
  }

  /**
   * Asks the HTTP API for something of this session, as this person.
   *
   * @param {string} path below the session
   * @param {string} [method]
   */
  fetch(path, method = 'GET') {
    return fetch(`/api/sessions/${encodeURIComponent(this.client.sessionId)}/${path}`, {
      method,
      headers: { Authorization: `Bearer ${this.bearer}` },
    });
  }

  async leave() {
    this.left = true;
    this.media.stop();
    this.mesh.hangUp();
    await this.client.leave();
  }

  /** Lets go of everything; the room is not used again. */
  dispose() {
    this.unsubscribe();
    document.removeEventListener('visibilitychange', this.#away);
    this.mesh.dispose();
    this.client.close();
  }

  /**
   * Switches off what the server does not let us send.
   *
   * @param {import('../sdk/protocol.js').RollcallError | null} error
   */
  #silence(error) {
    const { media, client } = this;
    const { audio, video, screen } = client.media;
    if (!audio) media.switchOff('microphone');
    if (!video) media.switchOff('camera');
    if (!screen) media.switchOff('screen');
    if (error) this.notices.say({ text: explain(error), topic: 'speaking' });
  }

  #publish() {
    const { media, mesh, client } = this;
    mesh.setTrack('audio', media.microphone);
    mesh.setTrack('video', media.camera);
    mesh.setTrack('screen', media.screen);
    const flags = media.flags;
    const told = client.media;
    if (flags.audio !== told.audio || flags.video !== told.video || flags.screen !== told.screen) client.setMedia(flags);
  }
}

/**
 * @param {import('./link.js').Memory} memory
 * @param {string} name
 * @returns {Credentials}
 */
function credentials(memory, name) {
  if (memory.token) return { token: memory.token };
  if (memory.guestToken && memory.name === name) return { token: memory.guestToken };
  return { guest: name };
}
