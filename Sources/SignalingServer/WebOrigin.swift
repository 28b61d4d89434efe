/// An origin as browsers name it in `Origin` (RFC 6454 6.2): scheme, host, and the port where it is not the scheme's own.
public struct WebOrigin: Hashable, Sendable {
  /// In the letters and with the port that a browser uses.
  let rawValue: String

  /// Nil for what is no origin of a page: another scheme than http and https, a path, a wildcard, `null`.
  public init?(_ text: String) {
    let lowercased = text.lowercased()
    guard let scheme = ["http://", "https://"].first(where: lowercased.hasPrefix) else { return nil }
    var authority = lowercased.dropFirst(scheme.count)
    let ownPort = scheme == "http://" ? ":80" : ":443"
    if authority.hasSuffix(ownPort) { authority = authority.dropLast(ownPort.count) }
    let isHost = authority.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
      case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: ":"), UInt8(ascii: "["), UInt8(ascii: "]"),
        UInt8(ascii: "_"):
        true
      default: false
      }
    }
    guard let first = authority.utf8.first, first != UInt8(ascii: ":"), isHost else { return nil }
    rawValue = scheme + authority
  }
}
