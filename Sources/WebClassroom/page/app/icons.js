// @ts-check

/** Line drawings on a grid of 24: each a list of path data. */
const drawings = {
  bell: ['M6.5 16.5v-5.500a5.500 5.500 0 0 1 11 0v5.500l1.500 1.500h-14z', 'M10 20.300c.5.700 1.200 1 2 1s1.500-.300 2-1'],
  camera: ['M4.5 6.5h9a1.5 1.5 0 0 1 1.5 1.5v8a1.5 1.5 0 0 1-1.5 1.5h-9a1.5 1.5 0 0 1-1.5-1.5v-8a1.5 1.5 0 0 1 1.5-1.5z', 'M15 10.5l6-3v9l-6-3'],
  chat: ['M5.5 5h13a1.5 1.5 0 0 1 1.5 1.5v8.5a1.5 1.5 0 0 1-1.5 1.5h-8.5l-4.5 3.5v-3.5a1.5 1.5 0 0 1-1.5-1.5v-8.5a1.5 1.5 0 0 1 1.5-1.5z'],
  check: ['M5 12.5l4.5 4.5 9.5-10'],
  close: ['M6.5 6.5l11 11', 'M17.5 6.5l-11 11'],
  down: ['M12 5v14', 'M6 13l6 6 6-6'],
  hand: ['M8 12.5v-6.200a1.300 1.300 0 0 1 2.600 0v4.700', 'M10.600 11v-6.200a1.300 1.300 0 0 1 2.600 0v6.200', 'M13.200 11.200v-5.200a1.300 1.300 0 0 1 2.600 0v7.5', 'M8 12.5l-1.800-2.200a1.400 1.400 0 0 0-2.200 1.700l3.600 5.600c1.100 1.900 2.700 2.900 5 2.900 3.400 0 5.800-2.200 5.800-5.800v-4.700a1.300 1.300 0 0 0-2.600 0'],
  leave: ['M13 4.5h4.5a1.5 1.5 0 0 1 1.5 1.5v12a1.5 1.5 0 0 1-1.5 1.5h-4.5', 'M9 8l-4 4 4 4', 'M5 12h9'],
  lost: ['M3 9.5c5-4.700 13-4.700 18 0', 'M6.5 13c3.200-3 7.800-3 11 0', 'M10 16.5c1.200-1 2.800-1 4 0', 'M12 19.5v.01', 'M4.5 4.5l15 15'],
  lock: ['M6.5 10.5h11a1 1 0 0 1 1 1v7a1 1 0 0 1-1 1h-11a1 1 0 0 1-1-1v-7a1 1 0 0 1 1-1z', 'M8 10.5v-2.5a4 4 0 0 1 8 0v2.5'],
  manage: ['M4 7h9', 'M17 7h3', 'M15 5v4', 'M4 12h3', 'M11 12h9', 'M9 10v4', 'M4 17h11', 'M19 17h1', 'M17 15v4'],
  microphone: ['M12 3.5a2.800 2.800 0 0 1 2.800 2.800v5.400a2.800 2.800 0 0 1-5.600 0v-5.400a2.800 2.800 0 0 1 2.800-2.800z', 'M5.5 11.5a6.5 6.5 0 0 0 13 0', 'M12 18v2.5'],
  more: ['M6 12h.01', 'M12 12h.01', 'M18 12h.01'],
  people: ['M9 4.5a3.300 3.300 0 1 1 0 6.600 3.300 3.300 0 0 1 0-6.600z', 'M2.800 19.5c.4-3.700 2.700-5.5 6.200-5.5s5.800 1.800 6.200 5.5', 'M15.5 5a3.200 3.200 0 0 1 0 5.800', 'M17.5 14.300c2.200.7 3.5 2.400 3.800 5.200'],
  pin: ['M9 4h6l-.700 5.5 3.200 3.5h-11l3.200-3.5z', 'M12 13v7'],
  reply: ['M9.5 7l-5 5 5 5', 'M4.5 12h9.5a5.5 5.5 0 0 1 5.5 5.5v1'],
  screen: ['M4.5 4.5h15a1.5 1.5 0 0 1 1.5 1.5v9a1.5 1.5 0 0 1-1.5 1.5h-15a1.5 1.5 0 0 1-1.5-1.5v-9a1.5 1.5 0 0 1 1.5-1.5z', 'M8.5 20h7', 'M12 13.5v-6', 'M9.300 10l2.700-2.700 2.700 2.700'],
  spotlight: ['M12 4l2.400 5 5.400.700-4 3.800 1 5.400-4.800-2.600-4.800 2.600 1-5.400-4-3.800 5.400-.700z'],
  send: ['M4.5 12l15.5-7.5-5.5 15.5-3-6.5z', 'M11.5 13.5l8.5-9'],
};

const namespace = 'http://www.w3.org/2000/svg';

/** @typedef {keyof typeof drawings} IconName */

/**
 * A decorative drawing; the button or text beside it says what it means.
 *
 * @param {IconName} name
 * @param {{crossed?: boolean}} [options] `crossed` draws a bar through it: it is off
 */
export function icon(name, options = {}) {
  const svg = document.createElementNS(namespace, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  svg.setAttribute('class', 'icon');
  for (const data of options.crossed ? [...drawings[name], 'M4 4l16 16'] : drawings[name]) {
    const path = document.createElementNS(namespace, 'path');
    path.setAttribute('d', data);
    svg.append(path);
  }
  return svg;
}
