// @ts-check

/** The browser SDK of Rollcall: a session's member (`RollcallClient`) and its video calls (`CallMesh`). */
export { Backoff } from './backoff.js';
export { Call } from './call.js';
export { ChatLog } from './chat-log.js';
export { Connection } from './connection.js';
export { RollcallClient } from './client.js';
export { CallMesh } from './mesh.js';
export { PresenceSet } from './presence.js';
export { RollcallError, randomKey, reconnects, subprotocol } from './protocol.js';
