import Classroom

/// An answer that says why something was not done: a code for programs, a sentence for people.
public struct ProtocolError: Error, Sendable, Equatable {
  public var code: ErrorCode
  public var message: String
  /// The field that is missing or wrong; becomes `details.field`.
  public var field: String?
  /// The peer that is not there; becomes `details.peer`.
  public var peer: String?

  /// An error with this code and sentence.
  public init(_ code: ErrorCode, _ message: String, field: String? = nil, peer: String? = nil) {
    self.code = code
    self.message = message
    self.field = field
    self.peer = peer
  }

  /// What the domain's refusal is on the wire.
  public init(_ refusal: Refusal) {
    switch refusal {
    case .forbidden: self.init(.forbidden, "Your role does not allow this.")
    case .notFound: self.init(.notFound, "There is no such session.")
    case .wrongState(let status):
      let state =
        switch status {
        case .scheduled: "has not started"
        case .ongoing: "is live"
        case .completed: "is over"
        }
      self.init(.wrongState, "The session \(state).")
    case .sessionFull: self.init(.sessionFull, "The session is full.")
    case .keyConflict: self.init(.keyConflict, "This key was used with different content.")
    case .invalidField(let field, let sentence): self.init(.invalidField, sentence, field: field)
    case .notPresent: self.init(.notJoined, "Only people in the session can do this.")
    case .sessionExists: self.init(.sessionExists, "A session with this id exists.")
    }
  }
}
