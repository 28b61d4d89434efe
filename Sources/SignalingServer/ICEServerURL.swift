/// The address of a STUN or TURN server as browsers take it (RFC 7064, RFC 7065).
public struct ICEServerURL: Hashable, Sendable, CustomStringConvertible {
  /// What it speaks, and over what.
  public enum Scheme: String, Sendable {
    case stun, stuns, turn, turns
  }

  /// What carries the requests to it.
  public enum Transport: String, Sendable {
    case udp, tcp
  }

  public let scheme: Scheme
  /// A name, or a numeric address without brackets.
  public let host: String
  /// RFC 7064, 3.2 and RFC 7065, 3.2: 3478, or 5349 over TLS, where none is named.
  public let port: UInt16
  /// As it was written.
  public let description: String
  private let namedTransport: Transport?

  /// Nil for what is no such address.
  public init?(_ text: String) {
    guard let colon = text.firstIndex(of: ":"), let scheme = Scheme(rawValue: text[..<colon].lowercased()) else {
      return nil
    }
    var rest = text[text.index(after: colon)...]
    var transport: Transport?
    if let question = rest.firstIndex(of: "?") {
      // Only TURN has it (RFC 7065, 3.1).
      let query = rest[rest.index(after: question)...]
      guard scheme == .turn || scheme == .turns, query.hasPrefix("transport=") else { return nil }
      transport = Transport(rawValue: query.dropFirst("transport=".count).lowercased())
      guard transport != nil else { return nil }
      rest = rest[..<question]
    }
    var port = scheme == .stuns || scheme == .turns ? UInt16(5349) : 3478
    let host: Substring
    if rest.hasPrefix("[") {
      guard let end = rest.firstIndex(of: "]") else { return nil }
      host = rest[rest.index(after: rest.startIndex)..<end]
      rest = rest[rest.index(after: end)...]
    } else {
      let end = rest.firstIndex(of: ":") ?? rest.endIndex
      host = rest[..<end]
      rest = rest[end...]
    }
    if !rest.isEmpty {
      guard rest.hasPrefix(":"), let number = UInt16(rest.dropFirst()), number > 0 else { return nil }
      port = number
    }
    let isHost = host.utf8.allSatisfy { byte in
      (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
        || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || [0x2D, 0x2E, 0x3A, 0x5F].contains(byte)
    }
    guard !host.isEmpty, isHost else { return nil }
    (self.scheme, self.host, self.port, namedTransport, description) = (scheme, String(host), port, transport, text)
  }

  /// Whether it relays media (TURN).
  public var isRelay: Bool { scheme == .turn || scheme == .turns }
  /// Whether it is spoken to over TLS.
  public var isSecure: Bool { scheme == .stuns || scheme == .turns }
  /// What carries the requests: UDP where nothing else is named, TCP under TLS.
  public var transport: Transport { namedTransport ?? (isSecure ? .tcp : .udp) }
}
