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
    /// Whether the person asked over HTTP to come in.
    var isByRequest = false
  }

  var classroom: Classroom
  /// Since when nobody is in, if the session is live.
  var emptySince: Timestamp?
  /// Whether a snapshot has said that the session was deleted.
  var isBuried = false
  /// Whether a presence flush is due.
  var isFlushScheduled = false
  /// Whether those who lead the class are about to be told how attendance stands.
  var isSummaryScheduled = false
  /// Whether the session lies in the archive and is in memory for a while.
  var isLoaded = false
  /// Whether somebody has asked for the session since that was last looked at.
  var hasVisitors = false
  /// When the server has to look after the session next.
  var agendaDue: Timestamp?
  /// The journal position of this room's last record.
  var position: UInt64 = 0
  /// Set while the classroom rests on records that are void.
  var frozen: Frozen?
  /// How many people the catalog was told are in, and ever were.
  var publishedCounts: (present: Int32, joined: Int32) = (0, 0)

  /// What only a room has to which people come.
  private final class Live {
    var presence = Presence()
    let audience = Audience()
    var peers: [String: Peer] = [:]
    var restoresPeersUntil: Timestamp?
    var detachments: [String: Detachment] = [:]
    var lastHeard: [String: Timestamp] = [:]
    var waitingConnections: Set<ConnectionID> = []
    var waitingByUser: [String: [ConnectionID]] = [:]
    var waiting: [String: Int] = [:]
    var hasWaitingChanges = false
    var hasLobbyChanges = false
    var hasToldLobby = false
    var announcedCount: Int? = 0
    var typing = Typing()
    var untold: [(position: UInt64, users: [String])] = []
  }

  /// Nil as long as nobody has come: most sessions wait for their time, with nobody in them.
  private var storedLive: Live?

  private var live: Live {
    if let storedLive { return storedLive }
    let live = Live()
    storedLive = live
    return live
  }

  var presence: Presence {
    _read { yield live.presence }
    _modify { yield &live.presence }
  }

  var audience: Audience { live.audience }

  /// By their id, those whose connection is lost included.
  var peers: [String: Peer] {
    _read { yield live.peers }
    _modify { yield &live.peers }
  }

  /// Until then a peer may have its address back from its token: nobody has been told that it is gone, only this server
  /// does not remember it.
  var restoresPeersUntil: Timestamp? {
    _read { yield live.restoresPeersUntil }
    _modify { yield &live.restoresPeersUntil }
  }

  /// By user.
  var detachments: [String: Detachment] {
    _read { yield live.detachments }
    _modify { yield &live.detachments }
  }

  /// When those with several connections were last heard on one that is gone.
  var lastHeard: [String: Timestamp] {
    _read { yield live.lastHeard }
    _modify { yield &live.lastHeard }
  }

  /// The connections that wait for the start, or for a host.
  var waitingConnections: Set<ConnectionID> {
    _read { yield live.waitingConnections }
    _modify { yield &live.waitingConnections }
  }

  /// The connections of each user who waits, those who only knock included.
  var waitingByUser: [String: [ConnectionID]] {
    _read { yield live.waitingByUser }
    _modify { yield &live.waitingByUser }
  }

  /// How many connections of each user wait, of those who are seen and may come in.
  var waiting: [String: Int] {
    _read { yield live.waiting }
    _modify { yield &live.waiting }
  }

  /// Whether the number of those who wait has changed since it was told.
  var hasWaitingChanges: Bool {
    _read { yield live.hasWaitingChanges }
    _modify { yield &live.hasWaitingChanges }
  }

  /// Whether who waits has changed since the hosts were told.
  var hasLobbyChanges: Bool {
    _read { yield live.hasLobbyChanges }
    _modify { yield &live.hasLobbyChanges }
  }

  /// Whether the hosts were ever told of somebody who waits.
  var hasToldLobby: Bool {
    _read { yield live.hasToldLobby }
    _modify { yield &live.hasToldLobby }
  }

  /// The count that all subscribers of `count` were told, or nil when some of them were told another.
  var announcedCount: Int? {
    _read { yield live.announcedCount }
    _modify { yield &live.announcedCount }
  }

  /// Who is typing.
  var typing: Typing {
    _read { yield live.typing }
    _modify { yield &live.typing }
  }

  /// Whom differences were about that may be told only with the record at the position.
  var untold: [(position: UInt64, users: [String])] {
    _read { yield live.untold }
    _modify { yield &live.untold }
  }

  /// What was told of a session whose classroom in memory cannot be trusted.
  final class Frozen {
    /// The number of the newest event of the stream.
    var streamSequence: UInt64 = 0
    var status = SessionStatus.scheduled
    /// How people behave, and the numbers of the streams that not everybody gets.
    let conduct: Conduct

    init(conduct: Conduct) {
      self.conduct = conduct
    }
  }

  /// Whether the classroom rests on records that are void.
  var isFrozen: Bool { frozen != nil }

  /// How people behave, as far as it can be trusted.
  var conduct: Conduct { frozen?.conduct ?? classroom.conduct }

  private var counts: (present: Int32, joined: Int32) {
    (Int32(clamping: classroom.attendance.activeCount), Int32(clamping: classroom.attendance.rows.count))
  }

  /// Whether the catalog knows how many people are in, and ever were.
  var isPublished: Bool { publishedCounts == counts }

  /// The catalog is told.
  func notePublished() { publishedCounts = counts }

  init(_ classroom: Classroom) {
    self.classroom = classroom
  }

  /// Presence shows somebody, as what the session knows of the person.
  func show(_ user: String, name: String, role: Role, at time: Timestamp) {
    presence.enter(user: user, name: name, role: role, at: time)
    showMarks(of: user)
  }

  /// Presence shows what the session knows of somebody.
  func showMarks(of user: String) { presence.setMarks(conduct.marks(of: user), of: user) }
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
  var actor: Actor
  /// The role that the member came with, before what hosts decided in the session.
  var granted: Role
  /// Grows with each join: who waits longer comes in first.
  let ordinal: UInt64
  var mode: PresenceMode
  var state: State
  /// Whether the person may not come in, and waits for a host to say otherwise.
  var isKnocking = false
  /// Set while missed events are on their way.
  var catchUp: CatchUp?
  /// When it is told anew which servers help with calls.
  var iceRenewal: Timestamp?
  /// What the connection was told last, nil while even its coming waits for the disk.
  var told: Standing?

  /// How a member listens.
  struct Standing {
    var state: State
    var mode: PresenceMode
    var role: Role
    /// The numbers of the last events that are on their way while it gets those that it missed.
    var cursor: Cursor?
  }

  /// How far a client is in each stream that it gets.
  struct Cursor {
    var room: UInt64
    /// Nil for who does not get the stream.
    var hosts: UInt64?
    var own: UInt64
  }

  /// How far a client is that gets the events it missed.
  struct CatchUp {
    /// The numbers of the last events that are on their way.
    var cursor: Cursor
    /// The number of the outbox entry with that event.
    var entry: UInt64
  }

  var peer: Peer? {
    if case .present(let peer) = state { peer } else { nil }
  }
}
