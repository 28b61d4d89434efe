// @ts-check

import { coalesced, h, plural, set, setText } from './dom.js';
import { Tile } from './tile.js';

/**
 * @typedef {import('./room.js').Room} Room
 * @typedef {import('../sdk/protocol.js').Participant} Participant
 */

/** How many faces the stage shows; the others are in the list of people. */
const places = 16;

/** Below this level, 0 to 1, somebody is silent. */
const speechLevel = 0.015;

/** Everybody's picture, and the screens that are shared. */
export class Stage extends HTMLElement {
  /** @type {Room} */
  room = /** @type {any} */ (undefined);
  /** Called by the button that stands for those who have no place. */
  onmore = () => {};
  /** @type {Map<string, Tile>} */
  #tiles = new Map();
  #faces = h('div', { class: 'stage-faces', role: 'list', 'aria-label': 'Video' });
  #screens = h('div', { class: 'stage-screens', role: 'list', 'aria-label': 'Shared screens', hidden: true });
  #more = h('button', { type: 'button', class: 'stage-more', hidden: true, onclick: () => this.onmore() });
  #unblock = h('button', { type: 'button', class: 'primary stage-unblock', hidden: true, onclick: () => this.#playAll() }, 'Turn on the sound');
  /** @type {Set<HTMLVideoElement>} */
  #blocked = new Set();
  /** @type {(() => void)[]} */
  #subscriptions = [];
  #observer = new ResizeObserver(() => this.#arrange());
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #listening;

