// @ts-check

import { confirmDialog } from './confirm-dialog.js';

/**
 * @typedef {import('./room.js').Room} Room
 * @typedef {import('./menu.js').MenuItem} MenuItem
 * @typedef {import('../sdk/protocol.js').Participant} Participant
 */

/**
 * What the reader can do about somebody, by the roles of both; the server has the last word.
 *
 * @param {Room} room
 * @param {string} user
 * @returns {MenuItem[]}
 */
export function personActions(room, user) {
  const { client } = room;
  const person = client.presence.get(user);
  const role = client.you?.role;
  if (!person || !client.leads) return [];
  const { moderation, rules } = client;
  const own = user === client.you?.user;
  const isAbove = person.role === 'host' || person.role === 'admin' || (person.role === 'cohost' && role === 'cohost');
  /** @type {MenuItem[]} */
  const items = [];
  /** @type {(label: string, run: () => Promise<any>) => void} */
  const offer = (label, run) => {
    items.push({ label, run: () => void room.attempt(run) });
  };

  if (!own && !isAbove) {
    if (person.audio_enabled) offer('Mute', () => moderation.mute(user));
    else {
      offer('Ask to unmute', () => moderation.askToUnmute(user));
      if (!person.muted) offer('Keep muted', () => moderation.mute(user));
    }
    if (person.muted) offer('Allow to unmute', () => moderation.mute(user, false));
  }
  if (!own && person.hand) offer('Lower hand', () => moderation.lowerHand(user));
  const isShown = rules.spotlight === user;
  offer(isShown ? 'Stop showing large to everyone' : 'Show large to everyone', () => moderation.spotlight(user, !isShown));
  if (own || isAbove) return items;
  if (person.role === 'participant') {
    const isInvited = rules.stage.invited.includes(user);
    if (isInvited || person.on_stage) offer('Take off the stage', () => moderation.takeOffStage(user));
    if (!isInvited && rules.stage.mode === 'invited') offer('Invite to the stage', () => moderation.inviteToStage(user));
  }
  if (role !== 'cohost') {
    if (person.role === 'cohost') offer('Take back co-host rights', () => moderation.demote(user));
    else if (person.role === 'participant') offer('Make co-host', () => moderation.promote(user));
  }
  items.push({
    label: 'Remove…',
    danger: true,
    run: () => room.ask(confirmDialog({
      title: `Remove ${person.name}?`,
      text: 'The person is sent out of the class now, and may join again. Attendance ends here.',
      action: 'Remove',
      run: () => moderation.remove(user),
    })),
  }, {
    label: 'Ban…',
    danger: true,
    run: () => room.ask(confirmDialog({
      title: `Ban ${person.name}?`,
      text: 'The person is sent out of the class, and cannot come back to it, with any link.',
      action: 'Ban',
      run: () => moderation.ban(user),
    })),
  });
  return items;
}
