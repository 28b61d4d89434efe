// @ts-check

/**
 * @typedef {import('./room.js').Room} Room
 */

/** Refusals of what nobody waits for, and that a person can do nothing about. */
const unimportant = new Set(['connection_lost', 'hello_expected', 'peer_unavailable', 'stale_negotiation', 'unknown_type', 'session_full']);

/**
 * Tells this person what others do that concerns her or him.
 *
 * @param {Room} room
 * @param {(panel: 'people') => void} show
 * @param {() => boolean} seesPeople whether the list of people, and with it who waits, is in view
 * @returns {(() => void)[]} each stops listening
 */
export function announceRules(room, show, seesPeople) {
  const { client, media, notices } = room;
  /** @param {string | null} user */
  const who = (user) => client.presence.get(user ?? '')?.name ?? 'A host';
  /** @param {string} text @param {string} [topic] */
  const mention = (text, topic) => notices.say({ text, topic, passing: true });
  /** @type {Set<string>} */
  let known = new Set(client.waiting.people.map(({ user }) => user));

  const announceWaiting = () => {
    const own = client.you?.user;
    const people = client.leads ? client.waiting.people.filter(({ user }) => user !== own) : [];
    const fresh = people.filter(({ user }) => !known.has(user));
    known = new Set(people.map(({ user }) => user));
    if (people.length === 0 || seesPeople()) {
      notices.retract('waiting');
    } else if (fresh.length > 0) {
      const [first] = fresh;
      const text = people.length === 1 ? `${first.name} is waiting to come in.` : `${people.length.toLocaleString()} people are waiting to come in.`;
      const admit = () => client.moderation[people.length === 1 ? 'admit' : 'admitAll'](first.user);
      notices.say({
        text,
        topic: 'waiting',
        actions: [
          { label: people.length === 1 ? 'Let in' : 'Let all in', run: () => void room.attempt(admit) },
          { label: 'Show', run: () => show('people') },
        ],
      });
    }
  };

  return [
    client.on('muted', ({ on, by }) => {
      if (on) notices.say({ text: `${who(by)} has muted you. You can speak again when a host asks you to.`, topic: 'speaking' });
      else mention('You may turn on your microphone again.', 'speaking');
    }),
    client.on('unmute_asked', ({ by }) => notices.say({
      text: `${who(by)} asks you to speak.`,
      topic: 'speaking',
      actions: media.isOn('microphone') ? [] : [{ label: 'Turn on microphone', run: () => void media.switchOn('microphone') }],
    })),
    client.on('policy', ({ policy, former, by }) => {
      if (policy.muted === former.muted || client.leads) return;
      if (!policy.muted) mention('Everyone may speak again.', 'speaking');
      else if (policy.unmute_allowed) mention(`${who(by)} has muted everyone. Turn on your microphone when you want to speak.`, 'speaking');
      else notices.say({ text: `${who(by)} has muted everyone. You can speak when a host asks you to.`, topic: 'speaking' });
    }),
    client.on('hand_lowered', ({ by, all }) => mention(all ? `${who(by)} has lowered all hands.` : `${who(by)} has lowered your hand.`, 'hand')),
    client.on('role', ({ user, role, own }) => {
      if (own) mention(role === 'cohost' ? 'You are a co-host now: you can help to lead the class.' : 'You are not a co-host any more.', 'role');
      else if (client.leads) mention(`${client.presence.get(user)?.name ?? 'Somebody'} is ${role === 'cohost' ? 'a co-host now' : 'not a co-host any more'}.`);
    }),
    client.on('removed', ({ user, name, by, banned, on }) => {
      const actor = by === client.you?.user ? 'You have' : `${who(by)} has`;
      if (!banned) mention(`${actor} removed ${name}.`);
      else if (!on) mention(`${name || 'The person'} may come back.`, `ban ${user}`);
      else notices.say({
        text: `${actor} banned ${name}.`,
        topic: `ban ${user}`,
        passing: true,
        actions: [{ label: 'Undo the ban', run: () => void room.attempt(() => client.moderation.unban(user)) }],
      });
    }),
    client.on('starting', ({ by, text }) => notices.say({ text: text ? `${who(by)}: ${text}` : 'The class begins now.', topic: 'starting' })),
    client.on('waiting', announceWaiting),
    client.on('event', ({ type, kind, session, text }) => {
      if (type !== 'notification') return;
      // What happens in this class is seen; what happens to another one is told.
      if (session !== client.sessionId) mention(String(text), `about ${session}`);
      else if (kind === 'requested' && client.leads && !seesPeople()) {
        notices.say({ text: 'Somebody asks for a place in this class.', topic: 'requests', actions: [{ label: 'Show', run: () => show('people') }] });
      }
    }),
    client.on('problem', (error) => {
      if (!unimportant.has(error.code)) void room.attempt(() => Promise.reject(error));
    }),
  ];
}
