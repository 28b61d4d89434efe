import EventLoop
import Glibc
import Testing

/// SplitMix64: the same numbers for the same seed, so that a failing run repeats.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

/// `#expect` for conditions that change something or touch a noncopyable value, which the macro cannot capture.
func verify(_ condition: Bool, _ comment: Comment? = nil, at location: SourceLocation = #_sourceLocation) {
  #expect(condition, comment, sourceLocation: location)
}

struct NothingHappened: Error {}

/// Waits until `descriptor` is ready, at most for ten seconds: a bound for a broken build, not a delay.
func waitUntil(_ descriptor: Int32, is interest: Interest) throws {
  var poller = try Poller()
  try poller.add(descriptor, interest, token: 1)
  if try poller.wait(timeoutMilliseconds: 10_000) == 0 { throw NothingHappened() }
}

/// Whether `descriptor` is readable at this moment.
func isReadable(_ descriptor: Int32) -> Bool {
  var watched = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
  return poll(&watched, 1, 0) == 1
}

func accept(from listener: Listener) throws -> FileDescriptor {
  try waitUntil(listener.descriptor, is: .readable)
  switch listener.accept() {
  case .accepted(let connection): return connection
  case .wouldBlock: throw NothingHappened()
  case .outOfDescriptors(let code): throw SystemError(code: code, call: "accept4")
  case .failed(let error): throw error
  }
}

func listenOnLoopback(count: Int = 1) throws -> [Listener] {
  try Listener.open(host: "127.0.0.1", port: 0, count: count)
}

func received(_ descriptor: Int32, upTo count: Int = 1 << 16) -> ([UInt8], ReceiveResult) {
  var bytes = [UInt8](repeating: 0, count: count)
  let result = bytes.withUnsafeMutableBytes { StreamSocket.receive(descriptor, into: $0) }
  if case .bytes(let count) = result { return (Array(bytes[..<count]), result) }
  return ([], result)
}

func send(_ descriptor: Int32, _ bytes: [UInt8]) -> SendResult {
  bytes.withUnsafeBytes { StreamSocket.send(descriptor, $0) }
}

/// A connected client and its server side.
struct ConnectedPair: ~Copyable {
  let client: FileDescriptor
  let server: FileDescriptor

  init() throws {
    let listener = try listenOnLoopback()[0]
    let connecting = try StreamSocket.connect(to: listener.address)
    let accepted = try accept(from: listener)
    try waitUntil(connecting.rawValue, is: .writable)
    client = connecting
    server = accepted
  }
}
