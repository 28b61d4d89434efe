/// Why the domain does not do what was asked. A refusal changes nothing.
public enum Refusal: Error, Hashable, Sendable {
  /// The role does not allow it.
  case forbidden
  /// There is no such session, or it must not be seen.
  case notFound
  /// The session is not in a state that allows it.
  case wrongState(SessionStatus)
  /// As many people are in as the capacity allows.
  case sessionFull
  /// The idempotency key was used with different content.
  case keyConflict
  /// The idempotency key was used, so long ago that its answer is no longer known.
  case keyExpired
  /// A field is out of bounds: its name, and a sentence.
  case invalidField(String, String)
  /// The command is for people in the session.
  case notPresent
  /// A session of this id exists.
  case sessionExists
  /// The server cannot write to its storage. `isCertain`: whether it is certain that the command was not done.
  case storageUnavailable(isCertain: Bool)
}
