/// The texts of the chat: a number, so that a message is known again, and padding, so that damage shows.
struct ChatText {
  private let byteCount: Int
  private let padding: [UInt8]

  /// Texts of this many bytes; a number that does not fit makes its text longer.
  init(byteCount: Int) {
    self.byteCount = byteCount
    let letters = Array("abcdefghijklmnopqrstuvwxyz".utf8)
    padding = (0..<byteCount).map { letters[$0 % letters.count] }
  }

  /// The text of the message of this number.
  func text(of message: Int) -> String {
    let head = "\(message) "
    return head + String(decoding: padding.prefix(max(0, byteCount - head.utf8.count)), as: UTF8.self)
  }

  /// The number of the message with this text; nil when no message has exactly this text.
  func message(of text: UnsafeRawBufferPointer) -> Int? {
    var number = 0
    var index = 0
    while index < text.count, case 0x30...0x39 = text[index], index < 12 {
      number = number * 10 + Int(text[index] - 0x30)
      index += 1
    }
    guard index > 0, index < text.count, text[0] != 0x30, text[index] == UInt8(ascii: " ") else { return nil }
    let rest = text[(index + 1)...]
    guard rest.count == max(0, byteCount - index - 1), rest.elementsEqual(padding.prefix(rest.count)) else {
      return nil
    }
    return number
  }
}
