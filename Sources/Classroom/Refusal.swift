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

  /// Who asks to come in is in.
  case alreadyIn
  /// A host has turned the person away.
  case denied
  /// The room lets nobody new in.
  case locked
  /// Nobody of that name is on the roster, or waits.
  case unknownUser(String)
  /// The roster has as many people as it may have.
  case rosterFull
  /// The user was banned from the session.
  case banned
  /// The person is muted.
  case muted
  /// The chat is closed to this role.
  case chatClosed
  /// The next message may be said so many milliseconds later.
  case slowMode(Int64)
  /// Nobody of this id is in the session.
  case noSuchParticipant
  /// There is no such message, or it was taken back.
  case noSuchMessage
  /// As many as there can be.
  case limitReached(String)

  /// As many people as there are places send sound or pictures.
  case stageFull
}
