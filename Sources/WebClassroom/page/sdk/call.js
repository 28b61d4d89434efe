// @ts-check

import { TypedEvents } from './events.js';
import { randomKey } from './protocol.js';

/**
 * @typedef {import('./protocol.js').Signal} Signal
 * @typedef {import('./protocol.js').SignalKind} SignalKind
 * @typedef {'audio' | 'video' | 'screen'} Slot what a track is: microphone, camera, or shared screen
 *
 * @typedef {object} LocalMedia what this page sends, shared by all calls
 * @property {MediaStream} camera the stream that microphone and camera belong to
 * @property {MediaStream} screen
 * @property {Record<Slot, MediaStreamTrack | null>} tracks
 *
 * @typedef {object} CallEvents
 * @property {null} media the remote tracks changed
 * @property {RTCPeerConnectionState} state
 * @property {Error} broken the negotiation cannot go on; a new call is needed
 */

/** How long a connection may stay `disconnected` before ICE starts again. */
const restartDelay = 5000;

/**
 * One WebRTC connection to one peer, by the pattern of perfect negotiation. A data channel that
 * both sides agree on beforehand carries the call while neither side sends media, so that tracks
 * come and go by renegotiation alone.
 *
 * @extends {TypedEvents<CallEvents>}
 */
export class Call extends TypedEvents {
  /** @type {string | null} the user behind the peer, as soon as presence has told */
  user = null;
  /** Whether a newer call takes this one's place: it plays on until that one is connected. */
  retired = false;

  #send;
  #makingOffer = false;
  #ignoringOffers = false;
  /** @type {string | undefined} the attempt to connect that candidates belong to */
  #negotiation;
  /** @type {string | undefined} the attempt that both sides have agreed on */
  #agreed;
  /** Whether our next offer begins another attempt: the first does, and one that looks for a new path. */
  #startsAnew = true;
  /** Whether our last offer did. */
  #offeredAnew = false;
  /** @type {RTCIceCandidateInit[]} */
  #early = [];
  /** @type {Promise<void>} */
  #chain = Promise.resolve();
  /** @type {Map<Slot, RTCRtpTransceiver>} */
  #slots = new Map();
  /** @type {LocalMedia} */
  #local;
  /** @type {Map<MediaStreamTrack, MediaStream>} */
  #remote = new Map();
  /** @type {string | null} */
  #remoteScreen = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #restart;
  #closed = false;

  /**
   * @param {object} options
   * @param {string} options.peer
   * @param {RTCConfiguration} options.configuration
   * @param {LocalMedia} options.local
   * @param {(kind: SignalKind, payload: any, negotiation: string | undefined) => void} options.send
   */
  constructor({ peer, configuration, local, send }) {
    super();
    this.peer = peer;
    this.#send = send;
    this.#local = local;
    const connection = new RTCPeerConnection(configuration);
    this.connection = connection;
    connection.onnegotiationneeded = () => this.#offer();
    connection.onicecandidate = ({ candidate }) => {
      if (candidate) this.#send('candidate', candidate.toJSON(), this.#negotiation);
      else this.#send('end_of_candidates', null, this.#negotiation);
    };
    connection.onconnectionstatechange = () => this.#stateChanged();
    connection.ontrack = ({ track, streams }) => this.#trackArrived(track, streams[0] ?? new MediaStream([track]));
    connection.createDataChannel('rollcall', { negotiated: true, id: 0 });
    for (const slot of /** @type {Slot[]} */ (['audio', 'video', 'screen'])) this.#fill(slot, local.tracks[slot]);
  }

  get state() {
    return this.connection.connectionState;
  }

  /** Whether nothing is being negotiated, so that no signal is missing. */
  get isSettled() {
    return this.state === 'connected' && this.connection.signalingState === 'stable' && !this.#makingOffer;
  }

  /** The stream of microphone and camera, as long as it has a track. @returns {MediaStream | null} */
  get camera() {
    return this.#stream((stream) => stream.id !== this.#remoteScreen);
  }

  /** The shared screen's stream. @returns {MediaStream | null} */
  get screen() {
    return this.#stream((stream) => stream.id === this.#remoteScreen);
  }

