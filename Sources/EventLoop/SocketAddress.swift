// Built for release, Glibc alone does not show the SOCK_ constants.
import CLinux
import Glibc

/// An IPv4 or IPv6 address with a port.
public struct SocketAddress: Sendable, CustomStringConvertible {
  var storage: sockaddr_storage
  var length: socklen_t

  init(storage: sockaddr_storage, length: socklen_t) {
    self.storage = storage
    self.length = length
  }

  /// The addresses of a host, in the order in which the system would try them.
  ///
  /// A numeric address is not looked up; a name may wait for the name service.
  ///
  /// - Parameters:
  ///   - host: `127.0.0.1`, `::1` (without brackets), `::`, or a name.
  ///   - port: 0…65535.
  /// - Throws: when the name is unknown.
  public static func resolve(host: String, port: UInt16) throws(AddressError) -> [SocketAddress] {
    var hints = addrinfo()
    hints.ai_family = AF_UNSPEC
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    hints.ai_flags = Int32(AI_NUMERICSERV)
    var list: UnsafeMutablePointer<addrinfo>?
    let code = getaddrinfo(host, String(port), &hints, &list)
    guard code == 0 else {
      throw AddressError(host: host, reason: gai_strerror(code).map { String(cString: $0) } ?? "error \(code)")
    }
    defer { freeaddrinfo(list) }
    var found: [SocketAddress] = []
    var next = list
    while let entry = next {
      next = entry.pointee.ai_next
      guard let address = entry.pointee.ai_addr, entry.pointee.ai_addrlen <= MemoryLayout<sockaddr_storage>.size
      else { continue }
      var storage = sockaddr_storage()
      withUnsafeMutableBytes(of: &storage) {
        $0.copyMemory(from: UnsafeRawBufferPointer(start: address, count: Int(entry.pointee.ai_addrlen)))
      }
      found.append(SocketAddress(storage: storage, length: entry.pointee.ai_addrlen))
    }
    guard !found.isEmpty else { throw AddressError(host: host, reason: "it has no address") }
    return found
  }

  /// The port, 0…65535; 0 when this is not an Internet address.
  public var port: UInt16 {
    withUnsafeBytes(of: storage) { bytes in
      switch Int32(storage.ss_family) {
      case AF_INET, AF_INET6: UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: 2, as: UInt16.self))
      default: 0
      }
    }
  }

  /// The same address with another port.
  public func with(port: UInt16) -> SocketAddress {
    var changed = self
    if family == AF_INET || family == AF_INET6 {
      withUnsafeMutableBytes(of: &changed.storage) {
        $0.storeBytes(of: port.bigEndian, toByteOffset: 2, as: UInt16.self)
      }
    }
    return changed
  }

  /// The numeric host, for example `192.0.2.1` or `2001:db8::1`. An IPv4 client of a dual-stack listener has its IPv4
  /// form (`192.0.2.1`, not `::ffff:192.0.2.1`), so that one person has one address.
  public var host: String { Self.numericHost(hostBytes) }

  /// What ``host`` says of these ``hostBytes``.
  public static func numericHost(_ bytes: [UInt8]) -> String {
    guard bytes.count == 4 || bytes.count == 16 else { return "unknown" }
    return withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(INET6_ADDRSTRLEN)) { text in
      let converted = bytes.withUnsafeBytes {
        inet_ntop(bytes.count == 4 ? AF_INET : AF_INET6, $0.baseAddress, text.baseAddress, socklen_t(text.count))
      }
      return converted.map { String(cString: $0) } ?? "unknown"
    }
  }

  /// The ``hostBytes`` of a numeric host without a port, `192.0.2.1` or `2001:db8::1`; nil when it is none.
  public static func numericHostBytes(_ host: String) -> [UInt8]? {
    for (family, count) in [(AF_INET, 4), (AF_INET6, 16)] {
      var bytes = [UInt8](repeating: 0, count: count)
      if inet_pton(family, host, &bytes) == 1 { return unmapped(bytes) }
    }
    return nil
  }

  /// RFC 4291, 2.5.5.2: ::ffff:a.b.c.d is the IPv4 address a.b.c.d.
  private static func unmapped(_ bytes: [UInt8]) -> [UInt8] {
    let isMapped =
      bytes.count == 16 && bytes[..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF
    return isMapped ? Array(bytes[12...]) : bytes
  }

  /// The address in network order: 4 bytes for IPv4 (also when mapped into IPv6), 16 for IPv6, none when this is not an
  /// Internet address.
  public var hostBytes: [UInt8] {
    withUnsafeBytes(of: storage) { bytes in
      switch Int32(storage.ss_family) {
      case AF_INET: return Array(bytes[4..<8])
      case AF_INET6: return Self.unmapped(Array(bytes[8..<24]))
      default: return []
      }
    }
  }

  /// For example `192.0.2.1:80` or `[2001:db8::1]:80`.
  public var description: String {
    let host = host
    return host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]:\(port)" : "\(host):\(port)"
  }

  /// `AF_INET` or `AF_INET6`.
  public var family: Int32 { Int32(storage.ss_family) }

  /// Connects a socket to it; `errno` tells why not.
  public func connect(_ socket: Int32) -> Bool { withPointer { Glibc.connect(socket, $0, $1) == 0 } }

  func withPointer<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
    withUnsafeBytes(of: storage) { bytes in
      guard let base = bytes.baseAddress else { preconditionFailure("sockaddr_storage is never empty") }
      return body(base.assumingMemoryBound(to: sockaddr.self), length)
    }
  }

  /// Whether this is an address of the machine itself: 127.0.0.0/8 or ::1.
  public var isLoopback: Bool {
    let bytes = hostBytes
    return bytes.count == 4 ? bytes[0] == 127 : bytes.last == 1 && bytes.dropLast().allSatisfy { $0 == 0 }
  }

  /// Fills an address by a call like `getsockname`.
  static func filled(
    by call: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32
  ) -> SocketAddress? {
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let result = withUnsafeMutablePointer(to: &storage) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { call($0, &length) }
    }
    return result == 0 ? SocketAddress(storage: storage, length: length) : nil
  }
}

/// A host that has no address.
public struct AddressError: Error, Equatable, Sendable, CustomStringConvertible {
  public let host: String
  /// The name service's own words.
  public let reason: String

  public var description: String { "cannot resolve \"\(host)\": \(reason)" }
}
