import Classroom
import DequeModule
import SignalingProtocol

#if PLANTED_BUGS
  import PlantedBugs
#endif

/// The newest signals of one receiver, numbered from 1 without a gap, for when it comes back.
///
/// Their bytes lie in one piece, which grows to what the receiver needs: in the long run keeping a signal allocates nothing.
struct SignalRing {
  private var messages: Deque<(count: Int, at: Timestamp)> = []
  /// The bytes of all that is kept, behind those of what is not any more.
  private var storage: [UInt8] = []
  private var storageStart = 0
  /// The number of the last signal, 0 before the first.
  private(set) var last: UInt64 = 0

  /// How many are kept.
  var count: Int { messages.count }
  /// The bytes of what is kept.
  var byteCount: Int { storage.count - storageStart }
  /// The number of the last signal that is no longer kept.
  private var forgotten: UInt64 { last - UInt64(messages.count) }

  /// Whether every signal after that number is kept; of the last one, that is so.
  func covers(after sequence: UInt64) -> Bool { (forgotten...last).contains(sequence) }

  /// What is kept after that number, in order.
  func messages(after sequence: UInt64) -> [[UInt8]] {
    var skipped = Int(clamping: sequence - min(sequence, forgotten))
    #if PLANTED_BUGS
      if PlantedBugs.isActive(.signalForgotten) { skipped += 1 }
    #endif
    skipped = min(skipped, messages.count)
    var position = storageStart + messages.prefix(skipped).reduce(0) { $0 + $1.count }
    return messages.dropFirst(skipped).map { message in
      defer { position += message.count }
      return Array(storage[position..<position + message.count])
    }
  }

  /// Takes in the next signal, whole with its number ``last`` plus one, and lets go of what is too much or too old.
  mutating func append(_ message: UnsafeRawBufferPointer, at now: Timestamp, lifetimeMilliseconds: Int64) {
    last += 1
    messages.append((message.count, now))
    makeRoom(for: message.count)
    storage.append(contentsOf: message)
    while messages.count > 1, let oldest = messages.first,
      messages.count > ProtocolLimits.signalsKept || byteCount > ProtocolLimits.signalBytesKept
        || now.milliseconds(since: oldest.at) > lifetimeMilliseconds
    {
      storageStart += oldest.count
      messages.removeFirst()
    }
  }

  /// Moves what is kept to the front rather than letting the storage grow for what is not.
  private mutating func makeRoom(for count: Int) {
    guard storage.count + count > storage.capacity, storageStart >= storage.count / 2 else { return }
    storage.removeFirst(storageStart)
    storageStart = 0
  }
}
