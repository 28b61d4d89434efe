// @ts-check

import { h, set, setText } from './dom.js';
import { explain } from './sentences.js';

/** @typedef {import('./room.js').Room} Room */

/**
 * Asks the host whether to leave alone or to end the class for everybody. The dialog opens when it
 * is added to the page, and removes itself.
 *
 * @param {Room} room
 */
export function leaveDialog(room) {
  const problem = h('p', { class: 'wrong', role: 'alert' });
  const end = h('button', { type: 'button', class: 'danger', onclick: () => endForAll() }, 'End class for everyone');
  const dialog = h(
    'dialog',
    { 'aria-labelledby': 'leave-title', 'aria-describedby': 'leave-text', onclose: () => dialog.remove() },
    h('h2', { id: 'leave-title' }, 'Leave or end the class?'),
    h('p', { id: 'leave-text' }, 'If you leave, the class goes on without you and you can come back. If you end it, everybody is disconnected; the chat stays readable. You can open it again for a while.'),
    problem,
    h('div', { class: 'dialog-actions' },
      end,
      h('button', { type: 'button', class: 'secondary', onclick: () => leave() }, 'Leave only'),
      h('button', { type: 'button', class: 'quiet', autofocus: true, onclick: () => dialog.close() }, 'Stay')),
  );
  const leave = () => {
    dialog.close();
    void room.leave();
  };
  const endForAll = async () => {
    if (end.hasAttribute('aria-disabled')) return;
    set(end, 'aria-disabled', 'true');
    setText(problem, '');
    try {
      await room.client.end();
      dialog.close();
    } catch (error) {
      setText(problem, explain(error));
      set(end, 'aria-disabled', null);
    }
  };
  queueMicrotask(() => dialog.showModal());
  return dialog;
}
