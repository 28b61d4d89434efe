// @ts-check

import { h } from './dom.js';

/** How many colours the style sheet has for people. */
const tones = 6;

/**
 * @param {string} user
 * @param {string} name
 */
export function avatar(user, name) {
  return h('span', { class: 'avatar', 'data-tone': tone(user), 'aria-hidden': 'true' }, initials(name));
}

/**
 * The first letters of the first and the last word.
 *
 * @param {string} name
 */
export function initials(name) {
  const words = name.trim().split(/\s+/u).filter(Boolean);
  const chosen = words.length > 1 ? [words[0], words[words.length - 1]] : words;
  const letters = chosen.map((word) => [...word][0] ?? '').join('');
  return letters.toLocaleUpperCase() || '?';
}

/** @param {string} user */
function tone(user) {
  let sum = 0;
  for (const character of user) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) >>> 0;
  return sum % tones;
}