  /**
   * Whether pictures arrive. The browsers' word for it, `muted`, can stay behind after quick changes, so
   * what presence says of the sender counts too.
   *
   * @param {'camera' | 'screen'} source
   * @param {boolean} expected whether the sender says that it shows something
   */
  hasVideo(source, expected) {
    for (const { receiver, currentDirection } of this.connection.getTransceivers()) {
      const { track } = receiver;
      const stream = this.#remote.get(track);
      if (!stream || track.kind !== 'video' || track.readyState !== 'live') continue;
      if (currentDirection !== 'sendrecv' && currentDirection !== 'recvonly') continue;
      const isScreen = stream.id === this.#remoteScreen;
      if (isScreen === (source === 'screen') && (expected || !track.muted)) return true;
    }
    return false;
  }

  /** How loud the other side is now, 0 to 1. */
  get level() {
    for (const receiver of this.connection.getReceivers()) {
      if (receiver.track.kind !== 'audio') continue;
      const level = receiver.getSynchronizationSources()[0]?.audioLevel;
      if (level !== undefined) return level;
    }
    return 0;
  }

  /**
   * Sends another track in this slot, or none.
   *
   * @param {Slot} slot
   * @param {MediaStreamTrack | null} track
   */
  setTrack(slot, track) {
    if (!this.#closed) this.#fill(slot, track);
  }

  /**
   * Takes in a signal of the other side; signals are handled one after the other.
   *
   * @param {Signal} signal
   */
  handle(signal) {
    this.#chain = this.#chain.then(async () => {
      if (this.#closed) return;
      try {
        await this.#apply(signal);
      } catch (error) {
        if (!this.#closed) this.emit('broken', /** @type {Error} */ (error));
      }
    });
  }

  close() {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#restart);
    for (const track of this.#remote.keys()) track.onmute = track.onunmute = track.onended = null;
    this.#remote.clear();
    this.connection.close();
    this.emit('state', 'closed');
  }

  async #offer() {
    const connection = this.connection;
    try {
      this.#makingOffer = true;
      const anew = this.#startsAnew;
      await connection.setLocalDescription();
      if (connection.localDescription?.type !== 'offer') return;
      this.#offeredAnew = anew;
      this.#negotiation = anew ? randomKey() : this.#agreed;
      this.#sendDescription();
    } catch (error) {
      if (!this.#closed) this.emit('broken', /** @type {Error} */ (error));
    } finally {
      this.#makingOffer = false;
    }
  }

  #sendDescription() {
    const description = this.connection.localDescription;
    if (!description) return;
    const screen = this.#local.tracks.screen ? this.#local.screen.id : null;
    this.#send(
      /** @type {SignalKind} */ (description.type),
      { type: description.type, sdp: description.sdp, streams: { camera: this.#local.camera.id, screen } },
      this.#negotiation,
    );
  }

  /** @param {Signal} signal */
  async #apply({ kind, payload, polite, negotiation }) {
    switch (kind) {
      case 'offer': {
        const collides = this.#makingOffer || this.connection.signalingState !== 'stable';
        this.#ignoringOffers = collides && !polite;
        if (this.#ignoringOffers) return;
        await this.#applyDescription(payload);
        // What the other side begins anew needs no new beginning of ours.
        if (negotiation !== this.#agreed) this.#startsAnew = false;
        this.#negotiation = this.#agreed = negotiation;
        await this.connection.setLocalDescription();
        this.#sendDescription();
        this.emit('media', null);
        break;
      }
      case 'answer':
        // An answer to an offer that was withdrawn or belongs to an earlier call.
        if (this.connection.signalingState !== 'have-local-offer') return;
        if (negotiation !== undefined && negotiation !== this.#negotiation) return;
        this.#ignoringOffers = false;
        await this.#applyDescription(payload);
        this.#agreed = this.#negotiation;
        if (this.#offeredAnew) this.#startsAnew = false;
        break;
      case 'candidate':
        await this.#addCandidate(payload);
        break;
      case 'end_of_candidates':
        await this.#addCandidate(null);
        break;
      default:
        break;
    }
  }

  /** @param {any} payload */
  async #applyDescription(payload) {
    this.#remoteScreen = payload?.streams?.screen ?? null;
    await this.connection.setRemoteDescription({ type: payload.type, sdp: this.#keepRole(payload) });
    const early = this.#early.splice(0);
    for (const candidate of early) await this.#addCandidate(candidate);
    this.emit('media', null);
  }

  /**
   * The sides of a DTLS association keep their roles (RFC 8842). Firefox, when it has made the first offer, answers a
   * later one that starts ICE again with the other role, and Chromium takes that for an error.
   *
   * @param {{type: string, sdp: string}} description of the other side
   */
  #keepRole({ type, sdp }) {
    const { currentLocalDescription: local, currentRemoteDescription: remote } = this.connection;
    if (type !== 'answer' || !local || !remote) return sdp;
    const role = setup(remote.type === 'answer' ? remote.sdp : local.sdp);
    if (!role) return sdp;
    const theirs = remote.type === 'answer' ? role : opposite[role];
    return sdp.replace(/^a=setup:(?:active|passive)/gmu, `a=setup:${theirs}`);
  }

  /** @param {RTCIceCandidateInit | null} candidate */
  async #addCandidate(candidate) {
    if (!this.connection.remoteDescription) {
      if (candidate) this.#early.push(candidate);
      return;
    }
    try {
      await this.connection.addIceCandidate(candidate ?? undefined);
    } catch {
      // A candidate of an offer that was ignored or replaced: ICE does without it.
    }
  }

  /**
   * @param {Slot} slot
   * @param {MediaStreamTrack | null} track
   */
  #fill(slot, track) {
    const transceiver = this.#slots.get(slot);
    if (transceiver) {
      transceiver.sender.replaceTrack(track).catch(() => {});
      transceiver.direction = track ? 'sendrecv' : 'recvonly';
    } else if (track) {
      const sender = this.connection.addTrack(track, slot === 'screen' ? this.#local.screen : this.#local.camera);
      const added = this.connection.getTransceivers().find((candidate) => candidate.sender === sender);
      if (added) this.#slots.set(slot, added);
    }
  }

  /**
   * @param {MediaStreamTrack} track
   * @param {MediaStream} stream
   */
  #trackArrived(track, stream) {
    const changed = () => this.emit('media', null);
    this.#remote.set(track, stream);
    track.onmute = changed;
    track.onunmute = changed;
    track.onended = changed;
    changed();
  }

  /**
   * @param {(stream: MediaStream) => boolean} matches
   * @returns {MediaStream | null}
   */
  #stream(matches) {
    for (const [track, stream] of this.#remote) {
      if (track.readyState === 'live' && matches(stream)) return stream;
    }
    return null;
  }

  #stateChanged() {
    const state = this.connection.connectionState;
    clearTimeout(this.#restart);
    if (state === 'failed') this.restart();
    else if (state === 'disconnected') this.#restart = setTimeout(() => this.restart(), restartDelay);
    this.emit('state', state);
  }

  /** Looks for a new path; the media stays as it is. */
  restart() {
    if (this.#closed || this.retired) return;
    this.#startsAnew = true;
    this.connection.restartIce();
  }

  /**
   * Goes over other servers from the next restart on; with another transport policy, from now on.
   *
   * @param {RTCConfiguration} configuration
   */
  configure(configuration) {
    if (this.#closed) return;
    const former = this.connection.getConfiguration().iceTransportPolicy ?? 'all';
    this.connection.setConfiguration(configuration);
    if ((configuration.iceTransportPolicy ?? 'all') !== former) this.restart();
  }
}

const opposite = /** @type {const} */ ({ active: 'passive', passive: 'active' });

/**
 * The role in DTLS that an answer takes.
 *
 * @param {string} sdp
 * @returns {'active' | 'passive' | undefined}
 */
function setup(sdp) {
  return /** @type {any} */ (/^a=setup:(active|passive)\r?$/mu.exec(sdp)?.[1]);
}
