import Classroom
import JSON

/// The hashes of forgotten idempotency keys as entries of a snapshot: many in one, 16 hexadecimal digits each.
struct ForgottenKeys {
  /// The hashes of one entry.
  static let hashesPerEntry = 4096

  /// Hashes of one user.
  struct OfUser {
    var user: String
    var hashes: [UInt64]
  }

  var users: [OfUser] = []

  /// All hashes, in as many pieces as there are entries.
  static func chunks(of keys: IdempotencyKeys) -> [ForgottenKeys] {
    var chunks: [ForgottenKeys] = []
    var room = 0
    for keys in keys.users.values where !keys.forgotten.isEmpty {
      var rest = Array(keys.forgotten.ascending)[...]
      while !rest.isEmpty {
        if room == 0 {
          chunks.append(ForgottenKeys())
          room = hashesPerEntry
        }
        chunks[chunks.endIndex - 1].users.append(OfUser(user: keys.user, hashes: Array(rest.prefix(room))))
        let taken = min(room, rest.count)
        rest = rest.dropFirst(taken)
        room -= taken
      }
    }
    return chunks
  }

  func encode(into writer: inout JSONWriter) {
    writer.array("users") { writer in
      for keys in users {
        writer.object { writer in
          writer.field("user", keys.user)
          writer.field("hashes", Hexadecimal.text(of: keys.hashes))
        }
      }
    }
  }
}

extension ForgottenKeys.OfUser {
  init(_ fields: RecordFields) throws(UnreadableRecord) {
    user = try fields.string("user")
    guard let hashes = Hexadecimal.words(in: try fields.string("hashes")) else { throw fields.unreadable("hashes") }
    self.hashes = hashes
  }
}

/// 64-bit words as 16 hexadecimal digits each.
private enum Hexadecimal {
  private static let digits = Array("0123456789abcdef".utf8)

  static func text(of words: [UInt64]) -> String {
    var text: [UInt8] = []
    text.reserveCapacity(words.count * 16)
    for word in words {
      for shift in stride(from: 60, through: 0, by: -4) { text.append(digits[Int(word >> UInt64(shift) & 15)]) }
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// The words of a text, or nil when it is not such a text.
  static func words(in text: String) -> [UInt64]? {
    guard text.utf8.count.isMultiple(of: 16) else { return nil }
    var words: [UInt64] = []
    words.reserveCapacity(text.utf8.count / 16)
    var word: UInt64 = 0
    for (index, byte) in text.utf8.enumerated() {
      let digit: UInt8
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
      default: return nil
      }
      word = word << 4 | UInt64(digit)
      if index % 16 == 15 { words.append(word) }
    }
    return words
  }
}
