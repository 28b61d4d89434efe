import Classroom
import SignalingProtocol

/// What a resume token says: who was in which session, in which history and under which address.
public struct ResumeClaim: Sendable, Hashable {
  public var user: String
  public var session: String
  public var epoch: String
  /// The address for signals, or nil for who had none.
  public var peer: String?
  /// From then on the token counts no longer.
  public var expiresAt: Timestamp

  /// When the token was given.
  var givenAt: Timestamp { expiresAt.advanced(byMilliseconds: -ProtocolLimits.resumeTokenMilliseconds) }

  /// A claim of these facts.
  public init(user: String, session: String, epoch: String, peer: String?, expiresAt: Timestamp) {
    self.user = user
    self.session = session
    self.epoch = epoch
    self.peer = peer
    self.expiresAt = expiresAt
  }
}

/// Makes claims into tokens that nobody else can make.
public protocol ResumeSealer {
  /// The token of a claim: 1 to 512 bytes of ASCII.
  func seal(_ claim: ResumeClaim) -> String
  /// The claim of a token, expired or not; nil for anything that ``seal(_:)`` did not make.
  func open(_ token: String) -> ResumeClaim?
}
