import Testing
import WebSocketCore

@Suite("RFC 3629: incremental UTF-8")
struct UTF8ValidatorTests {
  /// Every byte at which a rule begins or ends.
  static let boundaries: [UInt8] = [
    0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE, 0xEF, 0xF0,
    0xF1, 0xF3, 0xF4, 0xF5, 0xFF,
  ]

  private func isValid(_ bytes: [UInt8]) -> Bool {
    bytes.withUnsafeBytes { UTF8Validator.isValid($0) }
  }

  private func isValid(_ bytes: [UInt8], splitAt split: Int) -> Bool {
    var validator = UTF8Validator()
    return bytes.withUnsafeBytes {
      validator.append(.init(rebasing: $0[..<split])) && validator.append(.init(rebasing: $0[split...]))
        && validator.isComplete
    }
  }

  /// Counts the sequences on which validator and standard library differ, so that a failure is one line.
  private func differences(_ sequences: some Sequence<[UInt8]>) -> Int {
    sequences.count { bytes in
      let expected = String(validating: bytes, as: UTF8.self) != nil
      return isValid(bytes) != expected || (0...bytes.count).contains { isValid(bytes, splitAt: $0) != expected }
    }
  }

  @Test("every sequence of one and two bytes")
  func exhaustiveShort() {
    let all = UInt8.min...UInt8.max
    #expect(differences(all.map { [$0] }) == 0)
    #expect(differences(all.lazy.flatMap { first in all.map { [first, $0] } }) == 0)
  }

  @Test("every three bytes out of the boundaries, at every split")
  func three() {
    let b = Self.boundaries
    #expect(differences(b.lazy.flatMap { x in b.flatMap { y in b.map { [x, y, $0] } } }) == 0)
  }

  @Test("every four bytes out of the boundaries after a lead of three or four bytes, at every split")
  func four() {
    let b = Self.boundaries
    let leads = b.filter { $0 >= 0xE0 }
    #expect(
      differences(leads.lazy.flatMap { w in b.flatMap { x in b.flatMap { y in b.map { [w, x, y, $0] } } } }) == 0)
  }

  @Test("the word path and the byte path agree wherever the character lies")
  func positions() {
    let characters: [[UInt8]] = [
      [0x41], [0xC3, 0xA9], [0xE2, 0x82, 0xAC], [0xF0, 0x9F, 0x98, 0x80], [0xC0, 0x80], [0xED, 0xA0, 0x80],
      [0xF4, 0x90, 0x80, 0x80], [0x80], [0xFF], [0xE2, 0x82],
    ]
    var sequences: [[UInt8]] = []
    for prefix in 0...17 {
      for suffix in 0...17 {
        for character in characters {
          sequences.append(
            [UInt8](repeating: 0x61, count: prefix) + character + [UInt8](repeating: 0x7A, count: suffix))
        }
      }
    }
    #expect(differences(sequences) == 0)
  }

  @Test("a fault is found at its byte, not at the end of the character")
  func earliestByte() {
    for (good, bad) in [
      ([0xF4], 0x90), ([0xED], 0xA0), ([0xE0], 0x9F), ([0xF0], 0x8F), ([0xF0, 0x9F], 0x41), ([], 0xC1), ([], 0xF5),
    ] as [([UInt8], UInt8)] {
      var validator = UTF8Validator()
      #expect(good.withUnsafeBytes { validator.append($0) })
      #expect(![bad].withUnsafeBytes { validator.append($0) })
    }
  }
}
