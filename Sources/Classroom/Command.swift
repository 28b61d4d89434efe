/// What somebody asks of a session.
public enum Command: Sendable, Equatable {
  /// Begins the class.
  case start
  /// Ends the class.
  case end
  /// Comes in, or comes in once more with another tab.
  case join
  /// Has lost the last connection, and may come back. `since` is when the person was last heard, `isEstimated` whether that
  /// had to be reconstructed.
  case lose(since: Timestamp, isEstimated: Bool)
  /// Goes. `at` is when the person was last there, `isEstimated` whether that had to be reconstructed.
  case leave(at: Timestamp, isEstimated: Bool)
  /// Says something to everybody.
  case sendChat(text: String)

  /// A digest of the command, to tell whether an idempotency key comes with the same one.
  var digest: UInt64 {
    switch self {
    case .start: Self.digest("start", "")
    case .end: Self.digest("end", "")
    case .join: Self.digest("join", "")
    case .lose: Self.digest("lose", "")
    case .leave: Self.digest("leave", "")
    case .sendChat(let text): Self.digest("chat", text)
    }
  }

  private static func digest(_ kind: String, _ content: String) -> UInt64 {
    var digest = StableDigest()
    digest.mix(kind)
    digest.mix(0)
    digest.mix(content)
    return digest.value
  }
}

/// Who gives a command, and in which role.
public struct Actor: Sendable, Equatable {
  public var user: String
  public var name: String
  public var role: Role

  /// An actor with these facts.
  public init(user: String, name: String, role: Role) {
    self.user = user
    self.name = name
    self.role = role
  }
}

/// What a command is answered with.
public enum Answer: Sendable, Equatable {
  /// It is done, and there is nothing to tell.
  case done
  /// The chat message is in: its numbers and time.
  case chat(streamSequence: UInt64, sequence: UInt64, at: Timestamp)
  /// The session is in this state now.
  case status(StatusChange)
}
