/// What one look at the machine came to.
public struct Finding: Equatable, Sendable {
  /// How bad it is.
  public enum Level: String, Sendable, CaseIterable {
    case ok
    /// A server runs, and something will not be as it could.
    case warning
    /// A server does not start, or does not do what it is set to do.
    case problem
  }

  public var level: Level
  /// What was looked at, in a word or two.
  public var subject: String
  /// What was found.
  public var text: String
  /// What to do about it; nil when there is nothing to do.
  public var advice: String?

  static func ok(_ subject: String, _ text: String) -> Finding {
    Finding(level: .ok, subject: subject, text: text)
  }

  static func warning(_ subject: String, _ text: String, _ advice: String) -> Finding {
    Finding(level: .warning, subject: subject, text: text, advice: advice)
  }

  static func problem(_ subject: String, _ text: String, _ advice: String) -> Finding {
    Finding(level: .problem, subject: subject, text: text, advice: advice)
  }
}
