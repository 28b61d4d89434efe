import Foundation
import Testing

@testable import JSON

/// The reader against Foundation's. Deliberate differences: duplicate keys, nesting beyond the limit, numbers beyond
/// `Double`, a comma before a closing bracket (Foundation takes it), and a NUL, byte order mark or UTF-16 that Foundation
/// takes for an encoding.
@Suite("Reading JSON as Foundation does")
struct JSONDifferentialTests {
  static let documents = [
    #"{"v":1,"id":"01HZX","type":"signal.offer","to":"p-17","data":{"sdp":"v=0\r\no=- 46117317 2 IN IP4 127.0.0.1\r\n"}}"#,
    #"{"a":[1,-2,3.5e-7,0,1E5,true,false,null,"x",{}],"b":{"c":{"d":[[],[[1]]]}}}"#,
    #"["\"\\\/\b\f\n\r\t","\u0041\u00e9\u6f22","\uD83D\uDE00","é漢😀","\u0000"]"#,
    #"{"":"","a b":1,"\u0061":2,"été":3}"#,
    "[0.1,123456789012345678,-0,1e308,2.2250738585072014e-308,9223372036854775807]", "  [ ]  ", "\"plain\"", "12",
    "-1.25e+3", "true", "null", "[[[[[[[[[[1]]]]]]]]]]", #"{"list":[{"k":"v"},{"k":"w"}],"n":{"k":null}}"#, "[1,]",
    "{,}",
    "[01]", "\"\\x\"", "[\"\\uD800\"]", "{\"a\":1,,}", "nul", "[1 2]", "", "{\"a\"}", "[\"\t\"]", "[.5]", "[+1]",
  ]

  @Test("both accept and refuse the same documents, with the same values")
  func corpus() {
    for document in Self.documents { compare(Array(document.utf8)) }
  }

  @Test("two hundred thousand mutated documents trap neither reader nor view, and both readers agree")
  func mutations() {
    var generator = SeededGenerator(seed: 2_026)
    var reader = JSONReader()
    var accepted = 0
    for round in 0..<200_000 {
      var bytes = Array((Self.documents.randomElement(using: &generator) ?? "").utf8)
      for _ in 0..<Int.random(in: 1...3, using: &generator) { mutate(&bytes, using: &generator) }
      // Foundation is slow: it judges every tenth.
      if round % 10 == 0 { compare(bytes) }
      let size = try? reader.read(bytes) { visit($0) }
      if size != nil { accepted += 1 }
    }
    #expect(accepted > 10_000)
  }

  private func mutate(_ bytes: inout [UInt8], using generator: inout SeededGenerator) {
    let interesting =
      Array("{}[]\",:\\/u0123456789eE+-. \ttfnabDd".utf8) + [0x00, 0x1F, 0x80, 0xBF, 0xC2, 0xED, 0xF4, 0xFF]
    let byte = interesting.randomElement(using: &generator) ?? 0
    let place = Int.random(in: 0...bytes.count, using: &generator)
    switch Int.random(in: 0..<5, using: &generator) {
    case 0: bytes.insert(byte, at: place)
    case 1 where place < bytes.count: bytes[place] = byte
    case 2 where place < bytes.count: bytes.remove(at: place)
    case 3: bytes.removeSubrange(place...)
    default:
      let other = Int.random(in: 0...bytes.count, using: &generator)
      bytes.insert(contentsOf: bytes[min(place, other)..<max(place, other)], at: place)
    }
  }

  /// Touches everything a view offers; returns the number of values.
  private func visit(_ view: JSONView) -> Int {
    var count = 1
    _ = (view.integer, view.double, view.boolean, view.isNull, view.raw.count, view.equals("chat"), view["a"]?.kind)
    if let string = view.string { #expect(string.utf8.count == view.utf8Count && view.equals(string)) }
    for element in view.elements { count += visit(element) }
    for (key, value) in view.members {
      #expect(view[key.string ?? ""]?.raw.baseAddress == value.raw.baseAddress)
      count += visit(value)
    }
    return count
  }

  private func compare(_ bytes: [UInt8]) {
    // Foundation drops a byte order mark and guesses UTF-16 or UTF-32 from zero bytes.
    guard !bytes.starts(with: [0xEF, 0xBB, 0xBF]), !bytes.contains(0), bytes.first != 0xFF, bytes.first != 0xFE else {
      return
    }
    let theirs = try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)
    var reader = JSONReader()
    do throws(JSONError) {
      try reader.read(bytes) { view in
        let values = view.elements.map(\.double) + [view.double]
        guard let theirs else {
          #expect(values.contains(nil), "accepted here only: \(String(decoding: bytes, as: UTF8.self))")
          return
        }
        #expect(matches(view, theirs), "read otherwise: \(String(decoding: bytes, as: UTF8.self))")
      }
    } catch .duplicateKey, .tooDeep {
      return
    } catch .unexpectedByte(let offset) where isCommaBeforeBracket(bytes, offset) {
      return
    } catch {
      #expect(theirs == nil, "refused here only, \(error): \(String(decoding: bytes, as: UTF8.self))")
    }
  }

  private func isCommaBeforeBracket(_ bytes: [UInt8], _ offset: Int) -> Bool {
    "]}".utf8.contains(bytes[offset]) && bytes[..<offset].last { !" \t\r\n".utf8.contains($0) } == UInt8(ascii: ",")
  }

  private func matches(_ view: JSONView, _ theirs: Any) -> Bool {
    switch view.kind {
    case .null: return theirs is NSNull
    case .boolean: return (theirs as? Bool) == view.boolean
    case .string: return (theirs as? String) == view.string
    case .number:
      guard let number = theirs as? NSNumber, let double = view.double else { return false }
      return number.doubleValue == double || abs(number.doubleValue - double) <= abs(double) * 1e-15
    case .array:
      guard let array = theirs as? [Any], array.count == view.count else { return false }
      return zip(view.elements, array).allSatisfy { matches($0, $1) }
    case .object:
      guard let object = theirs as? [String: Any] else { return false }
      return view.members.allSatisfy { member in
        object[member.key.string ?? ""].map { matches(member.value, $0) } ?? false
      }
    }
  }
}
