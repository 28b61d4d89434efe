/// The kinds of picture that are taken as thumbnails, told by their content and never by what somebody calls them.
enum Picture: String, Sendable, CaseIterable {
  case jpeg
  case png
  case gif

  /// The bytes of a thumbnail.
  static let maximumBytes = 5 << 20

  /// The kind of a content; nil when it is none of them.
  init?(_ content: [UInt8]) {
    let beginnings: [(Picture, [UInt8])] = [
      (.jpeg, [0xFF, 0xD8, 0xFF]), (.png, [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]),
      (.gif, Array("GIF87a".utf8)), (.gif, Array("GIF89a".utf8)),
    ]
    guard let found = beginnings.first(where: { content.starts(with: $0.1) }) else { return nil }
    self = found.0
  }

  var contentType: String { "image/\(rawValue)" }
}
