import Bytes
import EventLoop
import RoomShard
import WebSocketCore

/// Messages to the same connections, one right after the other: they are given to each of these once, as one range.
struct BroadcastRun {
  /// The lane of the frames as they are; those for windows of 9 bits and more follow.
  static let plainLane = 1
  /// What zlib does not use of a window.
  private static let lookaheadBytes = 262

  /// Whose copy keeps the array from being changed in place: the same storage is the same connections.
  private(set) var receivers: [ConnectionID] = []
  /// Whether those for whom much waits already are left out.
  private(set) var isLatest = false
  /// The messages, without their frames' heads, in the plain lane.
  private(set) var messages: [ByteRange] = []
  /// The frames of all messages.
  private(set) var plain = ByteRange(start: 0, end: 0)
  /// The bits of the window that holds the longest message whole: a larger one changes nothing. So who agreed on different
  /// windows gets the same frames, unless a message is long.
  private(set) var sufficientBits = 9

  var isEmpty: Bool { messages.isEmpty }

  /// Whether messages to these connections belong to the run.
  func isFor(_ connections: [ConnectionID], isLatest: Bool) -> Bool {
    self.isLatest == isLatest && receivers.count == connections.count
      && receivers.withUnsafeBufferPointer { ours in
        connections.withUnsafeBufferPointer { $0.baseAddress == ours.baseAddress }
      }
  }

  mutating func begin(for connections: [ConnectionID], isLatest: Bool) {
    receivers = connections
    self.isLatest = isLatest
  }

  mutating func append(_ frame: ByteRange, messageCount: Int) {
    messages.append(ByteRange(start: frame.end - UInt32(messageCount), end: frame.end))
    plain = messages.count == 1 ? frame : ByteRange(start: plain.start, end: frame.end)
    while sufficientBits < 15, messageCount + Self.lookaheadBytes > 1 << sufficientBits { sufficientBits += 1 }
  }

  mutating func removeAll() {
    receivers = []
    messages.removeAll(keepingCapacity: messages.capacity <= 4096)
    sufficientBits = 9
  }
}

// How what is said to a room reaches its members.
extension ServerLoop {
  /// Frames a message, to be given to these connections with the next ones to the same.
  func broadcastText(_ message: UnsafeRawBufferPointer, to receivers: [ConnectionID]) {
    broadcast(message, to: receivers, isLatest: false)
  }

  /// Like ``broadcastText(_:to:)``, but not to those for whom much waits already: they are told how things stand when they
  /// have taken that.
  func broadcastLatest(_ message: UnsafeRawBufferPointer, to receivers: [ConnectionID]) {
    broadcast(message, to: receivers, isLatest: true)
  }

  private func broadcast(_ message: UnsafeRawBufferPointer, to receivers: [ConnectionID], isLatest: Bool) {
    if !broadcasts.isEmpty,
      !broadcasts.isFor(receivers, isLatest: isLatest)
        || broadcasts.plain.count + message.count > limits.outboundBytes / 2
    {
      finishRun()
    }
    if broadcasts.isEmpty { broadcasts.begin(for: receivers, isLatest: isLatest) }
    broadcasts.append(makeFrame(.text, message, lane: BroadcastRun.plainLane), messageCount: message.count)
  }

  /// Gives the messages of the run to its connections. To be called before anything else is said to one of these.
  func finishRun() {
    guard !broadcasts.isEmpty else { return }
    if broadcasts.receivers.count >= TickPacing.manyMembers {
      pacing.roundBegins(at: MonotonicClock.nanoseconds())
    }
    var forms = InlineArray<8, ByteRange?>(repeating: nil)
    forms[0] = broadcasts.plain
    var spread = Spread(
      backlogLimit: broadcasts.isLatest ? limits.outboundBytes / 4 : .max, pendingLimit: limits.outboundBytes)
    while spread.next < broadcasts.receivers.count {
      Self.spread(broadcasts.receivers, &spread, forms, broadcasts.sufficientBits, connections, &dirty)
      guard spread.next < broadcasts.receivers.count else { break }
      // This one needs a form that is not there yet, or has no room for one more range.
      let id = SlotID(rawValue: broadcasts.receivers[spread.next].rawValue)
      spread.next += 1
      guard let bits = connections.pointer(to: id)?.pointee.webSocket?.openWindowBits() else { continue }
      let form = Self.form(bits, broadcasts.sufficientBits)
      let range = forms[form] ?? compressRun(windowBits: form + 8)
      forms[form] = range
      if give(range, to: id) { spread.given += 1 }
    }
    figures.count(.messagesOut, spread.given * broadcasts.messages.count)
    if spread.leftOut > 0 { figures.count(.coalesced, spread.leftOut * broadcasts.messages.count) }
    broadcasts.removeAll()
  }

