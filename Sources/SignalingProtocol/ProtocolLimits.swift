import Classroom

/// The bounds of `rollcall.v1`, announced in `welcome`.
public enum ProtocolLimits {
  /// The bytes of a message from a client.
  public static let messageBytes = 65_536
  /// How deep JSON may nest.
  public static let jsonDepth = 32
  /// The bytes of a chat message's text.
  public static let chatTextBytes = Classroom.Limits.chatTextBytes.upperBound
  /// The bytes of a name.
  public static let nameBytes = 120
  /// The bytes of a user id.
  public static let userBytes = Classroom.Limits.userBytes
  /// The bytes of an emoji.
  public static let emojiBytes = 4 * Classroom.Limits.emojiScalars
  /// The bytes of an idempotency key.
  public static let keyBytes = 128
  /// The bytes of a negotiation id.
  public static let negotiationBytes = 64
  /// With how many others one peer may begin to negotiate, at the same time.
  public static let negotiationsOpened = 256
  /// The bytes of a token.
  public static let tokenBytes = 8192
  /// The bytes of a resume token.
  public static let resumeTokenBytes = 512
  /// The bytes of an epoch.
  public static let epochBytes = 64
  /// How long a resume token is good for.
  public static let resumeTokenMilliseconds: Int64 = 24 * 3_600_000
  /// The newest signals that are kept for a peer.
  public static let signalsKept = 256
  /// The bytes that the signals kept for a peer have together.
  public static let signalBytesKept = 262_144
  /// The messages of one page of history.
  public static let historyPage = 100
  /// The messages of a page when the client names no number, and in `session.joined`.
  public static let historyDefault = 50
  /// The bytes that the texts of one page of history have together, unless it is a single message. With the page of presence
  /// it keeps `session.joined` well below what may wait for a slow socket.
  public static let historyTextBytes = 65_536
  /// The people of one page of the attendance report.
  public static let attendancePage = 100
  /// The people of one page of those who are banned.
  public static let bansPage = 100
  /// The participants of one page of presence.
  public static let presencePage = 200
  /// The people who wait that those who lead the class are told of at once: those who have waited longest.
  public static let waitingPage = 200
  /// Up to how many people who wait are told each other's names.
  public static let waitingNames = 50
  /// The bytes of a reason, or of the text of an announcement.
  public static let reasonBytes = 4 * SessionDraft.Limits.reasonCharacters.upperBound
  /// How soon it counts when somebody says again to be typing.
  public static let typingRepeatMilliseconds: Int64 = 2000
  /// How long somebody counts as typing who says nothing more of it.
  public static let typingLifetimeMilliseconds: Int64 = 6000
  /// How many of those who type are named.
  public static let typingNames = 10
  /// How long a client may take to say hello.
  public static let helloTimeoutMilliseconds: Int64 = 5000
  /// After how much silence the server sends a ping.
  public static let pingIntervalMilliseconds: Int64 = 25_000
  /// How long before a token expires its bearer is told.
  public static let tokenWarningMilliseconds: Int64 = 60_000
}

/// The bounds that a server's settings decide, as `welcome` announces them.
public struct AnnouncedLimits: Sendable {
  /// The bytes of a message from a client.
  public var messageBytes = ProtocolLimits.messageBytes
  /// The messages that a connection may send in a second, on average; 0 when that is not limited.
  public var messagesPerSecond = 0
  /// How many it may send at once.
  public var messageBurst = 0
  /// How long a client may take to say hello.
  public var helloTimeoutMilliseconds = ProtocolLimits.helloTimeoutMilliseconds
  /// How long before a token expires its bearer is told; 0 for never.
  public var tokenWarningMilliseconds = ProtocolLimits.tokenWarningMilliseconds

  /// The bounds of a server that limits nothing but sizes.
  public init() {}
}
