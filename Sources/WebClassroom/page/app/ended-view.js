// @ts-check

import { attendanceTable, downloads, minutes, notes, time } from './attendance-table.js';
import { ChatPanel } from './chat-panel.js';
import { h } from './dom.js';
import { sessionDetails } from './session-details.js';

/**
 * @typedef {import('./room.js').Room} Room
 * @typedef {import('./attendance-table.js').AttendanceRow} AttendanceRow
 */

/** After the class: that it is over, who was there (for the host), and the chat to read. */
export class EndedView extends HTMLElement {
  /** @type {Room} */
  room = /** @type {any} */ (undefined);

  connectedCallback() {
    const { client, notices } = this.room;
    const session = client.session;
    const chat = new ChatPanel();
    chat.room = this.room;
    chat.readOnly = true;
    const mayReopen = client.you?.role === 'host' || client.you?.role === 'admin';
    const attendance = h('section', { class: 'attendance', hidden: true, 'aria-label': 'Attendance' });
    this.replaceChildren(
      h('div', { class: 'card ended' },
        h('div', { class: 'ended-text' },
          h('p', { class: 'eyebrow' }, 'This class has ended'),
          h('h1', { tabindex: '-1' }, session?.title || 'Class'),
          h('p', { class: 'lede' }, span(session?.started_at ?? null, session?.ended_at ?? null)),
          h('p', {}, 'Thank you for being here. You can still read the chat.'),
          attendance,
          sessionDetails({ materials: session?.materials, recording_url: session?.recording_url }),
          notices,
          h('div', { class: 'actions' },
            h('button', { type: 'button', class: 'secondary', onclick: () => this.room.leave() }, 'Close'),
            mayReopen && h('button', { type: 'button', class: 'quiet', onclick: () => void this.room.attempt(() => client.start()) }, 'Open the class again'))),
        h('section', { class: 'ended-chat', 'aria-labelledby': 'ended-chat-title' },
          h('h2', { id: 'ended-chat-title' }, 'Chat'), chat)),
    );
    void this.#fetchAttendance(attendance);
  }

  /** @param {HTMLElement} target */
  async #fetchAttendance(target) {
    const { room } = this;
    const { client, bearer } = room;
    if (!bearer) return;
    try {
      const response = await room.fetch('attendance/');
      if (!response.ok) return;
      const report = await response.json();
      /** @type {AttendanceRow[]} */
      const rows = report.participants ?? [];
      const own = rows.find(({ user }) => user === client.you?.user);
      const id = client.sessionId;
      if (client.leads) {
        target.replaceChildren(
          h('h2', {}, `Attendance (${rows.length.toLocaleString()})`), ...attendanceTable(rows),
          downloads(room, [
            { path: 'attendance.csv', file: `attendance-${id}.csv`, label: 'Download CSV' },
            { path: 'attendance/', file: `attendance-${id}.json`, label: 'Download signed report' },
          ]));
      } else if (own) {
        target.replaceChildren(...ownAttendance(own));
        // What is signed can be shown to others.
        if (report.signature) {
          target.append(downloads(room, [{ path: 'attendance/', file: `attendance-${id}.json`, label: 'Download your certificate' }]));
        }
      }
      target.hidden = target.childElementCount === 0;
    } catch {
      // The report stays available over the API; the chat is what this page is for.
    }
  }
}

/** @param {AttendanceRow} row */
function ownAttendance(row) {
  const remarks = notes(row);
  return [
    h('h2', {}, 'Your attendance'),
    h('p', { class: 'own-attendance' }, `You were here for ${minutes(row.milliseconds)}, from ${time(row.first_join)} to ${time(row.last_leave)}${remarks ? ` (${remarks})` : ''}.`),
  ];
}

/**
 * @param {string | null} start
 * @param {string | null} end
 */
function span(start, end) {
  if (!start || !end) return '';
  return `${day.format(new Date(start))}, ${time(start)} – ${time(end)}`;
}

const day = new Intl.DateTimeFormat(undefined, { dateStyle: 'long' });

customElements.define('rollcall-ended', EndedView);
