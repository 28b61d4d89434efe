import Classroom
import SignalingProtocol

/// The live state of a session: its classroom, and who is connected to it.
final class Room {
  /// Somebody whose every connection is lost and who may still come back.
  struct Detachment {
    /// When the person was last heard.
    var since: Timestamp
    /// Whether that had to be reconstructed after a crash.
    var isEstimated: Bool
    /// When waiting for the person ends.
    var deadline: Timestamp
  }

  var classroom: Classroom
  var presence = Presence()
  var audience = Audience()
  /// By their id, those whose connection is lost included.
  var peers: [String: Peer] = [:]
  /// Until then a peer may have its address back from its token: nobody has been told that it is gone, only this server
  /// does not remember it.
  var restoresPeersUntil: Timestamp?
  /// By user.
  var detachments: [String: Detachment] = [:]
  /// When those with several connections were last heard on one that is gone.
  var lastHeard: [String: Timestamp] = [:]
  /// The connections that wait for the start.
  var waitingConnections: Set<ConnectionID> = []
  /// How many connections of each user wait for the start.
  var waiting: [String: Int] = [:]
  /// Whether the number of those who wait has changed since it was told.
  var hasWaitingChanges = false
  /// The count that all subscribers of `count` were told, or nil when some of them were told another.
  var announcedCount: Int? = 0
  /// Whether a presence flush is due.
  var isFlushScheduled = false
  /// The journal position of this room's last record.
  var position: UInt64 = 0
  /// Whether the session lies in the archive and is in memory for a while.
  var isLoaded = false
  /// Whether somebody has asked for the session since that was last looked at.
  var hasVisitors = false
  /// Set while the classroom rests on records that are void.
  var frozen: Frozen?
  /// Whom differences were about that may be told only with the record at the position.
  var untold: [(position: UInt64, users: [String])] = []

  /// What was told of a session whose classroom in memory cannot be trusted.
  struct Frozen {
    /// The number of the newest event of the stream.
    var streamSequence: UInt64 = 0
    var status = SessionStatus.scheduled
  }

  /// Whether the classroom rests on records that are void.
  var isFrozen: Bool { frozen != nil }

  init(_ classroom: Classroom) {
    self.classroom = classroom
  }
}

/// A connection in a room.
struct Member {
  enum State {
    /// The session has not started.
    case waiting
    /// In the class; observers have no peer.
    case present(Peer?)
    /// The session is over; reads.
    case reading
  }

  let room: Room
  let actor: Actor
  /// Grows with each join: who waits longer comes in first.
  let ordinal: UInt64
  var mode: PresenceMode
  var state: State
  /// Set while missed events are on their way.
  var catchUp: CatchUp?
  /// What the connection was told last, nil while even its coming waits for the disk.
  var told: Standing?

  /// How a member listens.
  struct Standing {
    var state: State
    var mode: PresenceMode
    /// The number of the last event that is on its way while it gets those that it missed.
    var cursor: UInt64?
  }

  /// How far a client is that gets the events it missed.
  struct CatchUp {
    /// The number of the last event that is on its way.
    var cursor: UInt64
    /// The number of the outbox entry with that event.
    var entry: UInt64
  }

  var peer: Peer? {
    if case .present(let peer) = state { peer } else { nil }
  }
}
