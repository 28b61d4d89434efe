/// Why a text is not one acceptable JSON value. Every case carries the byte offset of the offence.
public enum JSONError: Error, Equatable, Sendable {
  /// The input ended inside a value, or held no value at all (RFC 8259 §2).
  case unexpectedEnd(offset: Int)
  /// A byte the grammar does not allow at this place (RFC 8259 §2).
  case unexpectedByte(offset: Int)
  /// Something other than whitespace follows the value (RFC 8259 §2).
  case trailingBytes(offset: Int)
  /// A number that departs from the grammar, such as `01`, `1.` or `+1` (RFC 8259 §6).
  case invalidNumber(offset: Int)
  /// A control character below U+0020 stands unescaped in a string (RFC 8259 §7).
  case controlCharacter(offset: Int)
  /// A backslash is not followed by an escape of RFC 8259 §7.
  case invalidEscape(offset: Int)
  /// A `\u` escape names half of a surrogate pair only (RFC 8259 §8.2).
  case loneSurrogate(offset: Int)
  /// A string is not well-formed UTF-8 (RFC 8259 §8.1, RFC 3629 §4).
  case invalidUTF8(offset: Int)
  /// An object names the same key twice, escapes resolved (RFC 8259 §4 leaves the meaning open; here it is refused).
  case duplicateKey(offset: Int)
  /// Arrays and objects are nested deeper than the caller allows (RFC 8259 §9).
  case tooDeep(offset: Int)
  /// The text has more than ``JSONReader/maximumTokens`` values and keys (RFC 8259 §9).
  case tooManyTokens(offset: Int)
  /// The text is longer than ``JSONReader/maximumBytes`` (RFC 8259 §9).
  case tooLong(offset: Int)

  /// Where the offence is, in bytes from the start of the input.
  public var offset: Int {
    switch self {
    case .unexpectedEnd(let offset), .unexpectedByte(let offset), .trailingBytes(let offset),
      .invalidNumber(let offset), .controlCharacter(let offset), .invalidEscape(let offset),
      .loneSurrogate(let offset), .invalidUTF8(let offset), .duplicateKey(let offset), .tooDeep(let offset),
      .tooManyTokens(let offset), .tooLong(let offset):
      return offset
    }
  }
}
