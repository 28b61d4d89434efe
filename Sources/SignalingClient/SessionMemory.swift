import Classroom

/// What a client keeps of a session while its connections come and go.
struct SessionMemory {
  var epoch: String
  var resumeToken: String?
  var stream: StreamPosition
  /// The place in the stream `hosts`; nil for who does not have it.
  var hosts: StreamPosition?
  /// The place in the stream of the user.
  var own = StreamPosition(after: 0)
  /// What the room's events and states so far make of its policy.
  var policy = RoomPolicy()
  /// The state and revision that the numbered events seen so far lead to.
  var status: SessionStatus
  var revision: Int
  /// The last revision that was told without a number, while waiting: a resume tells it again, with its number.
  var toldWhileWaiting: Int?
  /// The revision that the client was let in with: what it missed before does not change where it is.
  var entered = 0
  /// The address for signals; nil for who has none.
  var peer: String?
  /// The number of the last signal.
  var signalSequence: UInt64
  /// Whether this client is the polite side towards a peer, as the first signal said.
  var politeness: [String: Bool] = [:]
  var messages = OwnMessages()
}

/// Holds the answers to a client's own chat messages against the events that it sees.
struct OwnMessages {
  private struct Seen {
    var sequence: UInt64
    var messageID: String
    var textDigest: UInt64
  }

  private struct Expected {
    var sequence: UInt64
    var messageID: String
    var textDigest: UInt64
  }

  /// Numbers above this one are remembered, if they are the client's own.
  private var floor: UInt64 = 0
  private var seen: [Seen] = []
  private var expected: [Expected] = []
  private static let capacity = 64

  /// The greatest number that an answer named and that has not been seen.
  var lastExpected: UInt64 { expected.last?.sequence ?? 0 }

  /// From here on every event is seen.
  mutating func begin(after position: UInt64) {
    floor = position
    seen.removeAll(keepingCapacity: true)
    expected.removeAll { $0.sequence <= position }
  }

  /// An event of this user was seen.
  mutating func see(_ event: ChatEvent) throws(ProtocolViolation) {
    let digest = event.textDigest
    if let index = expected.firstIndex(where: { $0.sequence == event.sequence }) {
      let answer = expected.remove(at: index)
      guard event.hasID(answer.messageID), digest == answer.textDigest else {
        throw ProtocolViolation(.contradiction, "event \(event.sequence) is not the message that was answered with it")
      }
    }
    if seen.count >= Self.capacity { floor = max(floor, seen.removeFirst().sequence) }
    seen.append(Seen(sequence: event.sequence, messageID: event.messageID, textDigest: digest))
  }

  /// An event was seen that is not a message of this user.
  mutating func pass(_ sequence: UInt64) throws(ProtocolViolation) {
    guard !expected.isEmpty, let index = expected.firstIndex(where: { $0.sequence == sequence }) else { return }
    expected.remove(at: index)
    throw ProtocolViolation(.contradiction, "event \(sequence) is not the message that was answered with it")
  }

  /// An event was seen of which nobody can tell any more whose it was.
  mutating func forget(_ sequence: UInt64) {
    expected.removeAll { $0.sequence == sequence }
    floor = max(floor, sequence)
  }

  /// A message of this client was answered.
  mutating func answer(
    _ sequence: UInt64, messageID: String, textDigest: UInt64, position: UInt64
  ) throws(ProtocolViolation) {
    if sequence > position {
      expected.append(Expected(sequence: sequence, messageID: messageID, textDigest: textDigest))
      if expected.count > 4 * Self.capacity { expected.removeFirst() }
    } else if sequence > floor {
      guard
        seen.contains(where: {
          $0.sequence == sequence && $0.messageID == messageID && $0.textDigest == textDigest
        })
      else {
        throw ProtocolViolation(
          .contradiction, "a message is answered with event \(sequence), which was something else")
      }
    }
  }
}
