// @ts-check

import { attendanceTable, downloads, minutes } from './attendance-table.js';
import { h, plural, set, setText } from './dom.js';

/** @typedef {import('./room.js').Room} Room */

/** For those who lead: who has been here and how long, as it is now, and the report to keep. */
export class AttendanceSection extends HTMLElement {
  /** @type {Room} */
  room = /** @type {any} */ (undefined);
  #summary = h('p', { class: 'attendance-summary', role: 'status' });
  #table = h('div', { class: 'attendance-rows' });
  #fetching = false;
  #stale = true;
  /** @type {(() => void)[]} */
  #subscriptions = [];
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #timer;

  connectedCallback() {
    const { client } = this.room;
    const id = client.sessionId;
    this.replaceChildren(
      h('h3', {}, 'Attendance'), this.#summary, this.#table,
      downloads(this.room, [
        { path: 'attendance.csv', file: `attendance-${id}.csv`, label: 'Download CSV' },
        { path: 'attendance/', file: `attendance-${id}.json`, label: 'Download signed report' },
      ]));
    this.#subscriptions = [
      client.on('attendance', (totals) => {
        this.#sum(totals);
        this.#stale = true;
        void this.refresh();
      }),
    ];
    // The minutes of those who are here grow without anybody coming or going.
    this.#timer = setInterval(() => {
      this.#stale = true;
      void this.refresh();
    }, 30_000);
  }

  disconnectedCallback() {
    for (const unsubscribe of this.#subscriptions) unsubscribe();
    clearInterval(this.#timer);
  }

  /** Fetches the figures, if they are looked at. */
  async refresh() {
    const { client } = this.room;
    if (!this.#stale || this.#fetching || !client.leads || this.offsetParent === null) return;
    this.#fetching = true;
    try {
      const { report, participants } = await client.attendance();
      this.#stale = false;
      if (report.totals) this.#sum(report.totals);
      const scroll = this.#table.querySelector('.table-scroll')?.scrollTop ?? 0;
      const isFocused = this.#table.querySelector('.table-scroll') === document.activeElement;
      this.#table.replaceChildren(...attendanceTable(participants));
      const box = /** @type {HTMLElement | null} */ (this.#table.querySelector('.table-scroll'));
      if (box) box.scrollTop = scroll;
      if (isFocused) box?.focus({ preventScroll: true });
    } catch {
      // The next change, or the next opening, tries again.
    } finally {
      this.#fetching = false;
    }
  }

  /** @param {any} totals */
  #sum({ present = 0, attended = 0, total = 0, percent = 0, late = 0, average_milliseconds: average = 0 }) {
    const parts = [
      `${present.toLocaleString()} here now`,
      `${attended.toLocaleString()} of ${plural(total, 'person', 'people')} attended (${percent}%)`,
      late > 0 && `${late.toLocaleString()} late`,
      attended > 0 && `${minutes(average)} on average`,
    ];
    setText(this.#summary, parts.filter(Boolean).join(' · '));
    set(this.#summary, 'hidden', false);
  }
}

customElements.define('rollcall-attendance', AttendanceSection);
