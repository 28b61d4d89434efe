import Classroom
import EventLoop

extension Recovery {
  /// Like ``open(_:segmentID:now:clock:mode:into:)``, with two threads: the caller's reads, verifies and decodes, another one
  /// makes classrooms of it.
  /// - Parameter state: must have taken in nothing yet.
  public static func openConcurrently<S: Storage>(
    _ storage: S, segmentID: SegmentID, now: Int64, clock: () -> UInt64, mode: JournalMode = JournalMode(),
    into state: inout RecoveredState<S>
  ) throws(RecoveryError) -> OpenedJournal<S> {
    let fresh = state
    if var consumer = ConcurrentConsumer(state) {
      defer { consumer.end() }
      do throws(RecoveryError) {
        let opened = try open(storage, segmentID: segmentID, now: now, clock: clock, mode: mode, into: &consumer)
        state = consumer.state
        return opened
      } catch {
        // What the other thread could not make sense of is behind where this one is by then: once more, to name the place.
        guard case .unreadablePayload = error else { throw error }
      }
    }
    state = fresh
    return try open(storage, segmentID: segmentID, now: now, clock: clock, mode: mode, into: &state)
  }
}

/// Decodes what it is given, and lets a thread of its own do the rest.
private struct ConcurrentConsumer<S: Storage>: RecoveryConsumer {
  private struct Entry: Sendable {
    var header: RecordHeader
    var end: Int
  }

  /// Snapshot entries or, when there are none, records of the journal.
  private struct Chunk: Sendable {
    var entries: [Entry] = []
    var bytes: [UInt8] = []
    var records: [DecodedRecord] = []
  }

  /// What the thread works on.
  ///
  /// `@unchecked Sendable`: the thread alone touches it from its start to its end, and whoever joined it afterwards.
  private final class Work: @unchecked Sendable {
    var state: RecoveredState<S>
    var failure: PayloadError?

    init(_ state: RecoveredState<S>) { self.state = state }

    func run(_ queue: BoundedQueue<Chunk>) {
      while case let chunks = queue.popAll(), !chunks.isEmpty {
        do throws(PayloadError) {
          for chunk in chunks { try take(chunk) }
        } catch {
          failure = error
          queue.close()
          return
        }
      }
    }

    private func take(_ chunk: Chunk) throws(PayloadError) {
      var start = 0
      for entry in chunk.entries {
        try state.restore(entry.header, payload: chunk.bytes.span.bytes.extracting(start..<entry.end))
        start = entry.end
      }
      for record in chunk.records { try state.replay(record) }
    }
  }

  private static var recordsPerChunk: Int { 512 }
  private static var bytesPerChunk: Int { 1 << 18 }

  private let queue = BoundedQueue<Chunk>(capacity: 64)
  private let decoder = RecordDecoder()
  private let work: Work
  private let thread: ThreadHandle
  private var chunk = Chunk()

  /// Nil when the system allows no more threads.
  init?(_ state: RecoveredState<S>) {
    let work = Work(state)
    let queue = queue
    do throws(SystemError) {
      thread = try spawnThread(name: "rc-recovery") { work.run(queue) }
    } catch {
      return nil
    }
    self.work = work
  }

  mutating func restore(_ entry: RecordHeader, payload: RawSpan) throws(PayloadError) {
    payload.withUnsafeBytes { chunk.bytes.append(contentsOf: $0) }
    chunk.entries.append(Entry(header: entry, end: chunk.bytes.count))
    if chunk.bytes.count >= Self.bytesPerChunk { try pass() }
  }

  mutating func replay(_ record: RecordHeader, payload: RawSpan) throws(PayloadError) {
    // What is in a chunk is in order: entries first.
    if !chunk.entries.isEmpty { try pass() }
    chunk.records.append(try decoder.decode(record, payload: payload))
    if chunk.records.count >= Self.recordsPerChunk { try pass() }
  }

  mutating func finish() throws(PayloadError) {
    try pass()
    end()
    if let failure = work.failure { throw failure }
  }

  /// Waits until the thread has done what it was given.
  func end() {
    queue.close()
    thread.join()
  }

  /// What has become of it; to be asked after the end.
  var state: RecoveredState<S> { work.state }

  private mutating func pass() throws(PayloadError) {
    let full = chunk
    chunk = Chunk()
    chunk.records.reserveCapacity(Self.recordsPerChunk)
    guard queue.push(full) else { throw PayloadError("not taken") }
  }
}
