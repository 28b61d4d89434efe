// @ts-check

/**
 * @typedef {object} Link
 * @property {string | null} session
 * @property {string} name a name to begin with
 * @property {MediaTrackConstraints} video
 */

/** Under which name the token is kept that is good for more than one session. */
const account = 'rollcall account';

/**
 * Reads `#session=ID&token=…&name=…&video=WxHxF`, keeps for this tab what must not stay in the
 * address, and strips it. A token that is not for one session alone opens the list of sessions, too.
 *
 * @returns {Link}
 */
export function readLink() {
  const parameters = new URLSearchParams(location.hash.slice(1));
  const session = parameters.get('session')?.trim() || null;
  const token = parameters.get('token');
  const video = parameters.get('video');
  if (token && peek(token).session === null) store(account, token);
  if (session && token) {
    if (recall(session).token !== token) forget(session);
    remember(session, { token });
  }
  if (video) store('rollcall video', video);
  const name = parameters.get('name') ?? '';
  if (token || video || name) {
    history.replaceState(null, '', `${location.pathname}${session ? `#session=${encodeURIComponent(session)}` : ''}`);
  }
  return { session, name: name.slice(0, 60), video: constraints(load('rollcall video')) };
}

/**
 * @typedef {object} Memory what this tab knows of a session
 * @property {string} [token] of the link
 * @property {string} [guestToken]
 * @property {string} [name]
 * @property {boolean} [joined] whether a reload goes straight back in
 */

/**
 * @param {string} session
 * @returns {Memory}
 */
export function recall(session) {
  try {
    return JSON.parse(load(`rollcall session ${session}`) ?? '{}');
  } catch {
    return {};
  }
}

/**
 * @param {string} session
 * @param {Memory} memory
 */
export function remember(session, memory) {
  store(`rollcall session ${session}`, JSON.stringify({ ...recall(session), ...memory }));
}

/** @param {string} session */
export function forget(session) {
  try {
    sessionStorage.removeItem(`rollcall session ${session}`);
  } catch {
    // Storage is switched off: nothing was kept.
  }
}

/** The token that is good for more than one session, if there is one. */
export function accountToken() {
  return load(account);
}

/** That token is of no use any more. */
export function forgetAccount() {
  try {
    sessionStorage.removeItem(account);
  } catch {
    // Storage is switched off: nothing was kept.
  }
}

/**
 * What a token says about its owner, for display only: the server alone can check it.
 *
 * @param {string} token
 * @returns {{name: string | null, session: string | null}}
 */
export function peek(token) {
  try {
    const payload = token.split('.')[1].replaceAll('-', '+').replaceAll('_', '/');
    const bytes = Uint8Array.from(atob(payload), (character) => character.charCodeAt(0));
    const { name, session } = JSON.parse(new TextDecoder().decode(bytes));
    return { name: typeof name === 'string' ? name : null, session: typeof session === 'string' ? session : null };
  } catch {
    // It is no token, and the server will say so.
    return { name: null, session: '' };
  }
}

/** @param {string | null} text such as `160x120x10` */
function constraints(text) {
  const match = /^(\d{2,4})x(\d{2,4})x(\d{1,2})$/.exec(text ?? '');
  const [width, height, frameRate] = match ? match.slice(1).map(Number) : [640, 360, 24];
  return { width: { ideal: width }, height: { ideal: height }, frameRate: { ideal: frameRate, max: frameRate } };
}

/** @param {string} key */
function load(key) {
  try {
    return sessionStorage.getItem(key);
  } catch {
    return null;
  }
}

/**
 * @param {string} key
 * @param {string} value
 */
function store(key, value) {
  try {
    sessionStorage.setItem(key, value);
  } catch {
    // Without storage a reload asks for the name again.
  }
}
