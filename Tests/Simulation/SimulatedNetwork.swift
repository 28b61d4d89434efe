/// One direction of a connection: bytes on their way, and bytes that have arrived and are not read.
final class Pipe {
  enum Read {
    case bytes([UInt8])
    case wouldBlock
    case endOfStream
    case failed
  }

  private let scheduler: Scheduler
  /// What may be under way and unread together: the socket buffers of both sides.
  var capacity: Int
  private var arrived: [UInt8] = []
  private var start = 0
  private var inFlight = 0
  private var lastArrival: Int64 = 0
  private(set) var hasEnded = false
  private(set) var isReset = false
  private var isWriterWaiting = false
  /// Nothing arrives any more.
  var isLost = false
  var onReadable: () -> Void = {}
  var onWritable: () -> Void = {}

  init(_ scheduler: Scheduler, capacity: Int) {
    self.scheduler = scheduler
    self.capacity = capacity
  }

  var unreadCount: Int { arrived.count - start }
  /// Bytes that a writer was promised to deliver and that nobody has read.
  var heldCount: Int { inFlight + unreadCount }
  var isReadable: Bool { unreadCount > 0 || hasEnded || isReset }

  /// Takes as many bytes as fit.
  /// - Returns: how many; nil when the connection is known to be broken.
  func write(_ bytes: UnsafeRawBufferPointer, delay: Int64) -> Int? {
    if isReset { return nil }
    let count = min(bytes.count, max(0, capacity - heldCount))
    if count < bytes.count { isWriterWaiting = true }
    guard count > 0 else { return 0 }
    inFlight += count
    let data = [UInt8](bytes[..<count])
    lastArrival = max(lastArrival, scheduler.now + delay)
    scheduler.at(lastArrival) { [self] in
      if isLost || isReset { return }
      inFlight -= data.count
      if start == arrived.count {
        arrived = data
        start = 0
      } else {
        arrived += data
      }
      onReadable()
    }
    return count
  }

  func read(upTo limit: Int) -> Read {
    if isReset { return .failed }
    if unreadCount == 0 { return hasEnded ? .endOfStream : .wouldBlock }
    let count = min(limit, unreadCount)
    let data: [UInt8]
    if count == unreadCount, start == 0 {
      data = arrived
      arrived = []
    } else {
      data = Array(arrived[start..<start + count])
      start += count
      if start == arrived.count {
        arrived = []
        start = 0
      }
    }
    if isWriterWaiting, !isLost {
      isWriterWaiting = false
      scheduler.after(100) { [self] in if !isReset { onWritable() } }
    }
    return .bytes(data)
  }

  /// The writer has written its last; the reader hears of it behind everything else.
  func end(delay: Int64) {
    lastArrival = max(lastArrival, scheduler.now + delay)
    scheduler.at(lastArrival) { [self] in
      if isLost || isReset || hasEnded { return }
      hasEnded = true
      onReadable()
    }
  }

  /// Everything under way and unread is gone, and both sides hear of it.
  func reset() {
    guard !isReset else { return }
    isReset = true
    arrived = []
    start = 0
    onReadable()
  }

  /// Nobody is told anything any more.
  func silence() {
    onReadable = {}
    onWritable = {}
  }
}

/// One connection between a client and the server, with everything that can happen to it.
final class Link {
  enum Chopping {
    case whole
    case pieces
    case bytes
  }

  let number: Int
  private let scheduler: Scheduler
  private var randomness: Randomness
  /// From the client to the server.
  let up: Pipe
  /// From the server to the client.
  let down: Pipe
  private let latency: Int64
  private let jitter: Int64
  var chopping = Chopping.whole
  /// Until then nothing moves; afterwards it does.
  var stalledUntil: Int64 = 0
  /// Half open: nothing arrives any more, and nobody is told.
  private(set) var isLost = false
  private(set) var isClosedByServer = false
  /// What the checks know of it.
  var record: AttendanceModel.Connection?

  init(
    number: Int, scheduler: Scheduler, randomness: Randomness, latency: Int64, jitter: Int64, capacity: Int
  ) {
    self.number = number
    self.scheduler = scheduler
    self.randomness = randomness
    self.latency = latency
    self.jitter = jitter
    up = Pipe(scheduler, capacity: 65_536)
    down = Pipe(scheduler, capacity: capacity)
  }

  private func delay() -> Int64 {
    latency + (jitter > 0 ? randomness.int64(0...jitter) : 0) + max(0, stalledUntil - scheduler.now)
  }

  func writeUp(_ bytes: [UInt8]) -> Int? { bytes.withUnsafeBytes { up.write($0, delay: delay()) } }
  func writeDown(_ bytes: UnsafeRawBufferPointer) -> Int? { down.write(bytes, delay: delay()) }

  /// How much the next read gives at most.
  func readSize(_ most: Int) -> Int {
    switch chopping {
    case .whole: most
    case .pieces: min(most, randomness.int(1...200))
    case .bytes: 1
    }
  }

  func endUp() { up.end(delay: delay()) }
  func endDown() {
    isClosedByServer = true
    down.end(delay: delay())
  }

  /// Both sides hear that the connection is broken, each when the news reaches it.
  func cut() {
    guard !isLost else { return }
    for pipe in [up, down] { scheduler.after(delay()) { pipe.reset() } }
  }

  /// The server's process is gone: the client hears of it.
  func serverDied() {
    up.silence()
    up.isLost = true
    guard !isLost else { return }
    scheduler.after(delay()) { [up, down] in
      up.reset()
      down.reset()
    }
  }

  /// The client is gone. Unless the link is lost, the server hears of it.
  func clientClosed(abruptly: Bool) {
    down.silence()
    guard !isLost else { return }
    if abruptly {
      scheduler.after(delay()) { [up, down] in
        down.reset()
        up.reset()
      }
    } else {
      endUp()
    }
  }

  /// From now on nothing arrives on either side.
  func lose() {
    isLost = true
    up.isLost = true
    down.isLost = true
  }
}
