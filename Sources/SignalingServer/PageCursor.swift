import Classroom
import SignalingProtocol
import Tokens

/// The cursors of pages: where a page ended, sealed, so that a client can only give back what it was given.
///
/// A cursor names a place, not a number of entries: what is added or taken away meanwhile neither shows an entry twice nor
/// hides one.
struct PageCursors: Sendable {
  private let key: TokenKey

  init(secret: [UInt8]) { key = TokenKey(secret) }

  /// The text of a cursor.
  /// - Parameter list: what is paged, and for whom; the cursor is good for nothing else.
  func seal(_ position: SlotPosition, of list: String) -> String {
    let payload = Array("\(position.time).\(position.id)".utf8)
    let signature = key.sign(Self.signed(payload, list)).prefix(Self.signatureBytes)
    return String(decoding: Base64URL.encode(signature + payload), as: UTF8.self)
  }

  /// The place that a cursor names; nil for one that was not made here for this list.
  func open(_ text: String, of list: String) -> SlotPosition? {
    guard text.utf8.count <= Self.maximumBytes, let bytes = Base64URL.decode(text.utf8),
      bytes.count > Self.signatureBytes
    else { return nil }
    let payload = Array(bytes[Self.signatureBytes...])
    let expected = key.sign(Self.signed(payload, list)).prefix(Self.signatureBytes)
    // What the comparison tells by its time is worth nothing: a cursor leads nowhere that its holder may not look.
    guard expected.elementsEqual(bytes[..<Self.signatureBytes]) else { return nil }
    let content = String(decoding: payload, as: UTF8.self)
    guard let dot = content.firstIndex(of: "."), let time = Int64(content[..<dot]) else { return nil }
    return SlotPosition(time: time, id: String(content[content.index(after: dot)...]))
  }

  private static let signatureBytes = 12
  private static let maximumBytes = 1024

  // No token's signing input holds a zero byte.
  private static func signed(_ payload: [UInt8], _ list: String) -> [UInt8] {
    Array("cursor\0\(list)\0".utf8) + payload
  }
}
