// @ts-check

import { CallMesh } from '../sdk/mesh.js';
import { RollcallClient } from '../sdk/client.js';
import { forget, recall, remember } from './link.js';

/**
 * @typedef {import('./local-media.js').LocalMedia} LocalMedia
 * @typedef {import('../sdk/client.js').Credentials} Credentials
 */

/** One stay in one class: the connection, the calls, and this person's devices, bound together. */
export class Room {
  /** Whether the person left by choice. */
  left = false;

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
    this.#publish();
  }

  /** The bearer token of this person, for the HTTP API. */
  get bearer() {
    const { token, guestToken } = recall(this.client.sessionId);
    return token ?? guestToken ?? null;
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
    this.mesh.dispose();
    this.client.close();
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
