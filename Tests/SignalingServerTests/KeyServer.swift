import EventLoop
import Glibc

/// A web server of a test's own that gives one answer to everybody, until it is told another.
final class KeyServer: Sendable {
  /// How a request is answered.
  enum Answer: Sendable {
    case body([UInt8])
    case status(Int, header: String = "")
    /// A body without end.
    case endless
    /// None at all.
    case silence
  }

  private struct State {
    var answer: Answer
    var requests = 0
    var open: [Int32] = []
    var isStopped = false
  }

  let port: UInt16
  private let listener: Int32
  private let state: Locked<State>
  private let thread: ThreadHandle

  init(_ answer: Answer) throws {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let result = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        bind(listener, address, length) == 0 && listen(listener, 16) == 0
          && getsockname(listener, address, &length) == 0
      }
    }
    guard result else { throw VectorFailure("no key server: errno \(errno)") }
    self.listener = listener
    port = UInt16(bigEndian: address.sin_port)
    let state = Locked(State(answer: answer))
    self.state = state
    thread = try spawnThread(name: "keys") {
      while true {
        let client = accept(listener, nil, nil)
        let answer = state.withLock { state -> Answer? in
          if state.isStopped || client < 0 { return nil }
          state.requests += 1
          return state.answer
        }
        guard let answer else {
          close(client)
          return
        }
        Self.serve(client, answer, state)
      }
    }
  }

  deinit { stop() }

  var address: String { "http://127.0.0.1:\(port)/keys" }
  var requests: Int { state.withLock { $0.requests } }

  func say(_ answer: Answer) { state.withLock { $0.answer = answer } }

  func stop() {
    let open = state.withLock { state -> [Int32]? in
      if state.isStopped { return nil }
      state.isStopped = true
      return state.open
    }
    guard let open else { return }
    shutdown(listener, Int32(SHUT_RDWR))
    thread.join()
    for client in open { close(client) }
    close(listener)
  }

  private static func serve(_ client: Int32, _ answer: Answer, _ state: Locked<State>) {
    var request: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 4096)
    while request.firstRange(of: Array("\r\n\r\n".utf8)) == nil {
      let count = read(client, &piece, piece.count)
      guard count > 0 else {
        close(client)
        return
      }
      request += piece[..<count]
    }
    func write(_ bytes: [UInt8]) -> Bool {
      send(client, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count
    }
    switch answer {
    case .body(let body):
      _ = write(Array("HTTP/1.1 200 OK\r\nContent-Length: \(body.count)\r\nConnection: close\r\n\r\n".utf8) + body)
    case .status(let status, let header):
      _ = write(Array("HTTP/1.1 \(status) X\r\nContent-Length: 0\r\nConnection: close\r\n\(header)\r\n".utf8))
    case .endless:
      guard write(Array("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".utf8)) else { break }
      let filler = [UInt8](repeating: UInt8(ascii: " "), count: 16_384)
      while write(filler) {}
    case .silence:
      state.withLock { $0.open.append(client) }
      return
    }
    close(client)
  }
}
