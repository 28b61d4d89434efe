// @ts-check

import { h } from './dom.js';

/** @typedef {import('../sdk/protocol.js').Session} Session */

/**
 * When, how long, where, what about: for the lobby and the waiting room.
 *
 * @param {Partial<Session> & {meeting_url?: string | null}} session
 */
export function sessionDetails(session) {
  const materials = (session.materials ?? []).filter(({ url }) => isWeb(url));
  /** @type {[string, Node | string | null][]} */
  const facts = [
    ['When', when(session)],
    ['Length', session.duration_minutes ? `${session.duration_minutes.toLocaleString()} minutes` : null],
    ['Course', session.course || null],
    ['Host', session.instructor || null],
    ['Kind', { audio: 'By sound alone', in_person: 'In a room: there is no call', video: null }[session.kind ?? 'video']],
    ['Meeting', link(session.meeting_url, 'Open the meeting')],
    ['Video', link(session.video_url, 'Watch the video')],
    ['Recording', link(session.recording_url, 'Watch the recording')],
    ['Materials', materials.length > 0 ? h('ul', { class: 'materials' }, ...materials.map(({ title, url }) => h('li', {}, link(url, title)))) : null],
  ];
  const shown = facts.filter(([, value]) => value);
  return h('div', { class: 'details' },
    session.description ? h('p', { class: 'description' }, session.description) : null,
    shown.length > 0 && h('dl', {}, ...shown.flatMap(([name, value]) => [h('dt', {}, name), h('dd', {}, value)])));
}

/**
 * In the reader's time and, where that is another, in the time of the class.
 *
 * @param {Partial<Session>} session
 */
function when({ scheduled_at: at, time_zone: zone }) {
  if (!at) return null;
  const date = new Date(at);
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const text = h('time', { datetime: at }, full.format(date));
  const there = zone && zone !== own ? inZone(date, zone) : null;
  // Two zones may show the same clock.
  if (!there || there === inZone(date, own)) return text;
  return h('span', {}, text, h('span', { class: 'other-zone' }, ` your time; ${there} in ${zone?.replaceAll('_', ' ')}`));
}

/**
 * @param {Date} date
 * @param {string} zone
 */
function inZone(date, zone) {
  try {
    return new Intl.DateTimeFormat(undefined, { weekday: 'short', hour: '2-digit', minute: '2-digit', timeZone: zone }).format(date);
  } catch {
    return null; // a zone that this browser does not know
  }
}

/**
 * @param {string | null | undefined} url
 * @param {string} text
 */
function link(url, text) {
  if (!url || !isWeb(url)) return null;
  return h('a', { href: url, target: '_blank', rel: 'noopener noreferrer' }, text, h('span', { class: 'visually-hidden' }, ' (opens in a new tab)'));
}

/** @param {string} url */
function isWeb(url) {
  try {
    return ['http:', 'https:'].includes(new URL(url).protocol);
  } catch {
    return false;
  }
}

const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'short' });
