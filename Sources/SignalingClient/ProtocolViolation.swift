/// Something a server did that `protocol/README.md` forbids, as far as its client can see it.
public struct ProtocolViolation: Error, Hashable, Sendable, CustomStringConvertible {
  /// What is broken.
  public enum Kind: String, Sendable, CaseIterable {
    /// Not JSON, an unknown type, or a field that is missing or wrong.
    case malformed
    /// A message that has no place in this state, or an answer to nothing that was asked.
    case unexpected
    /// Numbered events were left out.
    case missingEvents
    /// A numbered event that was left out comes after a later one.
    case lateEvent
    /// A numbered event came again.
    case repeatedEvent
    /// Two things that the server said cannot both be true.
    case contradiction
    /// The participants do not have the announced number, or lack somebody who must be there.
    case presence
    /// Signals were left out, came again or in another order.
    case signals
  }

  public var kind: Kind
  /// How many things are concerned, events for example.
  public var count: UInt64
  public var sentence: String

  /// A violation of that kind, in a sentence.
  public init(_ kind: Kind, count: UInt64 = 1, _ sentence: String) {
    self.kind = kind
    self.count = count
    self.sentence = sentence
  }

  public var description: String { "\(kind.rawValue): \(sentence)" }
}
