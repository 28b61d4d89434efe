import EventLoop
import Glibc
import Testing

@Suite("Sockets and the poller")
struct SocketTests {
  @Test("echo through the poller: everything sent comes back, over several connections")
  func echo() throws {
    let listener = try listenOnLoopback()[0]
    var poller = try Poller()
    try poller.add(listener.descriptor, .readable, token: 0)
    let clientCount = 8
    let message = (0..<20_000).map { UInt8(truncatingIfNeeded: $0) }
    // The tokens: 0 the listener, 100… the clients, 1000… the server sides by their descriptor.
    var open: [Int32] = []
    defer { for descriptor in open { close(descriptor) } }
    var clients: [Int32] = []
    for index in 0..<clientCount {
      let client = try StreamSocket.connect(to: listener.address).release()
      open.append(client)
      clients.append(client)
      try poller.add(client, [.readable, .writable], token: UInt64(100 + index))
    }
    var sent = [Int](repeating: 0, count: clientCount)
    var echoed = [[UInt8]](repeating: [], count: clientCount)
    var ended = 0
    while ended < clientCount {
      if try poller.wait(timeoutMilliseconds: 10_000) == 0 { throw NothingHappened() }
      for index in 0..<poller.eventCount {
        let event = poller.event(at: index)
        switch event.token {
        case 0:
          let connection = try accept(from: listener).release()
          open.append(connection)
          try poller.add(connection, .readable, token: UInt64(1000 + connection))
        case 100..<1000:
          let client = Int(event.token) - 100
          if event.isWritable {
            if case .bytes(let count) = send(clients[client], Array(message[sent[client]...].prefix(999))) {
              sent[client] += count
            }
            if sent[client] == message.count {
              StreamSocket.shutdownWrite(clients[client])
              try poller.modify(clients[client], .readable, token: event.token)
            }
          }
          if event.isReadable {
            let (bytes, result) = received(clients[client])
            echoed[client] += bytes
            if result == .endOfStream {
              ended += 1
              try poller.remove(clients[client])
            }
          }
        default:
          let connection = Int32(event.token - 1000)
          let (bytes, result) = received(connection)
          if result == .endOfStream {
            StreamSocket.shutdownWrite(connection)
            try poller.remove(connection)
          } else {
            // 160 kB in all: loopback takes it at once.
            #expect(send(connection, bytes) == .bytes(bytes.count))
          }
        }
      }
    }
    #expect(echoed.allSatisfy { $0 == message })
  }

  @Test("readiness is told again until it is served")
  func levelTriggered() throws {
    let pair = try ConnectedPair()
    var poller = try Poller()
    try poller.add(pair.server.rawValue, .readable, token: .max)
    verify(try poller.wait(timeoutMilliseconds: 0) == 0)
    verify(send(pair.client.rawValue, [1, 2, 3]) == .bytes(3))
    for _ in 0..<3 {
      verify(try poller.wait(timeoutMilliseconds: 10_000) == 1)
      let event = poller.event(at: 0)
      #expect(event.token == .max)
      #expect(event.isReadable && !event.isWritable && !event.hasError && !event.isHungUp)
    }
    #expect(received(pair.server.rawValue).0 == [1, 2, 3])
    verify(try poller.wait(timeoutMilliseconds: 0) == 0)
    try poller.modify(pair.server.rawValue, .writable, token: 5)
    verify(try poller.wait(timeoutMilliseconds: 10_000) == 1)
    verify(poller.event(at: 0).token == 5 && poller.event(at: 0).isWritable)
    try poller.remove(pair.server.rawValue)
    verify(try poller.wait(timeoutMilliseconds: 0) == 0)
    let error = #expect(throws: SystemError.self) { try Poller().remove(pair.server.rawValue) }
    #expect(error?.description == "epoll_ctl: No such file or directory (errno 2)")
  }

  @Test("two pieces go out in order in one call")
  func gathered() throws {
    let pair = try ConnectedPair()
    let result = ([1, 2, 3] as [UInt8]).withUnsafeBytes { first in
      ([4, 5] as [UInt8]).withUnsafeBytes { second in StreamSocket.send(pair.client.rawValue, first, second) }
    }
    #expect(result == .bytes(5))
    try waitUntil(pair.server.rawValue, is: .readable)
    #expect(received(pair.server.rawValue).0 == [1, 2, 3, 4, 5])
  }

  @Test("a reader that stops: the socket takes a part and then nothing, and takes more once it is read")
  func backPressure() throws {
    let pair = try ConnectedPair()
    let chunk = [UInt8](repeating: 7, count: 1 << 20)
    var total = 0
    while true {
      let result = send(pair.client.rawValue, chunk)
      guard case .bytes(let count) = result else {
        #expect(result == .wouldBlock)
        break
      }
      total += count
      try #require(total < 1 << 30)
    }
    #expect(total > 0)
    var read = 0
    while read < total {
      try waitUntil(pair.server.rawValue, is: .readable)
      guard case .bytes(let count) = received(pair.server.rawValue, upTo: 1 << 20).1 else { break }
      read += count
    }
    #expect(read == total)
    try waitUntil(pair.client.rawValue, is: .writable)
    verify(send(pair.client.rawValue, [1]) == .bytes(1))
  }

