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
    /// Somebody who came back in time, and was not given what was missed.
    case notRecovered = "not_recovered"
    /// Files that the server has open more than before.
    case leaked
    /// A connection whose close was not answered.
    case uncleanClose = "unclean_close"
  }

  private var counts: [Kind: UInt64] = [:]
  /// The first cases of each kind, in words.
  private(set) var examples: [String] = []
  private static let examplesPerKind: UInt64 = 5

  /// What a fault of this kind means, in a sentence for people.
  static func sentence(for kind: Kind) -> String {
    switch kind {
    case .lost: "Every event arrives at everybody"
    case .duplicated: "No event arrives twice"
    case .reordered: "Events arrive in one order, the same for all"
    case .contradictory: "All see the same event under the same number: text, sender, order"
    case .unanswered: "Every message is answered, once"
    case .signalsLost: "Every signal arrives"
    case .signalsWrong: "Signals arrive once, in order, at the right peer, from the right peer"
    case .presence: "Snapshot and differences are the set of who is there, at every client"
    case .attendance: "The attendance report tells what people did"
    case .refused: "Nothing is refused"
    case .dropped: "No connection ends that nobody broke"
    case .notJoined: "Everybody comes in, and back in"
    case .malformed: "Every message is what the protocol says"
    case .unexpected: "Every message has its place where it comes"
    case .notRecovered: "Who comes back in time gets exactly what was missed"
    case .leaked: "The server keeps no file open for who has gone"
    case .uncleanClose: "Every Close is answered"
    }
  }

  var isEmpty: Bool { counts.isEmpty }

  var total: UInt64 { counts.values.reduce(0, +) }

  subscript(kind: Kind) -> UInt64 { counts[kind] ?? 0 }

  mutating func note(_ kind: Kind, count: UInt64 = 1, _ sentence: @autoclosure () -> String) {
    guard count > 0 else { return }
    let before = counts[kind] ?? 0
    counts[kind] = before + count
    // The noted sum can jump over the limit; then one case in words stands for many.
    if before < Self.examplesPerKind { examples.append("\(kind.rawValue): \(sentence())") }
  }
}