  /// Gives a range to a connection; what it has so far goes first if both together are more than may wait. So what a socket
  /// does not take ends with a whole frame and is within the limit.
  /// - Returns: whether the connection gets it, and is not closed instead.
  private func give(_ range: ByteRange, to id: SlotID) -> Bool {
    guard let connection = connections.pointer(to: id) else { return false }
    if connection.pointee.spans.byteCount + range.count > limits.outboundBytes {
      send(id)
      guard let connection = connections.pointer(to: id), !connection.pointee.hasFailed,
        connection.pointee.webSocket?.openWindowBits() != nil
      else { return false }
    }
    enqueue(range, to: id)
    return true
  }

  /// How far a run has got.
  private struct Spread {
    /// With more than this waiting for a receiver, it is left out.
    let backlogLimit: Int
    /// What a connection gets in one send.
    let pendingLimit: Int
    /// The index of the receiver whose turn it is.
    var next = 0
    var given = 0
    var leftOut = 0

    init(backlogLimit: Int, pendingLimit: Int) {
      self.backlogLimit = backlogLimit
      self.pendingLimit = pendingLimit
    }
  }

  /// The index of the form for who agreed on such a window, 0 for none: 0 is plain, 1 a window of 9 bits.
  private static func form(_ bits: UInt8, _ sufficientBits: Int) -> Int {
    bits == 0 ? 0 : min(Int(bits), sufficientBits) - 8
  }

  /// Gives the ranges to the receivers, up to the first to whom that is not possible so.
  private static func spread(
    _ receivers: [ConnectionID], _ spread: inout Spread, _ forms: InlineArray<8, ByteRange?>, _ sufficientBits: Int,
    _ connections: borrowing Slab<Connection>, _ dirty: inout IDList<SlotID>
  ) {
    for index in spread.next..<receivers.count {
      spread.next = index
      let id = SlotID(rawValue: receivers[index].rawValue)
      guard let connection = connections.pointer(to: id), let bits = connection.pointee.webSocket?.openWindowBits()
      else { continue }
      if connection.pointee.backlog.count > spread.backlogLimit {
        connection.pointee.webSocket?.missesLatest = true
        spread.leftOut += 1
        continue
      }
      guard let range = forms[form(bits, sufficientBits)],
        connection.pointee.spans.byteCount + range.count <= spread.pendingLimit,
        connection.pointee.spans.append(range)
      else { return }
      spread.given += 1
      if !connection.pointee.isDirty {
        connection.pointee.isDirty = true
        dirty.append(id)
      }
    }
    spread.next = receivers.count
  }

  /// The messages of the run, compressed where that makes them shorter.
  private func compressRun(windowBits: Int) -> ByteRange {
    let lane = BroadcastRun.plainLane + windowBits - 8
    let start = arena.end(ofLane: lane)
    for range in broadcasts.messages {
      let message = arena[range]
      if message.count >= context.configuration.compressionThresholdBytes,
        let payload = compression.deflate(message, windowBits: windowBits)
      {
        // One frame: Safari does not take compressed messages that are cut up.
        _ = makeFrame(.text, payload, reservedBits: .rsv1, lane: lane)
      } else {
        _ = makeFrame(.text, message, lane: lane)
      }
    }
    return ByteRange(start: start, end: arena.end(ofLane: lane))
  }
}
