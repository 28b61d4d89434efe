// @ts-check

import { h, set, setText } from './dom.js';
import { icon } from './icons.js';

/** @typedef {import('./room.js').Room} Room */

/**
 * The button that raises and lowers one's own hand; it says at which place of the queue it is.
 *
 * @param {Room} room
 */
export function handButton(room) {
  const { client } = room;
  const caption = h('span', { class: 'caption', 'aria-hidden': 'true' }, 'Hand');
  const label = h('span', { class: 'visually-hidden' });
  const button = h('button', { type: 'button', class: 'control hand', onclick: () => toggle() },
    h('span', { class: 'picture' }, icon('hand')), caption, label);
  const toggle = async () => {
    if (button.hasAttribute('aria-busy')) return;
    set(button, 'aria-busy', 'true');
    await room.attempt(() => client.setHand(!isUp()));
    set(button, 'aria-busy', null);
  };
  const isUp = () => client.self?.hand !== undefined && client.self.hand !== null;
  const render = () => {
    const place = client.presence.hands.findIndex(({ user }) => user === client.you?.user) + 1;
    set(button, 'hidden', client.you?.role === 'observer');
    set(button, 'data-on', isUp());
    set(button, 'aria-pressed', String(isUp()));
    setText(caption, isUp() ? `${place}.` : 'Hand');
    setText(label, isUp() ? `Lower your hand: it is number ${place} in the queue` : 'Raise your hand');
  };
  render();
  return { button, render };
}
