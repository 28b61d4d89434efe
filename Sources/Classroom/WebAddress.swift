/// Addresses that a session may name.
public enum WebAddress {
  /// The bytes that an address may have.
  public static let bytes = 1...2048

  /// Whether the text is an absolute address by http or https with a host, of printable ASCII without spaces (RFC 3986).
  public static func isValid(_ text: String) -> Bool {
    guard bytes.contains(text.utf8.count) else { return false }
    let lowered = text.lowercased()
    let rest: Substring
    if lowered.hasPrefix("https://") {
      rest = lowered.dropFirst(8)
    } else if lowered.hasPrefix("http://") {
      rest = lowered.dropFirst(7)
    } else {
      return false
    }
    let host = rest.prefix { !"/?#".contains($0) }
    guard !host.isEmpty, !host.hasPrefix(":"), !host.contains("@") else { return false }
    return text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !Self.forbidden.contains($0) }
  }

  /// What stands before the name of a picture that the server itself keeps.
  public static let picturePath = "/api/thumbnails/"

  /// Whether the text is the path of a picture that a server may keep: letters and digits, and a dot before its kind.
  public static func isOwnPicture(_ text: String) -> Bool {
    guard bytes.contains(text.utf8.count), text.hasPrefix(picturePath) else { return false }
    return text.dropFirst(picturePath.count).utf8.allSatisfy { byte in
      (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        || byte == UInt8(ascii: ".")
    }
  }

  /// Never in an address as it stands (RFC 3986, appendix C and 2.2).
  private static let forbidden = Array(#""<>\^`{|}"#.utf8)
}

/// What meeting addresses are made of: an address in which `{room_name}` stands for the room, or to which the room is added.
public struct MeetingTemplate: Sendable, Hashable {
  private let prefix: String
  private let suffix: String

  /// A template of this text, or nil when what it makes is no address by http or https.
  public init?(_ text: String) {
    let parts = Self.split(text)
    prefix = parts.prefix
    suffix = parts.suffix
    guard WebAddress.isValid(address(of: "room")) else { return nil }
  }

  private static func split(_ text: String) -> (prefix: String, suffix: String) {
    let placeholder = "{room_name}"
    var index = text.startIndex
    while index < text.endIndex {
      if text[index...].hasPrefix(placeholder) {
        return (String(text[..<index]), String(text[index...].dropFirst(placeholder.count)))
      }
      index = text.index(after: index)
    }
    return (text.hasSuffix("/") ? text : text + "/", "")
  }

  /// As an operator writes it.
  public var text: String { prefix + "{room_name}" + suffix }

  /// The address of a room.
  public func address(of roomName: String) -> String { prefix + roomName + suffix }
}
