import Classroom
import SignalingProtocol

/// To whom in a room which kind of message goes. It follows what has been *released*: somebody is added right after the
/// message that lets them in, so that state and later events join without a gap or an overlap.
///
/// A class, since every signal asks it a question: as a value it would be copied for that.
final class Audience {
  /// What a connection listens to.
  enum Seat {
    /// Waits for the start, or for a host.
    case waiting
    /// Waits without being one who may come in: hears of the session's state only.
    case knocking
    /// Gets presence in this mode; the events that it missed are on their way.
    case presence(PresenceMode)
    /// Gets the room's events, and presence in this mode.
    case room(PresenceMode)
  }

  /// A group that a broadcast names.
  enum Group {
    case everyone
    case waiting
    case knocking
    /// Who leads the class, waiting for the start or in it.
    case leaders
    case presence(PresenceMode)
    /// Who gets a stream.
    case stream(StreamName)
  }

  private var everyone = ConnectionGroup()
  private var waiting = ConnectionGroup()
  private var knocking = ConnectionGroup()
  private var leaders = ConnectionGroup()
  private var full = ConnectionGroup()
  private var hosts = ConnectionGroup()
  private var count = ConnectionGroup()
  /// Those of the leaders who get the room's events.
  private var leadersInClass = ConnectionGroup()
  /// By user: a connection that gets the room's events, and others of the same user.
  private var first: [String: ConnectionID] = [:]
  private var others: [String: [ConnectionID]] = [:]
  /// The user of a connection that is not in ``first`` under its own name any more.
  private var users: [ConnectionID: String] = [:]

  /// Whether the connection gets the room's events.
  func hasEntered(_ connection: ConnectionID) -> Bool { everyone.contains(connection) }

  /// Whether the connection gets anything of the room.
  func contains(_ connection: ConnectionID) -> Bool {
    everyone.contains(connection) || waiting.contains(connection) || knocking.contains(connection)
      || full.contains(connection)
      || hosts.contains(connection) || count.contains(connection)
  }

  func members(of group: Group) -> [ConnectionID] {
    switch group {
    case .everyone, .stream(.room): everyone.members
    case .waiting: waiting.members
    case .knocking: knocking.members
    case .leaders: leaders.members
    case .presence(.full): full.members
    case .presence(.hosts): hosts.members
    case .presence(.count): count.members
    case .presence(.none): []
    case .stream(.hosts): leadersInClass.members
    case .stream(.user(let user)): (first[user].map { [$0] } ?? []) + (others[user] ?? [])
    }
  }

  /// - Parameter role: the role that the connection has been told.
  func seat(_ connection: ConnectionID, of user: String, as role: Role, in seat: Seat) {
    remove(connection)
    switch seat {
    case .waiting: waiting.insert(connection)
    case .knocking: knocking.insert(connection)
    case .presence(let mode): seatInPresence(connection, mode: mode)
    case .room(let mode):
      everyone.insert(connection)
      seatInPresence(connection, mode: mode)
      if role.isModerating { leadersInClass.insert(connection) }
      users[connection] = user
      if first[user] == nil { first[user] = connection } else { others[user, default: []].append(connection) }
    }
    if role.isModerating { leaders.insert(connection) }
  }

  private func seatInPresence(_ connection: ConnectionID, mode: PresenceMode) {
    switch mode {
    case .full: full.insert(connection)
    case .hosts: hosts.insert(connection)
    case .count: count.insert(connection)
    case .none: break
    }
  }

  func remove(_ connection: ConnectionID) {
    everyone.remove(connection)
    waiting.remove(connection)
    knocking.remove(connection)
    leaders.remove(connection)
    full.remove(connection)
    hosts.remove(connection)
    count.remove(connection)
    leadersInClass.remove(connection)
    guard let user = users.removeValue(forKey: connection) else { return }
    if first[user] == connection {
      first[user] = others[user]?.popLast()
    } else {
      others[user]?.removeAll { $0 == connection }
    }
    if others[user]?.isEmpty == true { others[user] = nil }
  }
}
