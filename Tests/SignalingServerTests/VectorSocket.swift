import Glibc

/// A blocking TCP connection to a server of this machine. Every wait ends at a deadline.
final class VectorSocket {
  /// How long a step may wait.
  static let patience: Double = 10

  private var descriptor: Int32

  init(port: UInt16) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw VectorFailure("no socket: errno \(errno)") }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
    let result = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard result == 0 else { throw VectorFailure("no connection: errno \(errno)") }
  }

  deinit { shut() }

  /// Cuts the connection.
  func shut() {
    guard descriptor >= 0 else { return }
    close(descriptor)
    descriptor = -1
  }

  static func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  /// Waits until the socket can be read or written.
  private func wait(for events: Int32, until deadline: Double) throws {
    while true {
      var watched = pollfd(fd: descriptor, events: Int16(events), revents: 0)
      let milliseconds = max(0, ((deadline - Self.now()) * 1000).rounded(.up))
      let count = poll(&watched, 1, Int32(milliseconds))
      if count > 0 { return }
      if count == 0 { throw VectorFailure("nothing (more) came in time") }
      guard errno == EINTR else { throw VectorFailure("poll fails: errno \(errno)") }
    }
  }

  /// Sends everything, unless the other side has gone.
  func send(_ bytes: [UInt8]) throws {
    var sent = 0
    while sent < bytes.count {
      try wait(for: POLLOUT, until: Self.now() + Self.patience)
      let count = bytes[sent...].withUnsafeBytes {
        Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      // The server may refuse and close before it has read everything: its answer counts.
      if count < 0 && (errno == EPIPE || errno == ECONNRESET) { return }
      guard count > 0 else { throw VectorFailure("cannot send: errno \(errno)") }
      sent += count
    }
  }

  /// What comes next; nil at the end of the stream.
  func receive(until deadline: Double) throws -> [UInt8]? {
    try wait(for: POLLIN, until: deadline)
    var buffer = [UInt8](repeating: 0, count: 65_536)
    let count = recv(descriptor, &buffer, buffer.count, 0)
    if count < 0 && errno == ECONNRESET { return nil }
    guard count >= 0 else { throw VectorFailure("cannot receive: errno \(errno)") }
    return count == 0 ? nil : Array(buffer[..<count])
  }
}
