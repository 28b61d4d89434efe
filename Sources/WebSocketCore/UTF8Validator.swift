/// Checks UTF-8 (RFC 3629) as it comes in, in pieces of any size, and finds fault at the first byte that no valid text
/// could continue with, not only at the end of a character.
public struct UTF8Validator: Sendable {
  /// Continuation bytes still due for the character begun.
  private var due: UInt8 = 0
  /// The range of the next continuation byte. Narrower than 80–BF after E0, ED, F0 and F4: no overlong forms, no
  /// surrogates, nothing beyond U+10FFFF.
  private var lowest: UInt8 = 0x80
  private var highest: UInt8 = 0xBF

  public init() {}

  /// Whether the bytes so far end with a whole character.
  public var isComplete: Bool { due == 0 }

  /// Takes in the next bytes. False when they cannot be part of valid UTF-8; the validator is of no use after that.
  public mutating func append(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard let base = bytes.baseAddress else { return true }
    let count = bytes.count
    var due = self.due
    var lowest = self.lowest
    var highest = self.highest
    var index = 0
    while index < count {
      if due == 0 {
        while count &- index >= 32, isASCII(base + index) { index &+= 32 }
        while count &- index >= 8,
          base.loadUnaligned(fromByteOffset: index, as: UInt64.self) & 0x8080_8080_8080_8080 == 0
        {
          index &+= 8
        }
        while index < count, base.load(fromByteOffset: index, as: UInt8.self) < 0x80 {
          index &+= 1
        }
        guard index < count else { break }
        lowest = 0x80
        highest = 0xBF
        let lead = base.load(fromByteOffset: index, as: UInt8.self)
        switch lead {
        case 0xC2...0xDF: due = 1
        case 0xE0...0xEF:
          due = 2
          if lead == 0xE0 { lowest = 0xA0 }
          if lead == 0xED { highest = 0x9F }
        case 0xF0...0xF4:
          due = 3
          if lead == 0xF0 { lowest = 0x90 }
          if lead == 0xF4 { highest = 0x8F }
        default: return false
        }
        index &+= 1
      } else {
        let byte = base.load(fromByteOffset: index, as: UInt8.self)
        guard byte >= lowest, byte <= highest else { return false }
        lowest = 0x80
        highest = 0xBF
        due &-= 1
        index &+= 1
      }
    }
    self.due = due
    self.lowest = lowest
    self.highest = highest
    return true
  }

  /// Whether the 32 bytes from here on are ASCII.
  @inline(__always)
  private func isASCII(_ bytes: UnsafeRawPointer) -> Bool {
    let words = bytes.loadUnaligned(as: SIMD4<UInt64>.self)
    return (words[0] | words[1] | words[2] | words[3]) & 0x8080_8080_8080_8080 == 0
  }

  /// Whether `bytes` are UTF-8 from beginning to end.
  public static func isValid(_ bytes: UnsafeRawBufferPointer) -> Bool {
    var validator = UTF8Validator()
    return validator.append(bytes) && validator.isComplete
  }
}
