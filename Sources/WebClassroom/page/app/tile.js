// @ts-check

import { avatar } from './avatar.js';
import { h, set, setText } from './dom.js';
import { icon } from './icons.js';

/**
 * @typedef {import('../sdk/call.js').Call} Call
 *
 * @typedef {object} TileState
 * @property {string} user
 * @property {string} name
 * @property {string} label the name as shown
 * @property {boolean} own
 * @property {boolean} muted whether the microphone is off
 * @property {boolean} hand whether the person's hand is up
 * @property {boolean} lost whether the person's connection is lost
 * @property {boolean} expectsVideo whether the person says that there are pictures
 * @property {'camera' | 'screen'} source
 */

/** One person, or one shared screen, on the stage. */
export class Tile extends HTMLElement {
  /** @type {Map<Call, HTMLVideoElement>} */
  #videos = new Map();
  /** @type {HTMLVideoElement | null} */
  #ownVideo = null;
  #media = h('div', { class: 'tile-media' });
  #name = h('span', { class: 'tile-name' });
  #muted = h('span', { class: 'tile-muted', hidden: true }, icon('microphone', { crossed: true }), h('span', { class: 'visually-hidden' }, 'microphone off'));
  #note = h('span', { class: 'tile-note', hidden: true });
  #hand = h('span', { class: 'tile-hand', hidden: true }, icon('hand'), h('span', { class: 'visually-hidden' }, 'hand is up'));
  #face = h('div', { class: 'tile-face' });
  /** @type {(video: HTMLVideoElement) => void} */
  onblocked = () => {};

  connectedCallback() {
    if (this.hasChildNodes()) return;
    set(this, 'role', 'listitem');
    this.append(this.#face, this.#media, this.#note, this.#hand, h('div', { class: 'tile-label' }, this.#muted, this.#name));
  }

  disconnectedCallback() {
    for (const video of this.#videos.values()) video.srcObject = null;
    this.#videos.clear();
    if (this.#ownVideo) this.#ownVideo.srcObject = null;
    this.#media.replaceChildren();
  }

  /** @param {boolean} speaking */
  set speaking(speaking) {
    set(this, 'data-speaking', speaking);
  }

  /**
   * @param {TileState} state
   * @param {Call[]} calls the ones that count last
   */
  show(state, calls) {
    set(this, 'data-user', state.user);
    set(this, 'data-source', state.source);
    set(this, 'data-own', state.own);
    set(this, 'data-lost', state.lost);
    setText(this.#name, state.label);
    set(this.#muted, 'hidden', !state.muted || state.source === 'screen');
    set(this.#hand, 'hidden', !state.hand || state.source === 'screen');
    if (this.#face.dataset.name !== state.name) {
      this.#face.dataset.name = state.name;
      this.#face.replaceChildren(avatar(state.user, state.name));
    }
    if (!state.own) this.#showCalls(state, calls);
    const hasVideo = this.hasAttribute('data-video');
    const note = state.lost ? 'Connection lost' : state.expectsVideo && !hasVideo && !state.own ? 'Connecting…' : '';
    setText(this.#note, note);
    set(this.#note, 'hidden', note === '');
  }

  /**
   * The own camera or screen.
   *
   * @param {MediaStreamTrack | null} track
   */
  showOwn(track) {
    if (!this.#ownVideo) {
      this.#ownVideo = h('video', { autoplay: true, playsinline: true, 'aria-hidden': 'true' });
      this.#ownVideo.muted = true;
      this.#media.append(this.#ownVideo);
    }
    const current = /** @type {MediaStream | null} */ (this.#ownVideo.srcObject)?.getTracks()[0] ?? null;
    if (current !== track) this.#ownVideo.srcObject = track ? new MediaStream([track]) : null;
    set(this.#ownVideo, 'hidden', track === null);
    set(this, 'data-video', track !== null);
  }

  /**
   * @param {TileState} state
   * @param {Call[]} calls
   */
  #showCalls({ source, expectsVideo }, calls) {
    for (const [call, video] of this.#videos) {
      if (calls.includes(call)) continue;
      video.srcObject = null;
      video.remove();
      this.#videos.delete(call);
    }
    /** @type {Call | null} */
    let visible = null;
    const replaced = calls.some((call) => !call.retired && call.state === 'connected');
    for (const call of calls) {
      const stream = source === 'screen' ? call.screen : call.camera;
      if (!stream) continue;
      let video = this.#videos.get(call);
      if (!video) {
        video = h('video', { autoplay: true, playsinline: true, 'aria-hidden': 'true' });
        this.#videos.set(call, video);
        this.#media.append(video);
      }
      if (video.srcObject !== stream) {
        video.srcObject = stream;
        this.#play(video);
      }
      video.muted = source === 'screen' || (call.retired && replaced);
      if (call.hasVideo(source, expectsVideo)) visible = call;
    }
    for (const [call, video] of this.#videos) set(video, 'hidden', call !== visible);
    set(this, 'data-video', visible !== null);
  }

  /** @param {HTMLVideoElement} video */
  #play(video) {
    video.play().catch((error) => {
      if (error.name === 'NotAllowedError') this.onblocked(video);
    });
  }
}

customElements.define('rollcall-tile', Tile);
