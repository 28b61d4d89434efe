import CLinux
import Glibc

/// Why a server cannot listen.
public enum ListenError: Error, Equatable, Sendable, CustomStringConvertible {
  /// Another socket listens there already.
  case portInUse(host: String, port: UInt16)
  /// A port below 1024 without the right to it.
  case permissionDenied(host: String, port: UInt16)
  /// No such address on this machine.
  case addressNotAvailable(host: String)
  case unresolved(AddressError)
  case system(SystemError)

  public var description: String {
    switch self {
    case .portInUse(let host, let port): "port \(port) of \(host) is in use: another server listens there"
    case .permissionDenied(let host, let port): "not permitted to listen on port \(port) of \(host)"
    case .addressNotAvailable(let host): "\(host) is not an address of this machine"
    case .unresolved(let error): error.description
    case .system(let error): error.description
    }
  }
}

/// What an accept brought.
public enum AcceptResult: ~Copyable {
  /// A connection: nonblocking, closed on exec, without Nagle's delay.
  case accepted(FileDescriptor)
  /// Nobody is waiting.
  case wouldBlock
  /// Somebody is waiting, but the process (`EMFILE`) or the system (`ENFILE`) has no descriptor left. The listener stays
  /// readable: shed by ``ReserveDescriptor`` or stop watching it for a while.
  case outOfDescriptors(Int32)
  /// The system refuses (`ENOBUFS`, `ENOMEM`, …). The listener may stay readable: stop watching it for a while.
  case failed(SystemError)
}

/// A listening TCP socket. Several of one port share its connections, one for each event loop.
public final class Listener: Sendable {
  /// Connections that may wait to be accepted; the system may have a lower limit (`net.core.somaxconn`).
  public static let backlog: Int32 = 4096

  private let socket: FileDescriptor
  /// Where it listens, with the port that the system chose if none was asked for.
  public let address: SocketAddress

  private init(socket: consuming FileDescriptor, address: SocketAddress) {
    self.socket = socket
    self.address = address
  }

  /// What a poller watches for reading.
  public var descriptor: Int32 { socket.rawValue }

  /// Listens on `host` and `port` with `count` sockets, between which the system distributes the connections.
  ///
  /// The port belongs to these sockets alone: while they are open, a second `open` fails, in this process or another,
  /// also if both begin at once.
  ///
  /// - Parameters:
  ///   - host: a numeric address or a name; `::` takes IPv4 too, `0.0.0.0` IPv4 only. Of a name with several addresses,
  ///     the first that this machine has is used.
  ///   - port: 0 lets the system choose one.
  ///   - count: at least 1.
  public static func open(host: String, port: UInt16, count: Int) throws(ListenError) -> [Listener] {
    precondition(count >= 1)
    let candidates: [SocketAddress]
    do throws(AddressError) {
      candidates = try SocketAddress.resolve(host: host, port: port)
    } catch {
      throw .unresolved(error)
    }
    var failure = ListenError.addressNotAvailable(host: host)
    for candidate in candidates {
      do throws(SystemError) {
        return try listen(with: claim(candidate), count: count)
      } catch {
        failure = listenError(error, host: host, port: port)
        // A name like localhost may have an address of a family that is switched off here: try the next one.
        guard case .addressNotAvailable = failure else { throw failure }
      }
    }
    throw failure
  }

  /// Binds the first socket of an address, which then decides by `listen(with:count:)` whom the address belongs to.
  ///
  /// With `SO_REUSEPORT` a second server of the same user would get a share of the connections without anyone noticing.
  /// So the first socket binds *and listens* without it: the kernel lets only one such socket of an address listen
  /// (checked at `listen` again, which decides between two that begin at once). Only when it listens does it permit
  /// sharing, to sockets that permit it from the start, and those nobody makes without having won a first one.
  static func claim(_ address: SocketAddress) throws(SystemError) -> FileDescriptor {
    try makeSocket(bindingTo: address, sharingPort: false)
  }

  /// Listens with the claim, then adds the other sockets.
  static func listen(with claim: consuming FileDescriptor, count: Int) throws(SystemError) -> [Listener] {
    guard let bound = StreamSocket.localAddress(claim.rawValue) else { throw SystemError.last("getsockname") }
    guard Glibc.listen(claim.rawValue, backlog) == 0 else { throw SystemError.last("listen") }
    if count > 1 { try StreamSocket.setOption(claim.rawValue, SOL_SOCKET, SO_REUSEPORT, 1) }
    var listeners = [Listener(socket: claim, address: bound)]
    while listeners.count < count {
      let socket = try makeSocket(bindingTo: bound, sharingPort: true)
      guard Glibc.listen(socket.rawValue, backlog) == 0 else { throw SystemError.last("listen") }
      listeners.append(Listener(socket: socket, address: bound))
    }
    return listeners
  }

  private static func makeSocket(
    bindingTo address: SocketAddress, sharingPort: Bool
  ) throws(SystemError) -> FileDescriptor {
    let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    let descriptor = Glibc.socket(address.family, type, 0)
    guard descriptor >= 0 else { throw SystemError.last("socket") }
    let owner = FileDescriptor(owning: descriptor)
    // Connections of the last run in TIME_WAIT must not keep a restart from the port.
    try StreamSocket.setOption(descriptor, SOL_SOCKET, SO_REUSEADDR, 1)
    if sharingPort { try StreamSocket.setOption(descriptor, SOL_SOCKET, SO_REUSEPORT, 1) }
    if address.family == AF_INET6 {
      // Whatever net.ipv6.bindv6only says.
      try StreamSocket.setOption(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 0)
    }
    // Linux hands it down to the accepted sockets, which saves a call for each.
    try StreamSocket.setOption(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
    guard address.withPointer({ bind(descriptor, $0, $1) }) == 0 else { throw SystemError.last("bind") }
    return owner
  }

  private static func listenError(_ error: SystemError, host: String, port: UInt16) -> ListenError {
    switch error.code {
    case EADDRINUSE: .portInUse(host: host, port: port)
    case EACCES: .permissionDenied(host: host, port: port)
    case EADDRNOTAVAIL, EAFNOSUPPORT: .addressNotAvailable(host: host)
    default: .system(error)
    }
  }

  /// Accepts one connection, without waiting.
  public func accept() -> AcceptResult {
    var peer: SocketAddress?
    return accept(from: &peer)
  }

  /// Accepts one connection, without waiting.
  ///
  /// - Parameter peer: set to the other end of an accepted connection.
  public func accept(from peer: inout SocketAddress?) -> AcceptResult {
    let flags = Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    // Bounded, for a firewall can make it fail again and again: what is left comes with the next event.
    for _ in 0..<64 {
      var accepted: Int32 = -1
      peer = SocketAddress.filled {
        accepted = clinux_accept4(socket.rawValue, $0, $1, flags)
        return accepted >= 0 ? 0 : -1
      }
      if accepted >= 0 { return .accepted(FileDescriptor(owning: accepted)) }
      switch errno {
      case EAGAIN: return .wouldBlock
      case EMFILE, ENFILE: return .outOfDescriptors(errno)
      // accept(2): these belong to the connection that was waiting, not to the listener. The next one may be sound.
      case EINTR, ECONNABORTED, EPERM, EPROTO, ENETDOWN, ENOPROTOOPT, EHOSTDOWN, ENONET, EHOSTUNREACH, EOPNOTSUPP,
        ENETUNREACH:
        continue
      default: return .failed(SystemError.last("accept4"))
      }
    }
    return .wouldBlock
  }
}
