import SignalingProtocol

/// To whom in a room which kind of message goes. It follows what has been *released*: somebody is added right after the
/// message that lets them in, so that state and later events join without a gap or an overlap.
struct Audience {
  /// What a connection listens to.
  enum Seat {
    /// Waits for the start.
    case waiting
    /// Gets presence in this mode; the events that it missed are on their way.
    case presence(PresenceMode)
    /// Gets the room's events, and presence in this mode.
    case room(PresenceMode)
  }

  /// A group that a broadcast names.
  enum Group {
    case everyone
    case waiting
    case presence(PresenceMode)
  }

  private var everyone = ConnectionGroup()
  private var waiting = ConnectionGroup()
  private var full = ConnectionGroup()
  private var hosts = ConnectionGroup()
  private var count = ConnectionGroup()

  /// Whether the connection gets the room's events.
  func hasEntered(_ connection: ConnectionID) -> Bool { everyone.contains(connection) }

  /// Whether the connection gets anything of the room.
  func contains(_ connection: ConnectionID) -> Bool {
    everyone.contains(connection) || waiting.contains(connection) || full.contains(connection)
      || hosts.contains(connection) || count.contains(connection)
  }

  func members(of group: Group) -> [ConnectionID] {
    switch group {
    case .everyone: everyone.members
    case .waiting: waiting.members
    case .presence(.full): full.members
    case .presence(.hosts): hosts.members
    case .presence(.count): count.members
    case .presence(.none): []
    }
  }

  mutating func seat(_ connection: ConnectionID, in seat: Seat) {
    remove(connection)
    switch seat {
    case .waiting: waiting.insert(connection)
    case .presence(let mode): seatInPresence(connection, mode: mode)
    case .room(let mode):
      everyone.insert(connection)
      seatInPresence(connection, mode: mode)
    }
  }

  private mutating func seatInPresence(_ connection: ConnectionID, mode: PresenceMode) {
    switch mode {
    case .full: full.insert(connection)
    case .hosts: hosts.insert(connection)
    case .count: count.insert(connection)
    case .none: break
    }
  }

  mutating func remove(_ connection: ConnectionID) {
    everyone.remove(connection)
    waiting.remove(connection)
    full.remove(connection)
    hosts.remove(connection)
    count.remove(connection)
  }
}
