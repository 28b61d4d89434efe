import Classroom
import DequeModule
import SignalingProtocol

#if PLANTED_BUGS
  import PlantedBugs
#endif

/// The newest signals of one receiver, numbered from 1 without a gap, for when it comes back.
struct SignalRing {
  private var messages: Deque<(message: [UInt8], at: Timestamp)> = []
  /// The bytes of what is kept.
  private(set) var byteCount = 0
  /// The number of the last signal, 0 before the first.
  private(set) var last: UInt64 = 0

  /// How many are kept.
  var count: Int { messages.count }
  /// The number of the last signal that is no longer kept.
  private var forgotten: UInt64 { last - UInt64(messages.count) }

  /// Whether every signal after that number is kept; of the last one, that is so.
  func covers(after sequence: UInt64) -> Bool { (forgotten...last).contains(sequence) }

  /// What is kept after that number, in order.
  func messages(after sequence: UInt64) -> some Sequence<[UInt8]> {
    #if PLANTED_BUGS
      let skipped = PlantedBugs.isActive(.signalForgotten) ? 1 : 0
      return messages.dropFirst(Int(clamping: sequence - min(sequence, forgotten)) + skipped).lazy.map(\.message)
    #else
      return messages.dropFirst(Int(clamping: sequence - min(sequence, forgotten))).lazy.map(\.message)
    #endif
  }

  /// Takes in the next signal, whole with its number ``last`` plus one, and lets go of what is too much or too old.
  mutating func append(_ message: [UInt8], at now: Timestamp, lifetimeMilliseconds: Int64) {
    last += 1
    messages.append((message, now))
    byteCount += message.count
    while messages.count > 1, let oldest = messages.first,
      messages.count > ProtocolLimits.signalsKept || byteCount > ProtocolLimits.signalBytesKept
        || now.milliseconds(since: oldest.at) > lifetimeMilliseconds
    {
      byteCount -= oldest.message.count
      messages.removeFirst()
    }
  }
}
