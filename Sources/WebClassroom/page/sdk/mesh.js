// @ts-check

import { Call } from './call.js';
import { TypedEvents } from './events.js';

/**
 * @typedef {import('./call.js').LocalMedia} LocalMedia
 * @typedef {import('./call.js').Slot} Slot
 * @typedef {import('./client.js').RollcallClient} RollcallClient
 * @typedef {import('./protocol.js').Participant} Participant
 * @typedef {import('./protocol.js').Signal} Signal
 *
 * @typedef {object} MeshEvents
 * @property {Call} call a call was added, or its media or state changed
 * @property {Call} closed
 */

/** Who was there before us is called by us; a newcomer that has not called for so long is called too. */
const newcomerPatience = 4000;

/** How long the call of a lost connection may play on, in milliseconds: the server's default grace. */
const retirement = 20_000;

/** For how long who has left the stage counts as on it, in milliseconds: after a restart of the server people step onto it again. */
const farewell = 5000;

/**
 * Calls between who is on the stage and everybody else; the audience does not call each other. The
 * newcomer calls those it finds, and who steps onto the stage calls the audience; the others answer.
 * Calls outlive a lost signaling connection, on either side. They go on when it comes back with the
 * same address, and are replaced without a gap when it comes back with another one.
 *
 * @extends {TypedEvents<MeshEvents>}
 */
export class CallMesh extends TypedEvents {
  /** @type {Map<string, Call>} by the other side's peer */
  calls = new Map();
  /** @type {Set<Call>} calls that play on until their successor is connected */
  retired = new Set();
  /** @type {LocalMedia} */
  local = { camera: new MediaStream(), screen: new MediaStream(), tracks: { audio: null, video: null, screen: null } };

  /** @type {Map<string, ReturnType<typeof setTimeout>>} newcomers that are expected to call */
  #expected = new Map();
  /** @type {string | null} our own address, of which the calls are */
  #ownPeer = null;
  /** @type {Set<string>} peers that a signal could not reach while they were away */
  #missed = new Set();
  /** @type {Set<string>} peers that have hung up */
  #hungUp = new Set();
  /** @type {Map<string, ReturnType<typeof setTimeout> | null>} users on the stage; with a timer those who have just left it */
  #onStage = new Map();
  /** @type {(() => void)[]} */
  #subscriptions;