  connectedCallback() {
    const { client, mesh, media } = this.room;
    const render = coalesced(() => this.#render());
    this.replaceChildren(this.#screens, this.#faces, this.#more, this.#unblock);
    this.#subscriptions = [
      client.on('presence', render),
      client.on('spotlight', render),
      mesh.on('call', render),
      mesh.on('closed', render),
      media.on('change', render),
    ];
    this.#observer.observe(this.#faces);
    this.#observer.observe(this);
    this.#listening = setInterval(() => this.#listen(), 400);
    this.#render();
  }

  disconnectedCallback() {
    for (const unsubscribe of this.#subscriptions) unsubscribe();
    this.#observer.disconnect();
    clearInterval(this.#listening);
  }

  #render() {
    if (!this.isConnected) return;
    const { client } = this.room;
    const own = client.you?.user;
    const shownLarge = client.presence.get(client.rules.spotlight ?? '')?.user ?? null;
    const order = (/** @type {Participant} */ person) => rank(person, own) + (person.user === shownLarge ? 16 : 0);
    const people = [...client.presence].sort((a, b) => order(b) - order(a) || a.joined_at.localeCompare(b.joined_at));
    const placed = people.slice(0, places);
    const sharing = people.filter((participant) => this.#shares(participant));
    /** @type {Set<string>} */
    const shown = new Set();
    for (const participant of placed) shown.add(this.#place(participant, 'camera'));
    for (const participant of sharing) shown.add(this.#place(participant, 'screen'));
    for (const [key, tile] of this.#tiles) {
      if (shown.has(key)) continue;
      tile.remove();
      this.#tiles.delete(key);
    }
    // The order follows the ranks without moving tiles about, which would stop their videos.
    placed.forEach((participant, index) => {
      this.#tiles.get(`camera ${participant.user}`)?.style.setProperty('order', String(index));
    });
    for (const [key, tile] of this.#tiles) set(tile, 'data-spotlight', key === `camera ${shownLarge}`);
    set(this, 'data-spotlight', shownLarge !== null && sharing.length === 0);
    const rest = Math.max(client.presence.count - placed.length, 0);
    set(this.#more, 'hidden', rest === 0);
    setText(this.#more, `and ${plural(rest, 'other', 'others')}`);
    set(this.#screens, 'hidden', sharing.length === 0);
    set(this, 'data-sharing', sharing.length > 0);
    this.#arrange();
  }

  /** @param {Participant} participant */
  #shares({ user, screen_enabled }) {
    if (user === this.room.client.you?.user) return this.room.media.screen !== null;
    const { mesh } = this.room;
    return screen_enabled || (mesh.plays(user) && mesh.callsOf(user).some((call) => call.hasVideo('screen', false)));
  }

  /**
   * @param {Participant} participant
   * @param {'camera' | 'screen'} source
   */
  #place(participant, source) {
    const { client, mesh, media } = this.room;
    const key = `${source} ${participant.user}`;
    let tile = this.#tiles.get(key);
    if (!tile) {
      tile = new Tile();
      tile.onblocked = (video) => {
        this.#blocked.add(video);
        set(this.#unblock, 'hidden', false);
      };
      this.#tiles.set(key, tile);
      (source === 'screen' ? this.#screens : this.#faces).append(tile);
    }
    const own = participant.user === client.you?.user;
    const name = own ? `${participant.name} (you)` : participant.name;
    tile.show(
      {
        user: participant.user,
        name: participant.name,
        label: source === 'screen' ? (own ? 'Your screen' : `${participant.name}’s screen`) : name,
        own,
        muted: own ? !media.isOn('microphone') : !participant.audio_enabled,
        lost: !own && participant.reconnecting,
        hand: participant.hand !== undefined && participant.hand !== null,
        expectsVideo: source === 'screen' ? participant.screen_enabled : participant.video_enabled,
        source,
      },
      own || !mesh.plays(participant.user) ? [] : mesh.callsOf(participant.user),
    );
    if (own) tile.showOwn(source === 'screen' ? media.screen : media.camera);
    return key;
  }

  /** Chooses the number of columns that makes the pictures largest. */
  #arrange() {
    const count = this.#faces.childElementCount;
    const { clientWidth: width, clientHeight: height } = this.#faces;
    if (count === 0 || width === 0 || height === 0) return;
    const gap = 10;
    const ratio = width < 500 && count < 3 ? 4 / 3 : 16 / 9;
    if (this.hasAttribute('data-spotlight')) {
      const small = Math.min(Math.max(Math.floor(height * 0.2 * ratio), 96), Math.floor(width / 2.2));
      const left = count > 1 ? height - small / ratio - gap : height;
      const large = Math.max(Math.floor(Math.min(width, left * ratio)) - 1, 96);
      this.#faces.style.setProperty('--tile-width', `${small}px`);
      this.#faces.style.setProperty('--tile-ratio', String(ratio));
      this.#faces.style.setProperty('--spotlight-width', `${large}px`);
      return;
    }
    let best = 0;
    for (let columns = 1; columns <= count; columns += 1) {
      const rows = Math.ceil(count / columns);
      const fit = Math.min((width - gap * (columns - 1)) / columns, ((height - gap * (rows - 1)) / rows) * ratio);
      if (fit > best) best = fit;
    }
    const size = Math.max(Math.floor(best) - 1, 96);
    this.#faces.style.setProperty('--tile-width', `${size}px`);
    this.#faces.style.setProperty('--tile-ratio', String(ratio));
  }

  #listen() {
    for (const [key, tile] of this.#tiles) {
      if (!key.startsWith('camera ')) continue;
      const calls = this.room.mesh.callsOf(key.slice('camera '.length));
      tile.speaking = calls.some((call) => !call.retired && call.level > speechLevel);
    }
  }

  #playAll() {
    for (const video of this.#blocked) video.play().catch(() => {});
    this.#blocked.clear();
    set(this.#unblock, 'hidden', true);
  }
}

/**
 * @param {Participant} participant
 * @param {string | undefined} own
 */
function rank({ user, role, video_enabled }, own) {
  return (role === 'host' || role === 'cohost' ? 4 : 0) + (user === own ? 2 : 0) + (video_enabled ? 1 : 0);
}

customElements.define('rollcall-stage', Stage);
