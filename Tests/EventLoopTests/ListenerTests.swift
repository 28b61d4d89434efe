import Glibc
import Testing

@testable import EventLoop

private func hasIPv6() -> Bool { (try? Listener.open(host: "::1", port: 0, count: 1)) != nil }

private func openFileLimit() -> UInt64 {
  var limit = rlimit()
  getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
  return UInt64(limit.rlim_cur)
}

@Suite("The listener")
struct ListenerTests {
  @Test("with port 0 the system chooses one port for all loops")
  func sharedPort() throws {
    let listeners = try listenOnLoopback(count: 4)
    #expect(listeners.count == 4)
    #expect(listeners[0].address.port != 0)
    #expect(Set(listeners.map(\.address.description)).count == 1)
    #expect(Set(listeners.map { StreamSocket.localAddress($0.descriptor)?.description }).count == 1)
    #expect(Set(listeners.map(\.descriptor)).count == 4)
  }

  @Test("connections are distributed between the listeners, the first one among them, and none is lost")
  func distribution() throws {
    let listeners = try listenOnLoopback(count: 2)
    var share = [0, 0]
    // Which listener gets a connection is a hash of its ports: 64 on one side have odds of 1 in 2^63.
    for _ in 0..<64 {
      let client = try StreamSocket.connect(to: listeners[0].address)
      var poller = try Poller()
      for index in 0..<2 { try poller.add(listeners[index].descriptor, .readable, token: UInt64(index)) }
      verify(try poller.wait(timeoutMilliseconds: 10_000) == 1)
      let index = Int(poller.event(at: 0).token)
      try accept(from: listeners[index]).close()
      share[index] += 1
      client.close()
    }
    #expect(share[0] + share[1] == 64)
    #expect(share[0] > 0 && share[1] > 0)
  }

