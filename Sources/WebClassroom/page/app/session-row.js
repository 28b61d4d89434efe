// @ts-check

import { h, plural, set, setText } from './dom.js';

/** @typedef {import('../sdk/session-list.js').ListedSession} ListedSession */

/** One session in the list: when, what, with whom, and how many are there now. */
export class SessionRow {
  element;
  #time = h('p', { class: 'session-time' });
  #link = h('a');
  #facts = h('p', { class: 'session-facts' });
  #state = h('p', { class: 'session-state' });
  #go = h('span', { class: 'session-go', 'aria-hidden': 'true' });
  #title = h('span', { class: 'visually-hidden' });
  #decision;

  /**
   * @param {string} id
   * @param {(decision: 'approve' | 'decline') => void} ondecide called when the reader, who is asked to give the class, has decided
   */
  constructor(id, ondecide) {
    this.#decision = h('div', { class: 'session-decision', hidden: true },
      h('button', { type: 'button', class: 'small primary', onclick: () => ondecide('approve') }, 'Agree', this.#title),
      h('button', { type: 'button', class: 'small secondary', onclick: () => ondecide('decline') }, 'Decline', this.#title.cloneNode(true)));
    this.#link.href = `#session=${encodeURIComponent(id)}`;
    this.element = h('li', { class: 'session', 'data-session': id },
      this.#time, h('div', { class: 'session-text' }, h('h3', {}, this.#link), this.#facts, this.#state, this.#decision), this.#go);
  }

  /**
   * @param {ListedSession} session
   * @param {string | undefined} own the reader
   */
  show(session, own) {
    const isHost = session.host !== undefined && session.host === own;
    set(this.element, 'data-live', session.is_live);
    setText(this.#link, session.title);
    for (const title of this.#decision.querySelectorAll('.visually-hidden')) setText(title, ` ${session.title}`);
    const isAsked = isHost && session.status === 'pending_approval';
    if (!isAsked && this.#decision.contains(document.activeElement)) this.#link.focus();
    set(this.#decision, 'hidden', !isAsked);
    set(this.#go, 'hidden', isAsked);
    setText(this.#time, session.is_live ? 'Live' : startTime(session));
    setText(this.#facts, [
      isHost ? 'You are the host' : session.instructor && `with ${session.instructor}`,
      session.course,
      session.status !== 'completed' && session.duration_minutes && `${session.duration_minutes.toLocaleString()}\u00a0min`,
      { audio: 'By sound alone', in_person: 'In a room', video: '' }[session.kind ?? 'video'],
    ].filter(Boolean).join(' · '));
    const state = stateSentence(session, isHost);
    setText(this.#state, state);
    set(this.#state, 'hidden', state === '');
    setText(this.#go, session.is_live ? (isHost ? 'Go in' : 'Join') : session.status === 'completed' ? 'Read' : 'Open');
  }
}

/**
 * The day under which a session stands in the list.
 *
 * @param {ListedSession} session
 */
export function dayOf({ scheduled_at: at, started_at: started, status }) {
  const when = status === 'completed' ? started ?? at : at;
  if (!when) return 'No time yet';
  const date = new Date(when);
  const days = Math.round((midnight(date) - midnight(new Date())) / 86_400_000);
  if (days === 0) return 'Today';
  if (days === 1) return 'Tomorrow';
  if (days === -1) return 'Yesterday';
  return (date.getFullYear() === new Date().getFullYear() ? day : dayOfYear).format(date);
}

/** @param {ListedSession} session */
function startTime({ scheduled_at: at, started_at: started, status }) {
  const when = status === 'completed' ? started ?? at : at;
  return when ? clock.format(new Date(when)) : '–';
}

/**
 * @param {ListedSession} session
 * @param {boolean} isHost
 */
function stateSentence({ status, is_live, watching, participants, scheduled_at: at, started_at: started, ended_at: ended }, isHost) {
  if (is_live) {
    const since = started ? `since ${clock.format(new Date(started))}` : '';
    return [watching !== undefined && `${plural(watching, 'person', 'people')} here now`, since].filter(Boolean).join(', ');
  }
  if (status === 'completed') {
    const span = started && ended ? `until ${clock.format(new Date(ended))}` : '';
    return [span, participants !== undefined && `${plural(participants, 'person', 'people')} came`].filter(Boolean).join(', ');
  }
  if (status === 'pending_approval') return isHost ? 'You are asked to give this class' : 'The host has not agreed yet';
  if (status === 'approved') return 'Agreed; the time is not fixed yet';
  const minutes = at ? Math.round((Date.parse(at) - Date.now()) / 60_000) : Infinity;
  if (minutes < 0) return 'Should have begun; it begins when the host starts it';
  if (minutes <= 60) return minutes < 1 ? 'Begins now' : `Begins in ${plural(minutes, 'minute', 'minutes')}`;
  return '';
}

/** @param {Date} date */
function midnight(date) {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
}

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const day = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' });
const dayOfYear = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' });
