/// Where the server is.
struct ServerTarget: Sendable, Equatable {
  /// A name or an address, IPv6 without brackets.
  var host: String
  var port: UInt16
  /// The path of the WebSocket.
  var path: String
  /// Whether TLS is spoken.
  var isSecure: Bool

  /// The value of a `Host` field.
  var authority: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

  /// Reads `ws://host:port/path` or `http://host:port`, with TLS `wss://` or `https://`; the path of the WebSocket is `/ws` when there is none.
  init?(_ text: String) {
    let scheme = ["ws://", "http://", "wss://", "https://"].first { text.lowercased().hasPrefix($0) }
    guard let scheme else { return nil }
    isSecure = scheme == "wss://" || scheme == "https://"
    let rest = text.dropFirst(scheme.count)
    let slash = rest.firstIndex(of: "/") ?? rest.endIndex
    var authority = rest[..<slash]
    path = rest[slash...].count > 1 ? String(rest[slash...]) : "/ws"
    guard path.utf8.allSatisfy({ 0x21...0x7E ~= $0 && $0 != UInt8(ascii: "#") }) else { return nil }
    if authority.first == "[" {
      guard let end = authority.firstIndex(of: "]") else { return nil }
      host = String(authority[authority.index(after: authority.startIndex)..<end])
      authority = authority[authority.index(after: end)...]
    } else {
      let end = authority.firstIndex(of: ":") ?? authority.endIndex
      host = String(authority[..<end])
      authority = authority[end...]
    }
    guard !host.isEmpty, host.utf8.allSatisfy({ 0x21...0x7E ~= $0 && $0 != UInt8(ascii: "@") }) else { return nil }
    if authority.isEmpty {
      port = isSecure ? 443 : 80
    } else {
      guard authority.first == ":", let number = UInt16(authority.dropFirst()), number > 0 else { return nil }
      port = number
    }
  }
}
