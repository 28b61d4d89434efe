// @ts-check

import { h, set, setText } from './dom.js';
import { icon } from './icons.js';

/**
 * @typedef {import('./local-media.js').Device} Device
 * @typedef {import('./local-media.js').LocalMedia} LocalMedia
 */

/** @type {Record<Device, {icon: import('./icons.js').IconName, short: string, on: string, off: string}>} */
const words = {
  microphone: { icon: 'microphone', short: 'Mic', on: 'Mute microphone', off: 'Turn on microphone' },
  camera: { icon: 'camera', short: 'Camera', on: 'Turn off camera', off: 'Turn on camera' },
  screen: { icon: 'screen', short: 'Share', on: 'Stop sharing your screen', off: 'Share your screen' },
};

/**
 * A button that switches a device; its label says what a press does.
 *
 * @param {LocalMedia} media
 * @param {Device} device
 * @param {object} [rules]
 * @param {() => string | null} rules.obstacle why the device has to stay off, in a sentence
 * @param {(sentence: string) => void} rules.explain
 */
export function deviceButton(media, device, rules) {
  const { icon: drawing, short } = words[device];
  const label = h('span', { class: 'visually-hidden' });
  const picture = h('span', { class: 'picture' });
  const caption = h('span', { class: 'caption', 'aria-hidden': 'true' }, short);
  const toggle = () => {
    const obstacle = media.isOn(device) ? null : rules?.obstacle();
    if (obstacle) rules?.explain(obstacle);
    else void media.toggle(device);
  };
  const button = h('button', { type: 'button', class: 'control', 'data-device': device, onclick: toggle }, picture, caption, label);
  let shown = '';
  const render = () => {
    const on = media.isOn(device);
    const crossed = device !== 'screen' && !on;
    if (shown !== String(crossed)) picture.replaceChildren(icon(drawing, { crossed }));
    shown = String(crossed);
    set(button, 'data-on', on);
    set(button, 'aria-busy', media.pending.has(device) ? 'true' : null);
    const isBarred = !on && Boolean(rules?.obstacle());
    set(button, 'data-barred', isBarred);
    setText(caption, isBarred && device === 'microphone' ? 'Muted' : short);
    setText(label, on ? words[device].on : isBarred ? `${words[device].off}: not possible now` : words[device].off);
  };
  render();
  return { button, render };
}
