/// A request target (RFC 9112 §3.2), taken apart and checked.
public struct HTTPTarget: Sendable, Equatable {
  /// The target as it was sent.
  public let raw: String
  /// Host and port of an absolute-form target, which then stand in place of the Host field (RFC 9112 §3.2.2).
  public let authority: String?
  /// The path as it was sent, escapes and all: `/` at least, or `*`.
  public let path: String
  /// What follows the first `?`, as it was sent; nil without a `?`.
  public let query: String?
  /// The segments of the path, percent-decoded each by itself (a decoded `/` stays inside its segment). One slash at the
  /// end makes no segment: `/` has none, `/a/` has one, `/a//` has two. Dot segments are kept as they are.
  public let segments: [String]
  /// Whether the path ends in a slash and is more than that.
  public let hasTrailingSlash: Bool

  /// Takes a target of origin-form, absolute-form or asterisk-form apart.
  ///
  /// - Throws: a failure of status 400 when the target is of another form, has a fragment, or has an escape that is cut
  ///   off, is not hexadecimal, or decodes to NUL or to something other than UTF-8 (RFC 3986 §2.1).
  public init(_ raw: String) throws(HTTPParseFailure) {
    // RFC 3986 §2: visible ASCII only; a fragment is never sent (RFC 9110 §4.2.5).
    guard !raw.isEmpty, raw.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "#") }) else {
      throw HTTPParseFailure("bad_target")
    }
    self.raw = raw
    if raw == "*" {
      (authority, path, query, segments, hasTrailingSlash) = (nil, raw, nil, [], false)
      return
    }
    var rest = raw[...]
    if rest.utf8.first == UInt8(ascii: "/") {
      authority = nil
    } else {
      guard let scheme = ["http://", "https://"].first(where: { equalsIgnoringCase(raw.utf8Prefix($0), $0) }) else {
        throw HTTPParseFailure("bad_target")
      }
      let afterScheme = Substring(rest.utf8.dropFirst(scheme.utf8.count))
      let end = afterScheme.utf8.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") }
      let host = afterScheme[..<(end ?? afterScheme.endIndex)]
      // RFC 9110 §4.2.1: an empty host is invalid; §4.2.4: so is user information.
      guard !host.isEmpty, isValidHost(host) else { throw HTTPParseFailure("bad_target") }
      authority = String(host)
      rest = afterScheme[(end ?? afterScheme.endIndex)...]
    }
    let mark = rest.utf8.firstIndex(of: UInt8(ascii: "?"))
    let sentPath = rest[..<(mark ?? rest.endIndex)]
    path = sentPath.isEmpty ? "/" : String(sentPath)
    query = mark.map { String(rest[rest.utf8.index(after: $0)...]) }
    var decoded: [String] = []
    let parts = path.utf8.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    for part in parts {
      guard let segment = percentDecoded(Substring(part), plusIsSpace: false) else {
        throw HTTPParseFailure("bad_path_escape")
      }
      decoded.append(segment)
    }
    if decoded.last?.isEmpty == true { decoded.removeLast() }
    segments = decoded
    hasTrailingSlash = path.utf8.count > 1 && path.utf8.last == UInt8(ascii: "/")
    if let query {
      for part in query.utf8.split(whereSeparator: { $0 == UInt8(ascii: "&") || $0 == UInt8(ascii: "=") })
      where percentDecoded(Substring(part), plusIsSpace: true) == nil {
        throw HTTPParseFailure("bad_query_escape")
      }
    }
  }

  /// One `name=value` of the query.
  public struct QueryItem: Sendable, Equatable {
    public var name: String
    public var value: String

    public init(name: String, value: String) {
      self.name = name
      self.value = value
    }
  }

  /// The query as the fields of a form (`application/x-www-form-urlencoded`): separated by `&`, `+` means a space, a name
  /// without `=` has an empty value.
  public var queryItems: [QueryItem] {
    guard let query else { return [] }
    return query.utf8.split(separator: UInt8(ascii: "&")).map { item in
      let equals = item.firstIndex(of: UInt8(ascii: "="))
      let name = Substring(item[..<(equals ?? item.endIndex)])
      let value = equals.map { Substring(item[item.index(after: $0)...]) } ?? ""
      return QueryItem(
        name: percentDecoded(name, plusIsSpace: true) ?? "", value: percentDecoded(value, plusIsSpace: true) ?? "")
    }
  }

  /// The first value of this name in the query, nil when absent. Names are compared exactly.
  public func queryValue(_ name: String) -> String? {
    queryItems.first { $0.name == name }?.value
  }
}

extension String {
  /// As many bytes from the start as `other` has; empty when that would cut a character.
  fileprivate func utf8Prefix(_ other: String) -> Substring {
    Substring(utf8.prefix(other.utf8.count))
  }
}

/// Resolves `%xx` escapes; nil when one is malformed or the outcome holds NUL or is not UTF-8.
func percentDecoded(_ text: Substring, plusIsSpace: Bool) -> String? {
  let bytes = text.utf8
  if !bytes.contains(where: { $0 == UInt8(ascii: "%") || (plusIsSpace && $0 == UInt8(ascii: "+")) }) {
    return String(text)
  }
  var decoded: [UInt8] = []
  decoded.reserveCapacity(bytes.count)
  var iterator = bytes.makeIterator()
  while let byte = iterator.next() {
    switch byte {
    case UInt8(ascii: "%"):
      guard let high = iterator.next()?.hexadecimalValue, let low = iterator.next()?.hexadecimalValue,
        high << 4 | low != 0
      else { return nil }
      decoded.append(high << 4 | low)
    case UInt8(ascii: "+") where plusIsSpace: decoded.append(.space)
    default: decoded.append(byte)
    }
  }
  return String(validating: decoded, as: UTF8.self)
}

/// RFC 9110 §7.2, RFC 3986 §3.2: a name or address and perhaps a port, without user information. Empty is valid.
func isValidHost(_ host: Substring) -> Bool {
  var rest = host.utf8[...]
  if rest.first == UInt8(ascii: "[") {
    guard let end = rest.firstIndex(of: UInt8(ascii: "]")) else { return false }
    let address = rest[rest.index(after: rest.startIndex)..<end]
    guard address.contains(UInt8(ascii: ":")),
      address.allSatisfy({ $0.hexadecimalValue != nil || $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: ".") })
    else { return false }
    rest = rest[rest.index(after: end)...]
  } else {
    let end = rest.firstIndex(of: UInt8(ascii: ":")) ?? rest.endIndex
    guard rest[..<end].allSatisfy({ $0.isRegisteredNameCharacter }),
      percentDecoded(Substring(rest[..<end]), plusIsSpace: false) != nil
    else { return false }
    rest = rest[end...]
  }
  guard let colon = rest.first else { return true }
  return colon == UInt8(ascii: ":") && rest.count <= 6 && rest.dropFirst().allSatisfy(\.isDigit)
}

extension UInt8 {
  /// RFC 3986 §3.2.2 `reg-name`: unreserved, sub-delims and the sign of an escape.
  fileprivate var isRegisteredNameCharacter: Bool {
    if isLetter || isDigit { return true }
    switch self {
    case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"), UInt8(ascii: "!"),
      UInt8(ascii: "$"), UInt8(ascii: "&"), UInt8(ascii: "'"), UInt8(ascii: "("), UInt8(ascii: ")"),
      UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "="),
      UInt8(ascii: "%"):
      return true
    default: return false
    }
  }
}
