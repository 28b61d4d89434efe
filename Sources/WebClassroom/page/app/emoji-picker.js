// @ts-check

import { h } from './dom.js';
import { closeMenu } from './menu.js';

/** What is offered at once, and how it is read aloud. */
const common = [['👍', 'Thumbs up'], ['❤️', 'Heart'], ['😂', 'Laughing'], ['🎉', 'Party'], ['😮', 'Surprised'], ['🙏', 'Thank you']];

/**
 * A row of emoji to choose from, and a field for any other.
 *
 * @param {(emoji: string) => void} onchoose
 */
export function emojiPicker(onchoose) {
  const field = h('input', { type: 'text', class: 'emoji-field', 'aria-label': 'Another emoji', placeholder: '+', autocomplete: 'off', maxlength: 32, size: 2 });
  const choose = (/** @type {string} */ emoji) => {
    closeMenu(picker);
    onchoose(emoji);
  };
  const picker = h('div', { class: 'emoji-picker', role: 'group', 'aria-label': 'React' },
    ...common.map(([emoji, name]) => h('button', { type: 'button', class: 'emoji-choice', 'aria-label': name, onclick: () => choose(emoji) }, emoji)),
    h('form', {
      class: 'emoji-other',
      onsubmit: (/** @type {SubmitEvent} */ event) => {
        event.preventDefault();
        const emoji = firstCharacter(field.value.trim());
        if (emoji) choose(emoji);
      },
    }, field));
  // Keyboards of phones and emoji panels put it in at once: there is no need for Enter.
  field.addEventListener('input', (event) => {
    const text = field.value.trim();
    const isPicture = /\p{Extended_Pictographic}|\p{Regional_Indicator}/u.test(text);
    if (isPicture && !(/** @type {InputEvent} */ (event).isComposing)) choose(firstCharacter(text));
  });
  return picker;
}

/**
 * What people see as the first character.
 *
 * @param {string} text
 */
export function firstCharacter(text) {
  if (!('Segmenter' in Intl)) return [...text][0] ?? '';
  const [first] = new Intl.Segmenter(undefined, { granularity: 'grapheme' }).segment(text);
  return first?.segment ?? '';
}
