import Classroom

/// An answer that says why something was not done: a code for programs, a sentence for people.
public struct ProtocolError: Error, Sendable, Equatable {
  public var code: ErrorCode
  public var message: String
  /// The field that is missing or wrong; becomes `details.field`.
  public var field: String?
  /// The peer that is not there; becomes `details.peer`.
  public var peer: String?
  /// What became of the command; becomes `details.outcome`.
  public var outcome: Outcome?
  /// After how much silence the same can succeed; becomes `details.retry_after_ms`.
  public var retryAfterMilliseconds: Int64?

  /// What became of a command that could not be made durable.
  public enum Outcome: String, Sendable {
    /// It was not done.
    case notDone = "not_done"
    /// It may turn out to be done after all.
    case unknown
  }

  /// An error with this code and sentence.
  public init(
    _ code: ErrorCode, _ message: String, field: String? = nil, peer: String? = nil,
    outcome: Outcome? = nil
  ) {
    self.code = code
    self.message = message
    self.field = field
    self.peer = peer
    self.outcome = outcome
  }

  /// What the domain's refusal is on the wire.
  public init(_ refusal: Refusal) {
    switch refusal {
    case .forbidden: self.init(.forbidden, "Your role does not allow this.")
    case .notFound: self.init(.notFound, "There is no such session.")
    case .wrongState(let status):
      let state =
        switch status {
        case .pendingApproval: "has not been approved"
        case .approved, .scheduled: "has not started"
        case .ongoing: "is live"
        case .completed: "is over"
        case .cancelled: "is cancelled"
        case .expired: "has expired"
        }
      self.init(.wrongState, "The session \(state).")
    case .sessionFull: self.init(.sessionFull, "The session is full.")
    case .keyConflict: self.init(.keyConflict, "This key was used with different content.")
    case .keyExpired: self.init(.keyExpired, "This key was used, too long ago to tell the answer.")
    case .invalidField(let field, let sentence): self.init(.invalidField, sentence, field: field)
    case .notPresent: self.init(.notJoined, "Only people in the session can do this.")
    case .sessionExists: self.init(.sessionExists, "A session with this id exists.")
    case .storageUnavailable(let isCertain):
      self.init(
        .storageUnavailable,
        isCertain
          ? "The server cannot write to its disk. This was not done: repeat it later with the same key."
          : "The server cannot write to its disk. This may be done or not: repeat it later with the same key.",
        outcome: isCertain ? .notDone : .unknown)

    case .alreadyIn: self.init(.alreadyInSession, "You are in this session already.")
    case .denied: self.init(.denied, "The host does not let you in.")
    case .locked: self.init(.locked, "The session is locked: nobody new gets in.")
    case .unknownUser(let user):
      self.init(.notOnList, "Nobody called \(user.prefix(128)) is on the list, or waits.")
    case .rosterFull: self.init(.listFull, "The list of this session is full.")
    case .banned: self.init(.banned, "You are banned from this session.")
    case .muted: self.init(.muted, "You are muted, until you are asked to speak.")
    case .chatClosed: self.init(.chatClosed, "The chat is closed.")
    case .slowMode(let milliseconds):
      self.init(.slowMode, "Wait a little before the next message.")
      retryAfterMilliseconds = milliseconds
    case .noSuchParticipant: self.init(.noSuchParticipant, "Nobody of this id is in the session.")
    case .noSuchMessage: self.init(.noSuchMessage, "There is no such message.")
    case .limitReached(let sentence): self.init(.limitReached, sentence)

    case .stageFull: self.init(.stageFull, "As many people as may be are on the stage.")
    }
  }
}