  @Test("the end of the stream, an empty buffer and a broken connection are told apart")
  func ends() throws {
    let pair = try ConnectedPair()
    let empty = StreamSocket.receive(pair.server.rawValue, into: UnsafeMutableRawBufferPointer(start: nil, count: 0))
    #expect(empty == .bytes(0))
    StreamSocket.shutdownWrite(pair.client.rawValue)
    try waitUntil(pair.server.rawValue, is: .readable)
    #expect(received(pair.server.rawValue).1 == .endOfStream)
    StreamSocket.shutdownWrite(pair.server.rawValue)
    #expect(send(pair.server.rawValue, [1]) == .failed(EPIPE), "an error, not SIGPIPE")
    let gathered = [1].withUnsafeBytes { StreamSocket.send(pair.server.rawValue, $0, $0) }
    #expect(gathered == .failed(EPIPE))
  }

  @Test("a refused connection is an error of the socket")
  func refused() throws {
    let address = try listenOnLoopback()[0].address
    let client = try StreamSocket.connect(to: address)
    try waitUntil(client.rawValue, is: .writable)
    verify(StreamSocket.takeError(client.rawValue) == ECONNREFUSED)
    verify(StreamSocket.takeError(client.rawValue) == 0)
  }

  @Test("addresses read as people write them")
  func addresses() throws {
    let inet4 = try SocketAddress.resolve(host: "192.0.2.7", port: 8080)[0]
    #expect(inet4.description == "192.0.2.7:8080")
    #expect(inet4.with(port: 1).description == "192.0.2.7:1")
    let inet6 = try SocketAddress.resolve(host: "2001:db8::1", port: 443)[0]
    #expect(inet6.description == "[2001:db8::1]:443")
    #expect(inet6.hostBytes.count == 16)
    #expect(try SocketAddress.resolve(host: "::ffff:192.0.2.7", port: 1)[0].host == "192.0.2.7")
  }

  @Test("a descriptor is closed with its owner, and not when it was given up")
  func ownership() throws {
    var ends: [Int32] = [0, 0]
    #expect(pipe(&ends) == 0)
    let writer = FileDescriptor(owning: ends[1])
    do {
      var reader = FileDescriptor(owning: ends[0])
      let taken = reader.take()
      verify(!reader.isOpen && taken.rawValue == ends[0])
      let kept = FileDescriptor(owning: taken.release())
      reader.close()
      verify([1].withUnsafeBytes { write(writer.rawValue, $0.baseAddress, 1) } == 1, "still open")
      kept.close()
    }
    ProcessSettings.ignoreSignalsOfWrites()
    verify([1].withUnsafeBytes { write(writer.rawValue, $0.baseAddress, 1) } == -1)
    #expect(errno == EPIPE)
  }
}

@Suite("The process")
struct ProcessTests {
  @Test("a write past the largest file size is no end of the process")
  func fileSizeSignal() {
    ProcessSettings.ignoreSignalsOfWrites()
    #expect(raise(SIGXFSZ) == 0)
  }

  @Test("signals are read from a descriptor")
  func signals() throws {
    let seen = Locked<[ProcessSignal?]>([])
    // On a thread of its own, with signals sent to that thread: the test process keeps its handling.
    let thread = try spawnThread(name: "signals") {
      guard let signals = try? SignalDescriptor([.hangup, .terminate]) else { return }
      let before = signals.next()
      pthread_kill(pthread_self(), SIGTERM)
      let readable = isReadable(signals.rawValue)
      verify(readable)
      let first = signals.next()
      pthread_kill(pthread_self(), SIGHUP)
      let second = signals.next()
      let after = signals.next()
      seen.withLock { $0 = [before, first, second, after] }
    }
    thread.join()
    #expect(seen.withLock { $0 } == [nil, .terminate, .hangup, nil])
    #expect(ProcessSignal.allCases.map(\.rawValue) == [SIGHUP, SIGINT, SIGTERM])
  }

  @Test("the soft limit of open files becomes the hard one")
  func openFiles() throws {
    let limit = try ProcessSettings.raiseOpenFileLimit()
    var now = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &now)
    #expect(now.rlim_cur == now.rlim_max)
    #expect(limit == UInt64(now.rlim_max))
  }

  @Test("random bytes fill the buffer and do not repeat")
  func random() {
    let bytes = SecureRandom.bytes(count: 1000)
    #expect(bytes.count == 1000)
    #expect(bytes.suffix(16).contains { $0 != 0 })
    #expect(Set((0..<1000).map { _ in SecureRandom.bytes(count: 16) }).count == 1000)
    #expect(SecureRandom.bytes(count: 0) == [])
  }

  @Test("the clocks tell the time")
  func clocks() {
    let before = MonotonicClock.nanoseconds()
    #expect(before > 0)
    #expect(MonotonicClock.nanoseconds() >= before)
    #expect(MonotonicClock.milliseconds() >= before / 1_000_000)
    #expect(abs(WallClock.milliseconds() / 1000 - Int64(time(nil))) <= 1)
  }
}
