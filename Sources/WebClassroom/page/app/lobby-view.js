// @ts-check

import { CheckInCard } from './check-in-card.js';
import { Preview } from './preview.js';
import { h, set, setText } from './dom.js';
import { sessionDetails } from './session-details.js';

/**
 * @typedef {import('./local-media.js').LocalMedia} LocalMedia
 *
 * @typedef {object} LobbyOptions
 * @property {string | null} session null asks for it
 * @property {string} name
 * @property {string | null} identity the name in the token of the link; null asks for one
 * @property {string | null} token of the link
 * @property {LocalMedia} media
 * @property {(choice: {session: string, name: string}) => void} onJoin
 */

/** The way in: which class, under which name, with or without a camera. */
export class LobbyView extends HTMLElement {
  /** @type {LobbyOptions} */
  options = /** @type {any} */ (undefined);
  /** @type {HTMLButtonElement | null} */
  #button = null;

  connectedCallback() {
    const { session, name, identity, token, media, onJoin } = this.options;
    const hasToken = token !== null;
    const sessionField = h('input', {
      id: 'session', name: 'session', required: true, autocomplete: 'off', autocapitalize: 'off', spellcheck: 'false', maxlength: 64,
      'aria-describedby': 'session-hint',
    });
    const nameField = h('input', {
      id: 'name', name: 'name', required: true, autocomplete: 'name', maxlength: 60, value: name, 'aria-describedby': 'name-hint',
    });
    const hint = h('p', { id: 'name-hint', class: 'hint' }, 'This is how the others in the class will see you.');
    const live = h('p', { class: 'lobby-live', role: 'status' });
    this.#button = h('button', { type: 'submit', class: 'primary large' }, 'Join class');

    const form = h(
      'form',
      {
        class: 'stack',
        novalidate: true,
        onsubmit: (/** @type {SubmitEvent} */ event) => {
          event.preventDefault();
          const chosen = session ?? linkOrId(sessionField.value);
          const name = nameField.value.trim();
          if (!chosen) return complain(sessionField, 'Please enter the id of your class.', this.querySelector('#session-hint'));
          if (!hasToken && !name) return complain(nameField, 'Please enter your name.', hint);
          if (new TextEncoder().encode(name).length > 120) return complain(nameField, 'This name is too long.', hint);
          onJoin({ session: chosen, name });
        },
      },
      !session && h('div', { class: 'field' },
        h('label', { for: 'session' }, 'Class id'), sessionField,
        h('p', { id: 'session-hint', class: 'hint' }, 'You find it in the link that you were given.')),
      hasToken
        ? h('p', { class: 'identity' }, 'You join as ', h('strong', {}, identity ?? 'an invited member'), '.')
        : h('div', { class: 'field' }, h('label', { for: 'name' }, 'Your name'), nameField, hint),
      this.#button,
    );
    const title = h('h1', { tabindex: '-1' }, session ? 'Ready to join?' : 'Join a class');
    const lede = h('p', { class: 'lede' }, 'Class ', h('b', { class: 'class-id' }, session ?? ''));
    const details = h('div');
    const preview = new Preview();
    preview.media = media;
    this.replaceChildren(
      h('div', { class: 'card lobby' },
        h('div', { class: 'lobby-text' },
          title,
          session && lede,
          live,
          details,
          form),
        h('div', { class: 'lobby-preview' }, preview,
          h('p', { class: 'hint' }, 'Camera and microphone are optional: you can join without them and switch them on later.'))));
    if (session) void showLive(session, live);
    if (session && token) void showDetails(session, token, { title, lede, details, form });
  }

  /** @param {boolean} busy */
  setBusy(busy) {
    const button = this.#button;
    if (!button) return;
    set(button, 'aria-disabled', busy ? 'true' : null);
    setText(button, busy ? 'Joining…' : 'Join class');
  }
}

/**
 * @param {HTMLInputElement} field
 * @param {string} sentence
 * @param {Element | null} hint
 */
function complain(field, sentence, hint) {
  if (hint) {
    setText(hint, sentence);
    hint.classList.add('wrong');
  }
  set(field, 'aria-invalid', 'true');
  field.focus();
}

/**
 * People paste the whole link where the id is asked for.
 *
 * @param {string} text
 */
function linkOrId(text) {
  const hash = text.indexOf('#');
  const session = hash < 0 ? null : new URLSearchParams(text.slice(hash + 1)).get('session');
  return (session ?? text).trim();
}

/**
 * @param {string} session
 * @param {Element} target
 */
async function showLive(session, target) {
  try {
    const response = await fetch(`/api/live/status/${encodeURIComponent(session)}/`);
    const { is_active, status } = await response.json();
    if (is_active) {
      target.classList.add('live');
      setText(target, 'Live now');
    } else if (status === 'scheduled') {
      setText(target, 'Not started yet. You can join and wait.');
    } else if (status === 'completed') {
      setText(target, 'This class is over. You can read its chat.');
    }
  } catch {
    // The line is a courtesy; joining tells for certain.
  }
}

/**
 * Shows what the class is about to who may see it.
 *
 * @param {string} session
 * @param {string} token
 * @param {{title: HTMLElement, lede: HTMLElement, details: HTMLElement, form: HTMLElement}} parts
 */
async function showDetails(session, token, { title, lede, details, form }) {
  try {
    const response = await fetch(`/api/sessions/${encodeURIComponent(session)}/`, { headers: { Authorization: `Bearer ${token}` } });
    if (!response.ok) return;
    const found = await response.json();
    if (!found.title) return;
    setText(title, found.title);
    setText(lede, found.instructor ? `with ${found.instructor}` : '');
    details.replaceChildren(sessionDetails({ ...found, instructor: '' }));
    // Who sits in the room needs no connection. The room's name is told to those who may come in.
    if (found.kind === 'in_person' && found.is_live && found.room_name) {
      const card = new CheckInCard();
      card.session = session;
      card.bearer = () => token;
      form.before(card);
      form.closest('.lobby')?.querySelector('.lobby-preview')?.remove();
      form.closest('.lobby')?.classList.add('single');
      const button = form.querySelector('.primary');
      button?.classList.replace('primary', 'secondary');
    }
  } catch {
    // So is this: the waiting room shows the same.
  }
}

customElements.define('rollcall-lobby', LobbyView);
