// @ts-check

import { h, set, setText } from './dom.js';
import { explain } from './sentences.js';

/**
 * Asks before something that cannot simply be taken back. The dialog opens when it is added to the
 * page, and removes itself.
 *
 * @param {object} options
 * @param {string} options.title
 * @param {string} options.text
 * @param {string} options.action the label of the button that does it
 * @param {() => Promise<any>} options.run
 */
export function confirmDialog({ title, text, action, run }) {
  const problem = h('p', { class: 'wrong', role: 'alert' });
  const confirm = h('button', { type: 'button', class: 'danger', onclick: () => doIt() }, action);
  const dialog = h(
    'dialog',
    { 'aria-labelledby': 'confirm-title', 'aria-describedby': 'confirm-text', onclose: () => dialog.remove() },
    h('h2', { id: 'confirm-title' }, title),
    h('p', { id: 'confirm-text' }, text),
    problem,
    h('div', { class: 'dialog-actions' },
      confirm,
      h('button', { type: 'button', class: 'secondary', autofocus: true, onclick: () => dialog.close() }, 'Cancel')),
  );
  const doIt = async () => {
    if (confirm.hasAttribute('aria-disabled')) return;
    set(confirm, 'aria-disabled', 'true');
    setText(problem, '');
    try {
      await run();
      dialog.close();
    } catch (error) {
      setText(problem, explain(error));
      set(confirm, 'aria-disabled', null);
    }
  };
  queueMicrotask(() => dialog.showModal());
  return dialog;
}