  /**
   * @param {RollcallClient} client
   * @param {{maxCalls?: number, configuration?: RTCConfiguration}} options `maxCalls` bounds what one
   *   page carries; hosts and those who show something are called first
   */
  constructor(client, { maxCalls = 24, configuration = {} } = {}) {
    super();
    this.client = client;
    this.maxCalls = maxCalls;
    this.configuration = configuration;
    this.#subscriptions = [
      client.on('joined', (joined) => this.#joined(joined.signals_recovered === true)),
      client.on('presence', () => this.#reconcile()),
      client.on('signal', (signal) => this.#signal(signal)),
      client.on('ice', () => {
        for (const call of this.#all()) call.configure(this.#rtcConfiguration);
      }),
      client.on('status', ({ status }) => {
        if (status === 'completed') this.hangUp();
      }),
      client.on('problem', (error) => {
        if (error.code === 'peer_unavailable') this.#unavailable(String(error.details.peer));
      }),
      client.on('closed', () => this.hangUp()),
    ];
    addEventListener('online', this.#networkChanged);
    network()?.addEventListener('change', this.#connectionChanged);
  }

  /** What browsers call through: the server's word counts. @returns {RTCConfiguration} */
  get #rtcConfiguration() {
    const { iceServers, iceTransportPolicy } = this.client;
    return { ...this.configuration, iceServers, iceTransportPolicy };
  }

  /**
   * Sends a track in all calls, now and later, or none.
   *
   * @param {Slot} slot
   * @param {MediaStreamTrack | null} track
   */
  setTrack(slot, track) {
    const stream = slot === 'screen' ? this.local.screen : this.local.camera;
    const former = this.local.tracks[slot];
    if (former === track) return;
    if (former) stream.removeTrack(former);
    if (track) stream.addTrack(track);
    this.local.tracks[slot] = track;
    for (const call of this.#all()) call.setTrack(slot, track);
  }

  /**
   * A user's calls, one for each tab, the ones that count last.
   *
   * @param {string} user
   * @returns {Call[]}
   */
  callsOf(user) {
    return this.#all().filter((call) => call.user === user);
  }

  /**
   * Whether sound and pictures of somebody are to be shown: of who is on the stage.
   *
   * @param {string | null} user
   */
  plays(user) {
    return user !== null && this.#onStage.has(user);
  }

  /** Ends all calls, and says so to the other sides. */
  hangUp() {
    for (const timer of this.#onStage.values()) clearTimeout(timer ?? undefined);
    this.#onStage.clear();
    for (const timer of this.#expected.values()) clearTimeout(timer);
    this.#expected.clear();
    this.#hungUp.clear();
    for (const call of this.#all()) {
      if (!call.retired) this.client.signal(call.peer, 'bye', null);
      this.#close(call);
    }
  }

  /** Ends all calls and stops listening to the client. */
  dispose() {
    this.hangUp();
    removeEventListener('online', this.#networkChanged);
    network()?.removeEventListener('change', this.#connectionChanged);
    for (const unsubscribe of this.#subscriptions) unsubscribe();
  }

  #networkChanged = () => {
    for (const call of this.calls.values()) call.restart();
  };

  #networkType = network()?.type;

  /** The browser tells of every change of speed too; another way into the network is what counts. */
  #connectionChanged = () => {
    const type = network()?.type;
    if (type === this.#networkType) return;
    this.#networkType = type;
    if (type !== 'none') this.#networkChanged();
  };

  /** @returns {Call[]} */
  #all() {
    return [...this.retired, ...this.calls.values()];
  }

  /**
   * Our connection is back. With the address of before the calls go on; with a new one we are new to all, and the former
   * calls are replaced.
   *
   * @param {boolean} hasSignals whether no signal is lost
   */
  #joined(hasSignals) {
    const { peer } = this.client;
    const isKept = peer !== null && peer === this.#ownPeer && this.client.state === 'present';
    this.#ownPeer = peer;
    if (isKept) {
      for (const call of [...this.calls.values()]) {
        if (!hasSignals && !call.isSettled) this.#startAgain(call);
        // What cut off the server most likely cut off the call.
        else if (call.state === 'disconnected' || call.state === 'failed') call.restart();
      }
      this.#reconcile();
      return;
    }
    this.#missed.clear();
    for (const call of [...this.calls.values()]) this.#retire(call);
    this.#watchStage();
    for (const timer of this.#expected.values()) clearTimeout(timer);
    this.#expected.clear();
    this.#hungUp.clear();
    if (this.client.state !== 'present') {
      this.hangUp();
      return;
    }
    this.#openAll();
  }

  /** Calls everybody who is to be called. */
  #openAll() {
    for (const participant of [...this.client.presence].sort(byImportance)) {
      for (const peer of participant.peers) this.#open(peer, participant.user);
    }
  }

  /**
   * Follows who is on the stage.
   *
   * @returns {boolean} whether this person has stepped onto it
   */
  #watchStage() {
    const { presence, you } = this.client;
    const own = you?.user ?? '';
    const wasOn = this.plays(own);
    for (const [user, timer] of this.#onStage) {
      if (presence.get(user)) continue;
      clearTimeout(timer ?? undefined);
      this.#onStage.delete(user);
    }
    for (const { user, on_stage } of presence) {
      if (on_stage) {
        clearTimeout(this.#onStage.get(user) ?? undefined);
        this.#onStage.set(user, null);
      } else if (this.#onStage.get(user) === null) {
        this.#onStage.set(user, setTimeout(() => this.#leftStage(user), farewell));
      }
    }
    return !wasOn && this.plays(own);
  }

  /** @param {string} user */
  #leftStage(user) {
    this.#onStage.delete(user);
    for (const call of this.#all()) {
      if (call.user === null || this.#wants(call.user)) continue;
      if (!call.retired) this.client.signal(call.peer, 'bye', null);
      this.#close(call);
    }
    for (const call of this.callsOf(user)) this.emit('call', call);
  }

  /** Follows presence: learns who is behind a call, ends those whose peer is gone, awaits newcomers. */
  #reconcile() {
    const { presence } = this.client;
    const isNewOnStage = this.#watchStage();
    for (const call of this.#all()) {
      call.user ??= presence.owner(call.peer)?.user ?? null;
      if (call.user === null) continue;
      const participant = presence.get(call.user);
      if (!participant || call.user === this.client.you?.user) this.#close(call);
      else if (call.retired) continue;
      else if (participant.peers.includes(call.peer)) this.#hasReturned(call);
      // After a restart of the server addresses are unknown until their tabs are back.
      else if (!participant.reconnecting || participant.peers.length > 0) this.#retire(call);
    }
    if (isNewOnStage) this.#openAll();
    for (const participant of presence) {
      for (const peer of participant.peers) this.#await(peer, participant.user);
    }
  }

  /**
   * @param {string} peer
   * @param {string} user
   */
  #await(peer, user) {
    if (this.calls.has(peer) || this.#expected.has(peer) || this.#hungUp.has(peer) || !this.#wants(user)) return;
    const timer = setTimeout(() => {
      this.#expected.delete(peer);
      if (this.client.presence.get(user)?.peers.includes(peer) && !this.#hungUp.has(peer)) this.#open(peer, user);
    }, newcomerPatience);
    this.#expected.set(peer, timer);
  }

  /** @param {Call} call whose peer is there */
  #hasReturned(call) {
    if (this.#missed.delete(call.peer) && !call.isSettled) this.#startAgain(call);
  }

  /** @param {string} user */
  #wants(user) {
    const { client } = this;
    const own = client.you?.user ?? null;
    return client.state === 'present' && client.peer !== null && user !== own && (this.plays(user) || this.plays(own));
  }

  /**
   * @param {string} peer
   * @param {string} user
   */
  #open(peer, user) {
    if (this.calls.has(peer) || !this.#wants(user) || this.calls.size >= this.maxCalls) return;
    this.#create(peer, user);
  }

  /**
   * @param {string} peer
   * @param {string | null} user
   */
  #create(peer, user) {
    const ownPeer = this.client.peer;
    const call = new Call({
      peer,
      configuration: this.#rtcConfiguration,
      local: this.local,
      // What a call says after its connection was replaced would be taken for its successor's.
      send: (kind, payload, negotiation) => {
        if (!call.retired && this.client.peer === ownPeer) this.client.signal(peer, kind, payload, negotiation);
      },
    });
    call.user = user;
    this.calls.set(peer, call);
    clearTimeout(this.#expected.get(peer));
    this.#expected.delete(peer);
    call.on('media', () => this.emit('call', call));
    call.on('state', (state) => this.#stateChanged(call, state));
    call.on('broken', () => this.#startAgain(call));
    this.emit('call', call);
    return call;
  }

  /** @param {Signal} signal */
  #signal(signal) {
    const { client } = this;
    let call = this.calls.get(signal.from);
    if (signal.kind === 'bye') {
      this.#hungUp.add(signal.from);
      if (call) this.#close(call);
      return;
    }
    if (!call) {
      const participant = client.presence.owner(signal.from);
      if (signal.kind !== 'offer' || participant?.user === client.you?.user) return;
      this.#hungUp.delete(signal.from);
      call = this.#create(signal.from, participant?.user ?? null);
    }
    call.handle(signal);
  }

  /**
   * @param {Call} call
   * @param {RTCPeerConnectionState} state
   */
  #stateChanged(call, state) {
    if (state === 'connected' && !call.retired && call.user !== null) {
      for (const former of [...this.retired]) {
        if (former.user === call.user) this.#close(former);
      }
    }
    if (call.retired && (state === 'failed' || state === 'closed')) this.#close(call);
    else this.emit('call', call);
  }

  /** @param {Call} call whose negotiation broke */
  #startAgain(call) {
    if (call.retired || this.calls.get(call.peer) !== call) return;
    this.client.signal(call.peer, 'bye', null);
    this.#close(call);
    if (call.user !== null) this.#await(call.peer, call.user);
  }

  /** @param {string} peer */
  #unavailable(peer) {
    const call = this.calls.get(peer);
    if (!call) return;
    const participant = call.user === null ? undefined : this.client.presence.get(call.user);
    if (participant?.reconnecting && participant.peers.length === 0) this.#missed.add(peer);
    else this.#retire(call);
  }

  /** @param {Call} call */
  #retire(call) {
    call.retired = true;
    this.calls.delete(call.peer);
    if (call.state === 'connected' || call.state === 'disconnected') {
      this.retired.add(call);
      setTimeout(() => this.#close(call), retirement);
      this.emit('call', call);
    } else {
      this.#close(call);
    }
  }

  /** @param {Call} call */
  #close(call) {
    const known = this.retired.delete(call) || this.calls.get(call.peer) === call;
    if (this.calls.get(call.peer) === call) this.calls.delete(call.peer);
    call.close();
    if (known) this.emit('closed', call);
  }
}

/** What the browser knows of its network; not every browser tells. @returns {(EventTarget & {type?: string}) | undefined} */
function network() {
  return /** @type {any} */ (navigator).connection;
}

/**
 * Hosts first, then those who show something.
 *
 * @param {Participant} a
 * @param {Participant} b
 */
function byImportance(a, b) {
  return weight(b) - weight(a);
}

/** @param {Participant} participant */
function weight({ role, screen_enabled, video_enabled, audio_enabled }) {
  const leads = role === 'host' || role === 'cohost';
  return (leads ? 8 : 0) + (screen_enabled ? 4 : 0) + (video_enabled ? 2 : 0) + (audio_enabled ? 1 : 0);
}
