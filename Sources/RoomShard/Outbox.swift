import Classroom
import DequeModule
import SignalingProtocol

/// What a shard has decided to say, in order, each with the journal position it rests on.
///
/// This is the barrier: an entry leaves only when everything it rests on is synced, and nothing overtakes it. Entries beside
/// the barrier (signals between people whose joins are safe) have a queue of their own.
struct Outbox {
  /// What a message is to its receiver: what becomes of it when the record it rests on turns out void.
  enum Purpose {
    /// Tells what has happened: it has not.
    case event
    /// Answers a command, which was not done.
    case answer(id: Int64?)
    /// Answers a command that was done without a record.
    case liveAnswer(id: Int64?)
  }

  /// One output.
  enum Delivery {
    case send(ConnectionID, Range<Int>, Purpose)
    case broadcast(Room, Audience.Group, Range<Int>)
    /// What a later message makes up for.
    case broadcastLatest(Room, Audience.Group, Range<Int>)
    /// From here on the connection gets what the seat gets, if it is still the member of that ordinal.
    case seat(ConnectionID, Room, Audience.Seat, ordinal: UInt64, Member.Standing)
    /// The member of that ordinal is gone for good, and gets nothing more of the room.
    case unseat(ConnectionID, Room, ordinal: UInt64)
    case respond(RequestID, Result<RoomAnswer, Refusal>)
    case publish(SessionView)
    /// What somebody has to do with the session from now on.
    case relate(String, session: String, Relation)
    /// The session does not exist any more.
    case retract(String)
    /// Those who follow the list are told.
    case notify(SessionNotice, SessionView)
    /// The connection has been told everything and may go to another loop.
    case handOver(ConnectionID)
    /// A signal without its number, which it gets when it leaves: what is never shown must not have one.
    case signal(Peer, Room, Range<Int>, at: Timestamp)
    /// The connection has been told everything and is to end.
    case close(ConnectionID, CloseReason)
  }

  struct Entry {
    var position: UInt64
    var delivery: Delivery
  }

  private var held: Deque<Entry> = []
  private var heldBytes = ByteQueue()
  /// Up to here the entries that named the bytes have been taken out; entries are in the order of their bytes.
  private var consumed = 0
  private var beside: [(ConnectionID, Range<Int>)] = []
  private var besideBytes = ByteQueue()

  /// How many entries were ever appended.
  private(set) var appendedCount: UInt64 = 0
  /// How many entries were ever taken out.
  var takenCount: UInt64 { appendedCount - UInt64(held.count) }

  /// Whether something waits for the disk.
  var isHolding: Bool { !held.isEmpty }

  /// Keeps the bytes of a message for later entries.
  mutating func store(_ message: [UInt8]) -> Range<Int> { heldBytes.append(message) }

  mutating func append(_ delivery: Delivery, restingOn position: UInt64) {
    held.append(Entry(position: position, delivery: delivery))
    appendedCount += 1
  }

  /// Sends without waiting for the disk.
  mutating func sendBeside(_ message: UnsafeRawBufferPointer, to connection: ConnectionID) {
    beside.append((connection, besideBytes.append(message)))
  }

  /// Takes out the next entry that rests on nothing later than `synced`.
  mutating func next(through synced: UInt64) -> Delivery? {
    guard let first = held.first, first.position <= synced else { return nil }
    held.removeFirst()
    switch first.delivery {
    case .send(_, let range, _), .broadcast(_, _, let range), .broadcastLatest(_, _, let range),
      .signal(_, _, let range, _):
      consumed = range.upperBound
    case .seat, .unseat, .respond, .publish, .relate, .retract, .notify, .handOver, .close: break
    }
    return first.delivery
  }

  /// Takes everything out that waits for the disk; what shall leave after all is put back one by one.
  mutating func takeHeld() -> Held {
    let taken = Held(entries: held, bytes: heldBytes)
    held = []
    heldBytes = ByteQueue()
    consumed = 0
    return taken
  }

  /// Everything that waited for the disk.
  struct Held {
    fileprivate(set) var entries: Deque<Entry>
    fileprivate var bytes: ByteQueue

    /// The bytes of a message.
    func message(_ range: Range<Int>) -> [UInt8] { bytes.withBytes(range) { Array($0) } }
  }

  /// Forgets the bytes of what has been taken out.
  mutating func compact() {
    if held.isEmpty {
      heldBytes.removeAll()
      consumed = 0
    } else if consumed > heldBytes.start {
      heldBytes.forget(before: consumed)
    }
  }

  /// The bytes kept for entries.
  var heldByteCount: Int { heldBytes.count }

  /// The bytes of a message.
  func bytes<R>(_ range: Range<Int>, _ body: (UnsafeRawBufferPointer) -> R) -> R { heldBytes.withBytes(range, body) }

  /// Hands out everything beside the barrier.
  mutating func drainBeside(_ body: (UnsafeRawBufferPointer, ConnectionID) -> Void) {
    for (connection, range) in beside {
      besideBytes.withBytes(range) { body($0, connection) }
    }
    beside.removeAll(keepingCapacity: true)
    besideBytes.removeAll()
  }
}

/// Bytes appended at the end, addressed by offsets from the beginning of all, and forgotten from the front.
private struct ByteQueue {
  private var storage: [UInt8] = []
  /// The offset of the first byte that is kept.
  private(set) var start = 0

  var count: Int { storage.count }

  mutating func append(_ bytes: [UInt8]) -> Range<Int> { bytes.withUnsafeBytes { append($0) } }

  mutating func append(_ bytes: UnsafeRawBufferPointer) -> Range<Int> {
    let lower = start + storage.count
    storage.append(contentsOf: bytes)
    return lower..<(lower + bytes.count)
  }

  func withBytes<R>(_ range: Range<Int>, _ body: (UnsafeRawBufferPointer) -> R) -> R {
    storage.withUnsafeBytes {
      body(UnsafeRawBufferPointer(rebasing: $0[(range.lowerBound - start)..<(range.upperBound - start)]))
    }
  }

  /// Forgets what lies before the offset, once that is enough to be worth moving the rest.
  mutating func forget(before offset: Int) {
    let dead = offset - start
    guard dead >= 1 << 16, dead >= storage.count / 2 else { return }
    storage.removeFirst(dead)
    start = offset
  }

  /// Keeps the memory for the next tick, unless a burst made it large.
  mutating func removeAll() {
    storage.removeAll(keepingCapacity: storage.capacity <= 1 << 20)
    start = 0
  }
}
