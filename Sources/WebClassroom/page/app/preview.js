// @ts-check

import { deviceButton } from './device-buttons.js';
import { h, set, setText } from './dom.js';

/** @typedef {import('./local-media.js').LocalMedia} LocalMedia */

/** What the others would see: one's own camera, with the switches for it. */
export class Preview extends HTMLElement {
  /** @type {LocalMedia} */
  media = /** @type {any} */ (undefined);
  /** @type {(() => void)[]} */
  #subscriptions = [];

  connectedCallback() {
    const { media } = this;
    const video = h('video', { autoplay: true, playsinline: true, 'aria-label': 'Your camera' });
    video.muted = true;
    const empty = h('p', { class: 'preview-empty' });
    const buttons = [deviceButton(media, 'microphone'), deviceButton(media, 'camera')];
    const note = h('p', { class: 'preview-note', role: 'status' });
    this.replaceChildren(
      h('div', { class: 'preview-frame' }, video, empty, h('div', { class: 'preview-buttons' }, ...buttons.map(({ button }) => button))),
      note,
    );
    const render = () => {
      for (const button of buttons) button.render();
      const track = media.camera;
      set(video, 'hidden', track === null);
      set(empty, 'hidden', track !== null);
      setText(empty, media.pending.has('camera') ? 'Waiting for your camera…' : 'Your camera is off');
      const current = /** @type {MediaStream | null} */ (video.srcObject)?.getTracks()[0] ?? null;
      if (current !== track) video.srcObject = track ? new MediaStream([track]) : null;
    };
    this.#subscriptions = [
      media.on('change', () => {
        if (media.pending.size > 0) setText(note, '');
        render();
      }),
      media.on('problem', ({ sentence }) => setText(note, sentence)),
    ];
    render();
  }

  disconnectedCallback() {
    for (const unsubscribe of this.#subscriptions) unsubscribe();
  }
}

customElements.define('rollcall-preview', Preview);
