// @ts-check

/** @typedef {import('../sdk/protocol.js').RollcallError} RollcallError */

/**
 * What happened, and what one can do about it.
 *
 * @typedef {object} Explanation
 * @property {string} title
 * @property {string} text
 */

/** @type {Record<string, Explanation>} */
const refusals = {
  bad_token: {
    title: 'This link does not work',
    text: 'The link you followed is not valid for this server. Ask whoever invited you for a new one.',
  },
  token_expired: {
    title: 'This link has expired',
    text: 'Links to a class are valid for a limited time. Ask whoever invited you for a new one.',
  },
  access_ended: {
    title: 'Your access to this class has ended',
    text: 'It was given for a limited time. Go back to your course page and join from there again.',
  },
  bad_ticket: {
    title: 'This link was used before',
    text: 'A ticket opens the class once. Go back to your course page and join from there again.',
  },
  forbidden: {
    title: 'You cannot join this class',
    text: 'This class is only open to people who were invited. Ask the teacher to let you in.',
  },
  not_found: {
    title: 'There is no such class',
    text: 'We could not find a class with this id, or you may not see it. Check the link for a typing mistake.',
  },
  session_full: {
    title: 'This class is full',
    text: 'All seats are taken. As soon as somebody leaves you can try again.',
  },
};

/** @type {Record<string, string>} */
const sentences = {
  connection_lost: 'The connection was lost. Please try again.',
  unconfirmed: 'We could not confirm that this arrived.',
  forbidden: 'You do not have the right to do this.',
  wrong_state: 'This is not possible now: the class has not started, or is over.',
  invalid_field: 'The server did not accept this. It may be too long, or empty.',
  unavailable: 'The server cannot do this right now. Please try again in a moment.',
  internal_error: 'Something went wrong on the server. Please try again.',
  not_joined: 'You are not in the class at the moment.',
};

/**
 * Why the class was not entered.
 *
 * @param {RollcallError | null} error
 * @param {number} code the close code
 * @returns {Explanation}
 */
export function explainRefusal(error, code) {
  if (error) return refusals[error.code] ?? { title: 'You cannot join right now', text: explain(error) };
  if (code === 4500) return refusals.bad_token;
  if (code === 4501) return refusals.access_ended;
  return { title: 'The connection was closed', text: 'The server has closed the connection. You can try to join again.' };
}

/**
 * One sentence for a command that failed.
 *
 * @param {unknown} error
 * @returns {string}
 */
export function explain(error) {
  const { code, message } = /** @type {RollcallError} */ (error);
  return sentences[code] ?? (message || 'Something went wrong. Please try again.');
}

/**
 * Why a device stays off, and that the class goes on without it.
 *
 * @param {'camera' | 'microphone' | 'screen'} device
 * @param {any} error
 * @returns {string}
 */
export function explainDevice(device, error) {
  const still = device === 'microphone' ? 'You can still see, hear and write.' : 'You can still see, hear and take part.';
  if (device === 'screen') return 'Your screen is not shared: the browser did not allow it.';
  if (!navigator.mediaDevices) return `Browsers only allow the ${device} over https. ${still}`;
  switch (error?.name) {
    case 'NotAllowedError':
    case 'SecurityError':
      return `Your browser does not let this page use the ${device}. Allow it in the address bar, then try again. ${still}`;
    case 'NotFoundError':
    case 'OverconstrainedError':
      return `No ${device} was found on this device. ${still}`;
    case 'NotReadableError':
    case 'AbortError':
      return `The ${device} could not be opened. Another program may be using it. ${still}`;
    default:
      return `The ${device} could not be switched on. ${still}`;
  }
}

/** @param {string} role */
export function roleName(role) {
  return { host: 'Host', cohost: 'Co-host', admin: 'Admin', observer: 'Observer' }[role] ?? '';
}
