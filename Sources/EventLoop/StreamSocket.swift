// Built for release, Glibc alone does not show the SOCK_ constants.
import CLinux
import Glibc

/// What a receive brought.
public enum ReceiveResult: Equatable, Sendable {
  /// So many bytes, at least one (none only for an empty buffer).
  case bytes(Int)
  /// Nothing is there now.
  case wouldBlock
  /// The peer sends nothing more.
  case endOfStream
  /// The connection is broken, with the error number (`ECONNRESET`, `ETIMEDOUT`, …).
  case failed(Int32)
}

/// What a send took.
public enum SendResult: Equatable, Sendable {
  /// So many bytes, maybe fewer than there were.
  case bytes(Int)
  /// The socket takes nothing now.
  case wouldBlock
  /// The connection is broken, with the error number (`EPIPE`, `ECONNRESET`, …).
  case failed(Int32)
}

/// Nonblocking TCP sockets by their raw descriptor. None of these calls waits, and none raises SIGPIPE.
public enum StreamSocket {
  /// Receives what is there, up to the size of `buffer`.
  public static func receive(_ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer) -> ReceiveResult {
    // recv answers 0 for an empty buffer as it does for the end of the stream.
    if buffer.isEmpty { return .bytes(0) }
    while true {
      let count = recv(descriptor, buffer.baseAddress, buffer.count, 0)
      if count > 0 { return .bytes(count) }
      if count == 0 { return .endOfStream }
      switch errno {
      case EINTR: continue
      case EAGAIN: return .wouldBlock
      case let code: return .failed(code)
      }
    }
  }

  /// Sends what the socket takes of `bytes`.
  public static func send(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> SendResult {
    while true {
      let count = Glibc.send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
      if let result = sendResult(count) { return result }
    }
  }

  /// Sends what the socket takes of `first` and then `second`, in one call.
  public static func send(
    _ descriptor: Int32, _ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer
  ) -> SendResult {
    var pieces = (
      iovec(iov_base: UnsafeMutableRawPointer(mutating: first.baseAddress), iov_len: first.count),
      iovec(iov_base: UnsafeMutableRawPointer(mutating: second.baseAddress), iov_len: second.count)
    )
    return withUnsafeMutablePointer(to: &pieces) { pieces in
      pieces.withMemoryRebound(to: iovec.self, capacity: 2) { pieces in
        var message = msghdr()
        message.msg_iov = pieces
        message.msg_iovlen = 2
        while true {
          // sendmsg and not writev, which has no MSG_NOSIGNAL.
          let count = sendmsg(descriptor, &message, Int32(MSG_NOSIGNAL))
          if let result = sendResult(count) { return result }
        }
      }
    }
  }

  /// `nil` when the call was interrupted and is to be made again.
  private static func sendResult(_ count: Int) -> SendResult? {
    if count >= 0 { return .bytes(count) }
    switch errno {
    case EINTR: return nil
    case EAGAIN: return .wouldBlock
    case let code: return .failed(code)
    }
  }

  /// Begins to connect, without waiting: when the socket becomes writable, `takeError` tells whether it is connected.
  ///
  /// - Parameter source: the own address to connect from, its port 0 for any that is free towards `address`.
  /// - Throws: what refuses at once, for example `ENETUNREACH` or `EMFILE`.
  public static func connect(
    to address: SocketAddress, from source: SocketAddress? = nil
  ) throws(SystemError) -> FileDescriptor {
    let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    let descriptor = socket(address.family, type, 0)
    guard descriptor >= 0 else { throw SystemError.last("socket") }
    let owner = FileDescriptor(owning: descriptor)
    try setOption(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
    if let source {
      // Without it the port is chosen before the other end is known, and must be free towards everybody.
      try setOption(descriptor, Int32(IPPROTO_IP), IP_BIND_ADDRESS_NO_PORT, 1)
      guard source.withPointer({ bind(descriptor, $0, $1) }) == 0 else { throw SystemError.last("bind") }
    }
    let result = address.withPointer { Glibc.connect(descriptor, $0, $1) }
    // Interrupted, a nonblocking connect goes on by itself.
    if result != 0, errno != EINPROGRESS, errno != EINTR { throw SystemError.last("connect") }
    return owner
  }

  /// Tells the peer that nothing more will be sent (FIN); receiving goes on.
  public static func shutdownWrite(_ descriptor: Int32) {
    // Fails only when the connection is gone already, which the next receive tells.
    _ = shutdown(descriptor, Int32(SHUT_WR))
  }

  /// Takes the socket's pending error (`SO_ERROR`) off it: 0 when there is none.
  public static func takeError(_ descriptor: Int32) -> Int32 {
    var code: Int32 = 0
    var length = socklen_t(MemoryLayout<Int32>.size)
    return getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &length) == 0 ? code : errno
  }

  /// The other end; `nil` when the socket is not connected any more.
  public static func peerAddress(_ descriptor: Int32) -> SocketAddress? {
    SocketAddress.filled { getpeername(descriptor, $0, $1) }
  }

  /// This end; `nil` when the descriptor is no socket.
  public static func localAddress(_ descriptor: Int32) -> SocketAddress? {
    SocketAddress.filled { getsockname(descriptor, $0, $1) }
  }

  static func setOption(_ descriptor: Int32, _ level: Int32, _ name: Int32, _ value: Int32) throws(SystemError) {
    var value = value
    guard setsockopt(descriptor, level, name, &value, socklen_t(MemoryLayout<Int32>.size)) == 0 else {
      throw SystemError.last("setsockopt")
    }
  }
}
