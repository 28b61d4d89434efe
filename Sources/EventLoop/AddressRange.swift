/// A network: all addresses that begin with the same bits, for example `10.0.0.0/8` or `2001:db8::/32`.
public struct AddressRange: Equatable, Sendable, CustomStringConvertible {
  /// 4 or 16 bytes.
  private let prefix: [UInt8]
  private let bitCount: Int

  /// A network in the notation of RFC 4632 and RFC 4291, 2.3, or one address.
  ///
  /// - Returns: nil when it is neither; names are not looked up.
  public init?(_ text: String) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard let bytes = parts.first.flatMap({ SocketAddress.numericHostBytes(String($0)) }) else { return nil }
    switch parts.count {
    case 1: bitCount = bytes.count * 8
    case 2:
      guard parts[1].utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
        let bits = Int(parts[1]),
        bits <= bytes.count * 8
      else { return nil }
      bitCount = bits
    default: return nil
    }
    prefix = bytes
  }

  /// Whether the address is in it.
  ///
  /// - Parameter hostBytes: as ``SocketAddress/hostBytes`` has them.
  public func contains(_ hostBytes: [UInt8]) -> Bool {
    guard hostBytes.count == prefix.count else { return false }
    let whole = bitCount / 8
    guard hostBytes[..<whole].elementsEqual(prefix[..<whole]) else { return false }
    let rest = bitCount % 8
    return rest == 0 || (hostBytes[whole] ^ prefix[whole]) >> (8 - UInt8(rest)) == 0
  }

  /// For example `10.0.0.0/8`.
  public var description: String { "\(SocketAddress.numericHost(prefix))/\(bitCount)" }
}
