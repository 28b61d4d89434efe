// @ts-check

import { h, plural } from './dom.js';

/**
 * @typedef {import('./room.js').Room} Room
 *
 * @typedef {object} AttendanceRow
 * @property {string} user
 * @property {string} name
 * @property {string} role
 * @property {string} [state] `attended` or `absent`
 * @property {boolean} [late]
 * @property {boolean} [left_early]
 * @property {boolean} [is_active]
 * @property {boolean} [counted]
 * @property {string | null} first_join
 * @property {string | null} last_leave
 * @property {number} milliseconds
 * @property {{estimated: boolean, checked_in?: boolean}[]} segments
 */

/** How many rows are shown; the downloads have all. */
const most = 500;

/**
 * Who was there, from when to when, and how long.
 *
 * @param {AttendanceRow[]} rows
 */
export function attendanceTable(rows) {
  const estimated = rows.some(({ segments }) => segments.some((segment) => segment.estimated));
  const hints = [
    rows.length > most && `and ${plural(rows.length - most, 'other', 'others')}, in the downloads`,
    estimated && '* An end was estimated, because the server was interrupted.',
  ];
  return [
    h('div', { class: 'table-scroll', tabindex: '0', role: 'region', 'aria-label': 'Attendance table' },
      h('table', {},
        h('thead', {}, h('tr', {}, ...['Name', 'Present', 'From', 'To', 'Notes'].map((title) => h('th', { scope: 'col' }, title)))),
        h('tbody', {}, ...rows.slice(0, most).map((row) =>
          h('tr', { 'data-user': row.user, 'data-state': row.state },
            h('th', { scope: 'row' }, row.name),
            h('td', {}, row.state === 'absent' && row.milliseconds === 0 ? '–' : minutes(row.milliseconds),
              row.segments.some((segment) => segment.estimated) && ' *'),
            h('td', {}, time(row.first_join)),
            h('td', {}, row.is_active ? 'here' : time(row.last_leave)),
            h('td', {}, notes(row))))))),
    ...hints.filter(Boolean).map((hint) => h('p', { class: 'hint' }, hint)),
  ];
}

/**
 * Buttons that download the report, as the server has it at that moment.
 *
 * @param {Room} room
 * @param {{path: string, file: string, label: string}[]} documents
 */
export function downloads(room, documents) {
  const problem = h('p', { class: 'wrong', role: 'alert' });
  const download = async (/** @type {string} */ path, /** @type {string} */ file) => {
    problem.textContent = '';
    try {
      const response = await room.fetch(path);
      if (!response.ok) throw new Error(String(response.status));
      const address = URL.createObjectURL(await response.blob());
      h('a', { href: address, download: file }).click();
      setTimeout(() => URL.revokeObjectURL(address), 10_000);
    } catch {
      problem.textContent = 'The report could not be fetched. Please try again in a moment.';
    }
  };
  return h('div', { class: 'downloads' },
    h('div', { class: 'actions' }, ...documents.map(({ path, file, label }) =>
      h('button', { type: 'button', class: 'small secondary', onclick: () => void download(path, file) }, label))),
    problem);
}

/** @param {number} milliseconds */
export function minutes(milliseconds) {
  return milliseconds < 60_000 ? '< 1 min' : `${Math.round(milliseconds / 60_000)} min`;
}

/** @param {AttendanceRow} row */
export function notes({ state, late, left_early, segments, role, counted }) {
  return [
    state === 'absent' && 'absent',
    late && 'late',
    left_early && 'left early',
    segments.some(({ checked_in }) => checked_in) && 'checked in',
    counted === false && (role === 'host' || role === 'cohost' || role === 'admin') && 'host',
  ].filter(Boolean).join(', ');
}

/** @param {string | null} text */
export function time(text) {
  return text ? clock.format(new Date(text)) : '–';
}

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
