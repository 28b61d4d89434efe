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
 */
export function deviceButton(media, device) {
  const { icon: drawing, short } = words[device];
  const label = h('span', { class: 'visually-hidden' });
  const picture = h('span', { class: 'picture' });
  const button = h(
    'button',
    { type: 'button', class: 'control', 'data-device': device, onclick: () => media.toggle(device) },
    picture,
    h('span', { class: 'caption', 'aria-hidden': 'true' }, short),
    label,
  );
  let shown = '';
  const render = () => {
    const on = media.isOn(device);
    const crossed = device !== 'screen' && !on;
    if (shown !== String(crossed)) picture.replaceChildren(icon(drawing, { crossed }));
    shown = String(crossed);
    set(button, 'data-on', on);
    set(button, 'aria-busy', media.pending.has(device) ? 'true' : null);
    setText(label, on ? words[device].on : words[device].off);
  };
  render();
  return { button, render };
}
