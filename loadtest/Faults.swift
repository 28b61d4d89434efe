/// What went wrong in a run, counted by kind, with the first cases in words.
struct Faults {
  enum Kind: String, CaseIterable {
    case lost, duplicated, reordered
    /// A message with another text, sender or number than everybody else's.
    case contradictory
    /// A chat message that the server never answered.
    case unanswered
    case signalsLost = "signals_lost"
    case signalsWrong = "signals_wrong"
    /// A participant list without as many members as its count, or not the people who are there.
    case presence
    case attendance
    /// A command that the server refused.
    case refused
    /// A connection that could not be made or that ended before its time.
    case dropped
    /// An attendee who was not in the session in time.
    case notJoined = "not_joined"
    /// A message that is not what the protocol says.
    case malformed
    /// A message that has no place where it came.
    case unexpected
    /// A connection whose close was not answered.
    case uncleanClose = "unclean_close"
  }

  private var counts: [Kind: UInt64] = [:]
  /// The first cases of each kind, in words.
  private(set) var examples: [String] = []
  private static let examplesPerKind: UInt64 = 5

  var isEmpty: Bool { counts.isEmpty }

  subscript(kind: Kind) -> UInt64 { counts[kind] ?? 0 }

  mutating func note(_ kind: Kind, count: UInt64 = 1, _ sentence: @autoclosure () -> String) {
    guard count > 0 else { return }
    let before = counts[kind] ?? 0
    counts[kind] = before + count
    // The noted sum can jump over the limit; then one case in words stands for many.
    if before < Self.examplesPerKind { examples.append("\(kind.rawValue): \(sentence())") }
  }
}
