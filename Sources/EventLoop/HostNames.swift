import Glibc

/// What this machine is called, by itself and by its addresses.
public enum HostNames {
  /// The machine's own name, nil when it has none.
  public static func ownName() -> String? {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
      // A name that does not fit may come without its end.
      guard let base = buffer.baseAddress, gethostname(base, buffer.count - 1) == 0 else { return nil }
      buffer[buffer.count - 1] = 0
      return base.pointee == 0 ? nil : String(cString: base)
    }
  }

  /// The addresses of its interfaces, those of one link alone (fe80::/10) left out, since they mean nothing without it.
  public static func ownAddresses() -> [SocketAddress] {
    var list: UnsafeMutablePointer<ifaddrs>?
    guard getifaddrs(&list) == 0 else { return [] }
    defer { freeifaddrs(list) }
    var found: [SocketAddress] = []
    var next = list
    while let entry = next {
      next = entry.pointee.ifa_next
      guard let address = entry.pointee.ifa_addr else { continue }
      let length: Int
      switch Int32(address.pointee.sa_family) {
      case AF_INET: length = MemoryLayout<sockaddr_in>.size
      case AF_INET6: length = MemoryLayout<sockaddr_in6>.size
      default: continue
      }
      var storage = sockaddr_storage()
      withUnsafeMutableBytes(of: &storage) {
        $0.copyMemory(from: UnsafeRawBufferPointer(start: address, count: length))
      }
      let socketAddress = SocketAddress(storage: storage, length: socklen_t(length))
      let bytes = socketAddress.hostBytes
      // RFC 4291, 2.5.6.
      if bytes.count == 16, bytes[0] == 0xFE, bytes[1] & 0xC0 == 0x80 { continue }
      found.append(socketAddress)
    }
    return found
  }
}
