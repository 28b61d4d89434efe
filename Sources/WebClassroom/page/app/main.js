// @ts-check

import { AskView } from './ask-view.js';
import { ClassView } from './class-view.js';
import { ConnectionBanner } from './connection-banner.js';
import { h } from './dom.js';
import { EndedView } from './ended-view.js';
import { HomeView } from './home-view.js';
import { icon } from './icons.js';
import { accountToken, forget, forgetAccount, peek, readLink, recall, remember } from './link.js';
import { LobbyView } from './lobby-view.js';
import { LocalMedia } from './local-media.js';
import { MessageView } from './message-view.js';
import { Room } from './room.js';
import { explainRefusal } from './sentences.js';
import { SessionList } from '../sdk/session-list.js';
import { WaitingView } from './waiting-view.js';

/** @typedef {import('./link.js').Link} Link */

/** Refusals after which there is no use in trying again. */
const final = new Set(['not_found', 'forbidden', 'banned', 'denied', 'session_cancelled', 'session_deleted']);

/** The page: which view is shown, and the way from one to the next. */
export class App extends HTMLElement {
  /** @type {Room | null} */
  room = null;
  /** @type {Link} */
  #link = readLink();
  #media = new LocalMedia(this.#link.video);
  #banner = new ConnectionBanner();
  #view = h('div', { class: 'view' });
  /** @type {SessionList | null} the classes of this person, while they are shown */
  #list = null;
  /** @type {string} */
  #shown = '';

