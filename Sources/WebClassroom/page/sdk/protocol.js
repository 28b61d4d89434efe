// @ts-check

/** The WebSocket subprotocol that this SDK speaks. */
export const subprotocol = 'rollcall.v1';

/**
 * @typedef {'host' | 'cohost' | 'participant' | 'observer' | 'admin'} Role
 * @typedef {'waiting' | 'present' | 'ended'} JoinState
 * @typedef {'full' | 'hosts' | 'count' | 'none'} PresenceMode
 * @typedef {'offer' | 'answer' | 'candidate' | 'end_of_candidates' | 'bye'} SignalKind
 *
 * @typedef {object} User
 * @property {string} id
 * @property {string} name
 * @property {Role} role
 * @property {boolean} guest
 * @property {string} [first_name]
 * @property {string} [last_name]
 * @property {string} [username]
 * @property {string} [avatar] the address of a picture
 *
 * @typedef {object} Participant
 * @property {string} user
 * @property {string} name
 * @property {Role} role
 * @property {string} joined_at
 * @property {boolean} audio_enabled
 * @property {boolean} video_enabled
 * @property {boolean} screen_enabled
 * @property {string[]} peers addresses for signals, one for each tab
 * @property {boolean} [on_stage] may send sound and pictures without asking
 * @property {boolean} reconnecting no connection of the person is up; it may come back
 * @property {number} [hand] the place of the hand that is up: lower came first
 * @property {boolean} [muted] was muted, and may not turn the microphone on
 * @property {boolean} [away] looks at none of the connected tabs
 *
 * @typedef {object} ChatMessage
 * @property {number} seq
 * @property {number} at Unix time in milliseconds
 * @property {string} message_id
 * @property {string} user
 * @property {string} name
 * @property {Role} role
 * @property {string} text plain text, never HTML
 * @property {boolean} [erased] author and text were erased: `text` is empty, `user` and `name` are a pseudonym
 * @property {boolean} [deleted] the text was taken back: it is empty
 * @property {string} [reply_to] the id of the message that this one answers
 * @property {string} [edited_at] when the author last changed the text
 * @property {{emoji: string, count: number, mine?: boolean}[]} [reactions] in the order in which each kind came up first
 * @property {'hosts'} [to] said to the hosts alone
 *
 * @typedef {object} Session
 * @property {string} id
 * @property {string} title
 * @property {string} description
 * @property {string} instructor
 * @property {'video' | 'audio' | 'in_person'} [kind]
 * @property {string} status
 * @property {boolean} is_live
 * @property {number} rev
 * @property {string} [host]
 * @property {string | null} [scheduled_at]
 * @property {string} [time_zone] IANA
 * @property {number} [duration_minutes]
 * @property {number | null} [capacity]
 * @property {'open' | 'registered' | 'approval'} [admission]
 * @property {boolean} [waiting_room] as planned; `Policy.waiting_room` is how it is now
 * @property {string | null} [reason] what was said about the last change of state
 * @property {string} [course]
 * @property {string[]} [tags]
 * @property {{title: string, url: string}[]} [materials]
 * @property {string | null} [video_url]
 * @property {string | null} [recording_url]
 * @property {string | null} started_at
 * @property {string | null} ended_at
 *
 * @typedef {object} Policy how people may behave in the room
 * @property {boolean} muted everybody but those who lead is muted
 * @property {boolean} unmute_allowed who is muted by `muted` may unmute alone
 * @property {boolean} locked nobody new gets in
 * @property {'open' | 'hosts' | 'off'} chat who may write
 * @property {number} slow_mode_seconds how long a participant waits from one message to the next
 * @property {boolean} [waiting_room] left out while it is as the session was planned
 *
 * @typedef {object} StageRule who may send sound and pictures
 * @property {'open' | 'invited'} mode
 * @property {number | null} places
 * @property {string[]} invited
 *
 * @typedef {object} WaitingPerson
 * @property {string} user
 * @property {string} name
 * @property {Role} [role] to who leads the class, as are the next two
 * @property {string} [since]
 * @property {boolean} [approved] false for who knocks
 *
 * @typedef {object} Waiting
 * @property {boolean} approved whether the reader, who waits, may come in when people are let in
 * @property {number} count to who waits: those who may come in, the reader included; to who leads: all
 * @property {WaitingPerson[]} people
 *
 * @typedef {object} PresenceSnapshot
 * @property {PresenceMode} mode
 * @property {number} presence_seq
 * @property {number} count
 * @property {Participant[]} participants
 * @property {string | null} next
 *
 * @typedef {object} PresenceDiff
 * @property {number} presence_seq
 * @property {number} count
 * @property {Participant[]} [joined]
 * @property {Participant[]} [updated]
 * @property {{user: string}[]} [left]
 *
 * @typedef {object} Joined
 * @property {JoinState} state
 * @property {{user: string, name: string, role: Role, hand?: number, muted?: boolean}} you
 * @property {string} [peer] this tab's address for signals
 * @property {number} [signal_seq] the number before that of the next signal
 * @property {Session} session
 * @property {string} epoch
 * @property {Record<string, number>} [streams]
 * @property {PresenceSnapshot} [presence]
 * @property {{messages: ChatMessage[], has_more: boolean, pinned?: ChatMessage[]}} [chat]
 * @property {Partial<Waiting>} [waiting]
 * @property {Policy} [policy]
 * @property {string | null} [spotlight]
 * @property {StageRule} [stage]
 * @property {RTCIceServer[]} [ice_servers]
 * @property {RTCIceTransportPolicy} [ice_transport_policy]
 * @property {string | null} [ice_expires_at] when the credentials end; new ones come before
 * @property {string} resume_token
 * @property {boolean} recovered every missed event follows; else this is the whole state
 * @property {string} [not_recovered] why not, when it was asked for
 * @property {boolean} [signals_recovered] whether every missed signal follows, when the address was kept
 *
 * @typedef {object} SessionStatus
 * @property {string} status
 * @property {boolean} is_live
 * @property {number} rev
 * @property {number} [seq]
 * @property {string | null} [by]
 * @property {string | null} [reason]
 * @property {string | null} [scheduled_at]
 * @property {string} [time_zone]
 * @property {number} [duration_minutes]
 * @property {string | null} started_at
 * @property {string | null} ended_at
 *
 * @typedef {object} Signal
 * @property {string} from
 * @property {boolean} polite whether the reader is the polite side of this pair
 * @property {SignalKind} kind
 * @property {string} [negotiation]
 * @property {any} payload
 * @property {number} signal_seq
 */

/** What the server refused, or what became of a command that could not be answered. */
export class RollcallError extends Error {
  /**
   * @param {string} code of the registry `errors.json`; or `connection_lost`, `unconfirmed`
   * @param {string} [message]
   * @param {{retryable?: boolean, details?: Record<string, any>}} more
   */
  constructor(code, message = code, { retryable = false, details = {} } = {}) {
    super(message);
    this.name = 'RollcallError';
    this.code = code;
    this.retryable = retryable;
    this.details = details;
  }

  /** @param {any} message an `error` of the server */
  static from(message) {
    return new RollcallError(String(message.code), String(message.message ?? message.code), {
      retryable: message.retryable === true,
      details: message.details ?? {},
    });
  }
}

/** The close code of a connection whose token ended without having been renewed. */
export const tokenExpired = 4501;

/**
 * Whether a client comes back after this close (registry `close-codes.json`).
 *
 * @param {number} code
 */
export function reconnects(code) {
  return code < 4500 && code !== 1000 && code !== 1008;
}

/**
 * Whether a role leads the class.
 *
 * @param {string | undefined} role
 */
export function leads(role) {
  return role === 'host' || role === 'cohost' || role === 'admin';
}

/** A random name for one command, so that its repetition does nothing twice. */
export function randomKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
