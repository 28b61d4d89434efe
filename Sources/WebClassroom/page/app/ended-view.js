// @ts-check

import { ChatPanel } from './chat-panel.js';
import { h, plural } from './dom.js';

/**
 * @typedef {import('./room.js').Room} Room
 *
 * @typedef {object} AttendanceRow
 * @property {string} user
 * @property {string} name
 * @property {string} role
 * @property {string | null} first_join
 * @property {string | null} last_leave
 * @property {number} minutes
 * @property {number} milliseconds
 * @property {{estimated: boolean}[]} segments
 */

/** After the class: that it is over, who was there (for the host), and the chat to read. */
export class EndedView extends HTMLElement {
  /** @type {Room} */
  room = /** @type {any} */ (undefined);

  connectedCallback() {
    const { client } = this.room;
    const session = client.session;
    const chat = new ChatPanel();
    chat.room = this.room;
    chat.readOnly = true;
    const attendance = h('section', { class: 'attendance', hidden: true, 'aria-label': 'Attendance' });
    this.replaceChildren(
      h('div', { class: 'card ended' },
        h('div', { class: 'ended-text' },
          h('p', { class: 'eyebrow' }, 'This class has ended'),
          h('h1', { tabindex: '-1' }, session?.title || 'Class'),
          h('p', { class: 'lede' }, span(session?.started_at ?? null, session?.ended_at ?? null)),
          h('p', {}, 'Thank you for being here. You can still read the chat.'),
          attendance,
          h('div', { class: 'actions' },
            h('button', { type: 'button', class: 'secondary', onclick: () => this.room.leave() }, 'Close'))),
        h('section', { class: 'ended-chat', 'aria-labelledby': 'ended-chat-title' },
          h('h2', { id: 'ended-chat-title' }, 'Chat'), chat)),
    );
    void this.#fetchAttendance(attendance);
  }

  /** @param {HTMLElement} target */
  async #fetchAttendance(target) {
    const { client, bearer } = this.room;
    if (!bearer) return;
    try {
      const response = await fetch(`/api/sessions/${encodeURIComponent(client.sessionId)}/attendance/`, {
        headers: { Authorization: `Bearer ${bearer}` },
      });
      if (!response.ok) return;
      const report = await response.json();
      /** @type {AttendanceRow[]} */
      const rows = report.participants;
      const leads = client.you?.role === 'host' || client.you?.role === 'admin';
      const own = rows.find(({ user }) => user === client.you?.user);
      if (leads) target.replaceChildren(...table(rows));
      else if (own) target.replaceChildren(h('p', {}, `You were here for ${duration(own.milliseconds)}.`));
      target.hidden = target.childElementCount === 0;
    } catch {
      // The report stays available over the API; the chat is what this page is for.
    }
  }
}

/** @param {AttendanceRow[]} rows */
function table(rows) {
  const estimated = rows.some(({ segments }) => segments.some((segment) => segment.estimated));
  return [
    h('h2', {}, `Attendance (${rows.length.toLocaleString()})`),
    h('div', { class: 'table-scroll', tabindex: '0', role: 'region', 'aria-label': 'Attendance table' },
      h('table', {},
        h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, 'Name'), h('th', { scope: 'col' }, 'Present'), h('th', { scope: 'col' }, 'From'), h('th', { scope: 'col' }, 'To'))),
        h('tbody', {}, ...rows.map((row) =>
          h('tr', {},
            h('th', { scope: 'row' }, row.name),
            h('td', {}, row.milliseconds < 60_000 ? '< 1 min' : `${Math.round(row.milliseconds / 60_000)} min`,
              row.segments.some((segment) => segment.estimated) && ' *'),
            h('td', {}, time(row.first_join)),
            h('td', {}, time(row.last_leave))))))),
    ...(estimated ? [h('p', { class: 'hint' }, '* An end was estimated, because the server was interrupted.')] : []),
  ];
}

/** @param {number} milliseconds */
function duration(milliseconds) {
  const minutes = Math.round(milliseconds / 60_000);
  return minutes < 1 ? 'under a minute' : plural(minutes, 'minute', 'minutes');
}

/** @param {string | null} text */
function time(text) {
  return text ? clock.format(new Date(text)) : '–';
}

/**
 * @param {string | null} start
 * @param {string | null} end
 */
function span(start, end) {
  if (!start || !end) return '';
  return `${day.format(new Date(start))}, ${time(start)} – ${time(end)}`;
}

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const day = new Intl.DateTimeFormat(undefined, { dateStyle: 'long' });

customElements.define('rollcall-ended', EndedView);