  connectedCallback() {
    this.replaceChildren(this.#banner, this.#view);
    addEventListener('hashchange', () => void this.#followLink());
    const { session } = this.#link;
    const memory = session ? recall(session) : {};
    if (session && memory.joined && (memory.token || memory.guestToken)) this.#join(session, memory.name ?? '');
    else this.#showEntrance();
  }

  /** Where one begins: at the door of the class that the link names, before the list of classes, or asked for a class. */
  #showEntrance() {
    if (this.#link.session || !accountToken()) this.#showLobby();
    else this.#showHome();
  }

  /** A link was opened in this tab. One with a new token for this class renews the access; any other begins anew. */
  async #followLink() {
    const before = this.#link.session;
    if (!this.room) {
      this.#link = readLink();
      this.#showEntrance();
      return;
    }
    const hasToken = new URLSearchParams(location.hash.slice(1)).has('token');
    const link = readLink();
    /** @type {import('./link.js').Memory} */
    const memory = link.session ? recall(link.session) : {};
    const { token } = memory;
    try {
      if (!this.room || !hasToken || !token || !link.session || link.session !== before) throw new Error('another link');
      await this.room.client.renewToken(token);
      remember(link.session, { joined: true });
    } catch {
      location.reload();
    }
  }

  #showHome() {
    const token = accountToken();
    if (!token) return;
    this.#media.stop();
    const list = new SessionList({ token });
    const view = Object.assign(new HomeView(), { list, name: peek(token).name });
    view.onopen = (session) => {
      location.hash = `session=${encodeURIComponent(session)}`;
    };
    list.on('closed', ({ code, error }) => {
      if (list !== this.#list) return;
      forgetAccount();
      const message = new MessageView();
      const { title, text } = explainRefusal(error, code);
      message.heading = title;
      message.text = text;
      message.actions = [{ label: 'Join a class by its id', run: () => this.#showLobby() }];
      this.#show('message', message, title);
    });
    this.#show('home', view, 'Your classes');
    this.#list = list;
    list.start();
  }

  #showLobby() {
    const { session } = this.#link;
    const account = accountToken();
    if (session && account && !recall(session).token) remember(session, { token: account });
    const memory = session ? recall(session) : {};
    const lobby = new LobbyView();
    lobby.options = {
      session,
      name: this.#link.name || memory.name || '',
      token: memory.token ?? null,
      identity: memory.token ? peek(memory.token).name : null,
      media: this.#media,
      onJoin: ({ session: chosen, name }) => {
        if (!this.#link.session) {
          this.#link.session = chosen;
          history.replaceState(null, '', `#session=${encodeURIComponent(chosen)}`);
        }
        lobby.setBusy(true);
        remember(chosen, { name });
        this.#join(chosen, name);
      },
    };
    this.#show('lobby', lobby, 'Join');
  }

  /**
   * @param {string} session
   * @param {string} name
   */
  #join(session, name) {
    const former = this.room;
    this.room = null;
    former?.dispose();
    const room = new Room(session, name, this.#media);
    this.room = room;
    const { client } = room;
    client.on('joined', () => this.#follow(room));
    client.on('status', () => this.#follow(room));
    client.on('closed', ({ code, error }) => this.#ended(room, code, error));
    this.#banner.follow(client);
    if (this.#shown !== 'lobby') {
      const view = new MessageView();
      view.heading = 'Joining the class…';
      view.busy = true;
      this.#show('joining', view, 'Joining');
    }
    client.connect();
  }

  /**
   * Shows the view of the session's state; a rejoin in the same state changes nothing.
   *
   * @param {Room} room
   */
  #follow(room) {
    if (room !== this.room) return;
    const { state, session } = room.client;
    const title = session?.title || 'Class';
    if (state === this.#shown) return;
    if (state === 'waiting') this.#show('waiting', Object.assign(new WaitingView(), { room }), `Waiting: ${title}`);
    else if (state === 'present') this.#show('present', Object.assign(new ClassView(), { room }), title);
    else if (state === 'ended') this.#show('ended', Object.assign(new EndedView(), { room }), `Ended: ${title}`);
  }

  /**
   * @param {Room} room
   * @param {number} code
   * @param {import('../sdk/protocol.js').RollcallError | null} error
   */
  #ended(room, code, error) {
    if (room !== this.room) return;
    const { sessionId } = room.client;
    const ended = room.client.state === 'ended';
    room.dispose();
    this.room = null;
    const view = new MessageView();
    const again = { label: 'Join again', run: () => this.#showLobby() };
    const other = { label: accountToken() ? 'All your classes' : 'Join another class', run: () => this.#startOver() };
    if (room.left) {
      view.heading = ended ? 'The class is closed' : 'You left the class';
      view.text = ended ? 'You can open it again to read its chat.' : 'Your attendance has been recorded until now.';
      view.actions = [ended ? { ...again, label: 'Open again' } : again, other];
    } else {
      this.#media.stop();
      const { title, text } = explainRefusal(error, code);
      view.heading = title;
      view.text = text;
      if (code === 4500 || code === 4501) {
        if (recall(sessionId).token === accountToken()) forgetAccount();
        forget(sessionId);
        view.actions = [{ label: 'Join as a guest', run: () => this.#showLobby() }, other];
      } else if (error?.code === 'forbidden' && recall(sessionId).token) {
        this.#showAsking(sessionId);
        return;
      } else if (code === 4503 || final.has(error?.code ?? '')) {
        view.actions = [other];
      } else {
        view.actions = [{ ...again, label: 'Try again' }, other];
      }
    }
    this.#show('message', view, view.heading);
  }

  /** @param {string} session */
  #showAsking(session) {
    const { token = null, name = '' } = recall(session);
    const view = new AskView();
    view.session = session;
    view.bearer = token;
    view.onready = () => this.#join(session, name);
    view.onelsewhere = () => this.#startOver();
    this.#show('ask', view, 'Ask to join');
  }

  #startOver() {
    this.#media.stop();
    this.#link = { ...this.#link, session: null };
    history.replaceState(null, '', location.pathname);
    this.#showEntrance();
  }

  /**
   * @param {string} name
   * @param {HTMLElement} view
   * @param {string} title
   */
  #show(name, view, title) {
    const first = this.#shown === '';
    const list = this.#list;
    this.#list = null;
    list?.stop();
    this.#shown = name;
    this.dataset.view = name;
    document.title = `${title} – Rollcall`;
    if (name === 'present') {
      this.#view.replaceChildren(view);
    } else {
      this.#view.replaceChildren(
        h('header', { class: 'brand' }, h('span', { class: 'brand-mark', 'aria-hidden': 'true' }, icon('check')), 'Rollcall',
          // Whoever is in a class leaves it by the button that says so.
          name !== 'home' && !this.room && accountToken() && h('a', { class: 'brand-link', href: '#' }, 'All your classes')),
        h('main', { class: name === 'home' ? 'centre wide' : 'centre' }, view),
      );
    }
    if (!first) view.querySelector('h1')?.focus();
  }
}

customElements.define('rollcall-app', App);
