/// When what was appended to the journal counts as kept, and may be shown.
public enum Durability: String, Sendable, CaseIterable {
  /// When it is on stable storage: neither a crash nor a power failure loses what was shown.
  case strict
  /// When the operating system has it; it is on stable storage at most 200 ms later. A crash of the server loses nothing
  /// that was shown, a power failure loses up to 200 ms of it, and then every session changes its epoch.
  case relaxed
}
