// @ts-check

/** The browser SDK of Rollcall: a session's member (`RollcallClient`), its video calls (`CallMesh`), and the list of sessions (`SessionList`). */
export { Backoff } from './backoff.js';
export { Call } from './call.js';
export { Chat } from './chat.js';
export { ChatLog } from './chat-log.js';
export { Connection } from './connection.js';
export { RollcallClient } from './client.js';
export { CallMesh } from './mesh.js';
export { Moderation } from './moderation.js';
export { PresenceSet } from './presence.js';
export { RollcallError, leads, randomKey, reconnects, subprotocol } from './protocol.js';
export { Rules } from './rules.js';
export { SessionList } from './session-list.js';
