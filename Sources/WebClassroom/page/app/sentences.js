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
  locked: {
    title: 'This class is locked',
    text: 'The host lets nobody new in at the moment. You can try again later.',
  },
  denied: {
    title: 'You were not let in',
    text: 'The host has decided not to let you into this class. If you think that this is a mistake, write to the host.',
  },
  banned: {
    title: 'You cannot join this class',
    text: 'A host has sent you out of this class for good.',
  },
  removed: {
    title: 'You were sent out of the class',
    text: 'A host has removed you. Your attendance has been recorded until now.',
  },
  left_elsewhere: {
    title: 'You left the class',
    text: 'You have left on another device, or a host has recorded that you did.',
  },
  session_cancelled: {
    title: 'This class was cancelled',
    text: 'It will not take place.',
  },
  session_deleted: {
    title: 'This class does not exist any more',
    text: 'The host has deleted it.',
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
  stage_full: 'As many people as may are sending sound or pictures already. Wait until a place is free, or ask the host.',
  stage_closed: 'Only people whom a host has invited may send sound or pictures now. You still see and hear everybody.',
  stage_removed: 'A host has taken you off the stage: your microphone and camera are off.',
  audio_only: 'This class is held by sound alone: cameras and screens stay off.',
  muted: 'You are muted. You can speak again when a host asks you to.',
  chat_closed: 'The chat is closed at the moment.',
  slow_mode: 'Please wait a little before your next message.',
  no_such_participant: 'This person is not in the class any more.',
  no_such_message: 'This message does not exist any more.',
  not_on_list: 'This person is not waiting any more.',
  limit_reached: 'There are as many as there can be.',
  rate_limited: 'That was too fast. Please wait a moment, then try again.',
  already_registered: 'You have asked to join already. The host will decide.',
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
  if (error?.code === 'session_cancelled' && error.details.reason) {
    return { ...refusals.session_cancelled, text: `The reason: ${error.details.reason}` };
  }
  if (error) return refusals[error.code] ?? { title: 'You cannot join right now', text: explain(error) };
  if (code === 4500) return refusals.bad_token;
  if (code === 4501) return refusals.access_ended;
  if (code === 4502) return refusals.removed;
  if (code === 4503) return refusals.banned;
  if (code === 4510) return refusals.left_elsewhere;
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
