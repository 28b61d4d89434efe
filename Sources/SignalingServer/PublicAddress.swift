/// Where clients reach the server, when that is not where it listens: behind a proxy.
public struct PublicAddress: Sendable, Hashable {
  /// What browsers send as `Origin` of its pages.
  let origin: WebOrigin
  private let isSecure: Bool
  private let rest: Substring

  /// Reads `https://class.example.org` or, where a proxy puts a folder before every path, `https://example.org/class`.
  /// Nil for anything else.
  public init?(_ text: String) {
    let scheme = text.hasPrefix("https://") ? "https://" : "http://"
    guard text.hasPrefix(scheme) else { return nil }
    var rest = text.dropFirst(scheme.count)
    while rest.last == "/" { rest.removeLast() }
    let path = rest.drop { $0 != "/" }
    let isPath = path.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        true
      case UInt8(ascii: "/"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"): true
      default: false
      }
    }
    guard isPath, let origin = WebOrigin(scheme + rest.prefix { $0 != "/" }) else { return nil }
    (self.origin, isSecure, self.rest) = (origin, scheme == "https://", rest)
  }

  /// The address of the page.
  var url: String { "\(isSecure ? "https" : "http")://\(rest)" }

  /// The address of the WebSocket.
  var socketURL: String { "\(isSecure ? "wss" : "ws")://\(rest)/ws" }
}
