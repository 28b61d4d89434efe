import CLinux
import COpenSSL
import EventLoop
import Glibc

/// Why somebody elsewhere cannot be talked to; the description ends a sentence.
enum ServiceFailure: Error, CustomStringConvertible {
  case unresolved(AddressError)
  case unreachable(String)
  case silent
  case closed
  case untrusted(String)

  var description: String {
    switch self {
    case .unresolved(let error): "\(error)"
    case .unreachable(let reason): "cannot be reached: \(reason)"
    case .silent: "does not answer"
    case .closed: "closes the connection"
    case .untrusted(let reason): "is not to be trusted: \(reason)"
    }
  }
}

/// A connection to a service elsewhere that waits, for who has nothing else to do: over UDP, TCP, or TLS.
final class ServiceConnection {
  enum Transport {
    case udp, tcp, tls
  }

  private let socket: FileDescriptor
  private let patience: Int32
  private let transport: Transport
  /// `SSL_CTX` and `SSL`.
  private var secure: (context: OpaquePointer, session: OpaquePointer)?

  init(host: String, port: UInt16, _ transport: Transport, patienceMilliseconds: Int32) throws(ServiceFailure) {
    let addresses: [SocketAddress]
    do throws(AddressError) {
      addresses = try SocketAddress.resolve(host: host, port: port)
    } catch {
      throw .unresolved(error)
    }
    patience = patienceMilliseconds
    self.transport = transport
    var failure = ServiceFailure.silent
    var found: FileDescriptor?
    for address in addresses {
      switch Self.connect(to: address, transport, patience) {
      case .success(let descriptor): found = FileDescriptor(owning: descriptor)
      case .failure(let reason): failure = reason
      }
      if found != nil { break }
    }
    guard let connected = found.take() else { throw failure }
    socket = connected
    if transport == .tls { try beginTLS(host) }
  }

  deinit {
    if let secure {
      SSL_free(secure.session)
      SSL_CTX_free(secure.context)
    }
  }

  private static func connect(
    to address: SocketAddress, _ transport: Transport, _ patience: Int32
  ) -> Result<Int32, ServiceFailure> {
    let kind = Int32(transport == .udp ? SOCK_DGRAM.rawValue : SOCK_STREAM.rawValue)
    let descriptor = Glibc.socket(address.family, kind | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { return .failure(.unreachable(SystemError.message(for: errno))) }
    // Of connect, read and write, whichever blocks.
    var time = timeval(tv_sec: Int(patience) / 1000, tv_usec: Int(patience) % 1000 * 1000)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
    setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
    guard address.connect(descriptor) else {
      let code = errno
      close(descriptor)
      return .failure(code == EINPROGRESS ? .silent : .unreachable(SystemError.message(for: code)))
    }
    return .success(descriptor)
  }

  private func beginTLS(_ host: String) throws(ServiceFailure) {
    ERR_clear_error()
    guard let context = SSL_CTX_new(TLS_client_method()) else { throw .untrusted("no TLS") }
    SSL_CTX_set_default_verify_paths(context)
    guard let session = SSL_new(context) else {
      SSL_CTX_free(context)
      throw .untrusted("no TLS")
    }
    secure = (context, session)
    SSL_set_verify(session, SSL_VERIFY_PEER, nil)
    let isNumeric = SocketAddress.numericHostBytes(host) != nil
    if isNumeric {
      X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), host)
    } else {
      _ = copenssl_set_server_name(session, host)
      SSL_set1_host(session, host)
    }
    SSL_set_fd(session, socket.rawValue)
    guard SSL_connect(session) == 1 else {
      let result = SSL_get_verify_result(session)
      ERR_clear_error()
      guard result == Int(X509_V_OK) else {
        throw .untrusted(X509_verify_cert_error_string(result).map { String(cString: $0) } ?? "error \(result)")
      }
      throw .unreachable("it does not speak TLS")
    }
  }

  func send(_ bytes: [UInt8]) throws(ServiceFailure) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { buffer in
        if let secure { return Int(SSL_write(secure.session, buffer.baseAddress, Int32(clamping: buffer.count))) }
        return Glibc.send(socket.rawValue, buffer.baseAddress, buffer.count, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { throw .closed }
      rest = rest.dropFirst(count)
    }
  }

  /// Some bytes: of UDP, one datagram.
  func receive() throws(ServiceFailure) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 65_536)
    let count = bytes.withUnsafeMutableBytes { buffer in
      if let secure { return Int(SSL_read(secure.session, buffer.baseAddress, Int32(clamping: buffer.count))) }
      return recv(socket.rawValue, buffer.baseAddress, buffer.count, 0)
    }
    if count > 0 { return Array(bytes.prefix(count)) }
    if secure == nil, count < 0 {
      if errno == EAGAIN || errno == EWOULDBLOCK { throw .silent }
      throw .unreachable(SystemError.message(for: errno))
    }
    throw .closed
  }

  // MARK: STUN

  /// Asks, again over UDP where it may have been lost, and waits for the answer.
  func ask(_ request: STUNMessage, key: [UInt8]? = nil) throws(ServiceFailure) -> STUNMessage {
    let bytes = request.encoded(key: key)
    var received: [UInt8] = []
    var failure = ServiceFailure.silent
    for _ in 0..<(transport == .udp ? 2 : 1) {
      try send(bytes)
      do throws(ServiceFailure) {
        while true {
          received = transport == .udp ? try receive() : received + (try receive())
          if let answer = STUNMessage(received), answer.transaction == request.transaction { return answer }
          guard received.count < 65_536 else { throw .closed }
        }
      } catch {
        failure = error
        guard case .silent = error else { throw error }
      }
    }
    throw failure
  }
}