  @Test("a port in use is noticed, however many sockets share it", arguments: [1, 3], ["127.0.0.1", "0.0.0.0"])
  func portInUse(count: Int, firstHost: String) throws {
    let first = try Listener.open(host: firstHost, port: 0, count: count)
    let port = first[0].address.port
    for host in ["127.0.0.1", "0.0.0.0"] {
      for secondCount in [1, 3] {
        #expect(throws: ListenError.portInUse(host: host, port: port)) {
          try Listener.open(host: host, port: port, count: secondCount)
        }
      }
    }
    #expect(first.count == count)
  }

  @Test("another program that would share the port is noticed")
  func foreignListener() throws {
    let foreign = FileDescriptor(owning: socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0))
    var one: Int32 = 1
    setsockopt(foreign.rawValue, SOL_SOCKET, SO_REUSEADDR, &one, 4)
    setsockopt(foreign.rawValue, SOL_SOCKET, SO_REUSEPORT, &one, 4)
    verify(listen(foreign.rawValue, 1) == 0)
    let port = try #require(StreamSocket.localAddress(foreign.rawValue)).port
    #expect(throws: ListenError.portInUse(host: "127.0.0.1", port: port)) {
      try Listener.open(host: "127.0.0.1", port: port, count: 2)
    }
  }

  @Test("of two that have bound before either listens, the first to listen gets the port", arguments: [1, 2])
  func boundAtOnce(count: Int) throws {
    let address = try listenOnLoopback()[0].address
    var first = try Listener.claim(address)
    let second = try Listener.claim(address)
    let winner = try Listener.listen(with: second, count: count)
    #expect(winner.count == count)
    let error = try #require(throws: SystemError.self) { try Listener.listen(with: first.take(), count: count) }
    #expect(error.code == EADDRINUSE)
  }

  @Test("of two that begin at once at most one gets the port")
  func race() throws {
    for _ in 0..<100 {
      let port = try listenOnLoopback()[0].address.port
      let ready = Locked(0)
      let opened = Locked<[[Listener]]>([])
      let refused = Locked(0)
      let threads = try (0..<2).map { _ in
        try spawnThread(name: "opener") {
          ready.withLock { $0 += 1 }
          while ready.withLock({ $0 }) < 2 {}
          do throws(ListenError) {
            let listeners = try Listener.open(host: "127.0.0.1", port: port, count: 2)
            opened.withLock { $0.append(listeners) }
          } catch .portInUse {
            refused.withLock { $0 += 1 }
          } catch {
            Issue.record(error)
          }
        }
      }
      for thread in threads { thread.join() }
      let winners = opened.withLock { $0.count }
      #expect(winners <= 1)
      #expect(winners + refused.withLock { $0 } == 2)
    }
  }

  @Test("a restart gets its port back although connections of the last run linger")
  func restart() throws {
    let port: UInt16
    do {
      let listeners = try listenOnLoopback(count: 2)
      port = listeners[0].address.port
      let client = try StreamSocket.connect(to: listeners[0].address)
      var poller = try Poller()
      for index in 0..<2 { try poller.add(listeners[index].descriptor, .readable, token: UInt64(index)) }
      try poller.wait(timeoutMilliseconds: 10_000)
      // The server closes first, so TIME_WAIT is on its side.
      try accept(from: listeners[Int(poller.event(at: 0).token)]).close()
      try waitUntil(client.rawValue, is: .readable)
      client.close()
    }
    #expect(try Listener.open(host: "127.0.0.1", port: port, count: 2).count == 2)
  }

  @Test("accepted sockets do not block and do not delay small writes")
  func acceptedOptions() throws {
    let pair = try ConnectedPair()
    var value: Int32 = 0
    var length = socklen_t(4)
    verify(getsockopt(pair.server.rawValue, Int32(IPPROTO_TCP), TCP_NODELAY, &value, &length) == 0)
    #expect(value != 0)
    #expect(received(pair.server.rawValue).1 == .wouldBlock)
    let listener = try listenOnLoopback()[0]
    switch listener.accept() {
    case .wouldBlock: break
    default: Issue.record("nobody is there")
    }
  }

  @Test("says what is wrong with an address")
  func badAddresses() {
    #expect(throws: ListenError.addressNotAvailable(host: "192.0.2.1")) {
      try Listener.open(host: "192.0.2.1", port: 0, count: 1)
    }
    let error = #expect(throws: ListenError.self) { try Listener.open(host: "a..b", port: 0, count: 1) }
    if case .unresolved(let reason) = error {
      #expect(reason.host == "a..b")
    } else {
      Issue.record("\(String(describing: error))")
    }
  }

  @Test("IPv6 is listened on, and :: takes IPv4 too", .enabled(if: hasIPv6()))
  func dualStack() throws {
    let listener = try Listener.open(host: "::", port: 0, count: 1)[0]
    let port = listener.address.port
    #expect(listener.address.description == "[::]:\(port)")
    let overIPv4 = try StreamSocket.connect(to: SocketAddress.resolve(host: "127.0.0.1", port: port)[0])
    let first = try accept(from: listener)
    #expect(StreamSocket.peerAddress(first.rawValue)?.host == "127.0.0.1")
    #expect(StreamSocket.peerAddress(first.rawValue)?.hostBytes == [127, 0, 0, 1])
    #expect(
      StreamSocket.peerAddress(first.rawValue)?.port == StreamSocket.localAddress(overIPv4.rawValue)?.port)
    let overIPv6 = try StreamSocket.connect(to: SocketAddress.resolve(host: "::1", port: port)[0])
    let second = try accept(from: listener)
    #expect(StreamSocket.peerAddress(second.rawValue)?.host == "::1")
    verify(overIPv6.isOpen)
  }

  @Test(
    "out of descriptors it says so, sheds one with the reserve, and accepts again when there is room",
    .enabled(if: openFileLimit() <= 1 << 20))
  func outOfDescriptors() throws {
    let failure = Locked<(any Error)?>(nil)
    // unshare(CLONE_FILES) gives the thread a descriptor table of its own to fill; the other tests keep theirs.
    let thread = try spawnThread(name: "no descriptors") {
      do {
        try withOwnDescriptorTable {
          let listener = try listenOnLoopback()[0]
          var reserve = try ReserveDescriptor()
          let first = try StreamSocket.connect(to: listener.address)
          let second = try StreamSocket.connect(to: listener.address)
          var fillers: [Int32] = []
          defer { for filler in fillers { close(filler) } }
          while true {
            let filler = dup(0)
            if filler < 0 { break }
            fillers.append(filler)
          }
          switch listener.accept() {
          case .outOfDescriptors(EMFILE): break
          default: Issue.record("there was no descriptor to accept with")
          }
          verify(reserve.shed(listener) == .shed)
          verify(received(first.rawValue).1 == .endOfStream, "its client learns it at once")
          verify(received(second.rawValue).1 == .wouldBlock)
          verify(reserve.shed(listener) == .shed, "the reserve is there again")
          verify(received(second.rawValue).1 == .endOfStream)
          verify(reserve.shed(listener) == .nobodyWaiting)

          for filler in fillers.suffix(2) { close(filler) }
          fillers.removeLast(2)
          let late = try StreamSocket.connect(to: listener.address)
          switch listener.accept() {
          case .accepted(let connection): verify(send(connection.rawValue, [1]) == .bytes(1))
          default: Issue.record("there was room again")
          }
          verify(received(late.rawValue).0 == [1])
        }
      } catch {
        failure.withLock { [error] in $0 = error }
      }
    }
    thread.join()
    if let error = failure.withLock({ $0 }) { throw error }
  }
}

private func withOwnDescriptorTable(_ body: () throws -> Void) throws {
  guard let symbol = dlsym(nil, "unshare") else { throw NothingHappened() }
  let unshare = unsafeBitCast(symbol, to: (@convention(c) (Int32) -> Int32).self)
  let cloneFiles: Int32 = 0x400
  guard unshare(cloneFiles) == 0 else { throw SystemError(code: errno, call: "unshare") }
  try body()
}
