import Testing

@testable import JSON

@Suite("Writing JSON")
struct JSONWriterTests {
  func written(_ body: (inout JSONWriter) -> Void) -> String {
    var writer = JSONWriter()
    body(&writer)
    return String(decoding: writer.bytes, as: UTF8.self)
  }

  @Test("commas stand between members and elements and nowhere else")
  func commas() {
    let text = written { writer in
      writer.beginObject()
      writer.field("a", 1)
      writer.field("b", "x")
      writer.key("c")
      writer.beginArray()
      writer.endArray()
      writer.array("d") { writer in
        writer.integer(1)
        writer.object { _ in }
        writer.object { $0.field("e", true) }
        writer.null()
      }
      writer.field("f", nil as String?)
      writer.field("g", raw: Array("[1, 2]".utf8))
      writer.endObject()
    }
    #expect(text == #"{"a":1,"b":"x","c":[],"d":[1,{},{"e":true},null],"f":null,"g":[1, 2]}"#)
  }

  @Test("strings are escaped where RFC 8259 §7 asks for it, and only there")
  func escapes() {
    #expect(
      written { $0.string("\"\\\u{8}\u{C}\n\r\t\u{0}\u{1F}/é😀\u{7F}") }
        == "\"\\\"\\\\\\b\\f\\n\\r\\t\\u0000\\u001f/é😀\u{7F}\"")
    #expect(written { $0.string("" as String) } == "\"\"")
    let text: StaticString = "say \"hi\"\n"
    #expect(written { $0.string(text) } == #""say \"hi\"\n""#)
    #expect(
      written { writer in
        writer.object { writer in
          writer.key("a\"b" as String)
          writer.boolean(false)
        }
      } == #"{"a\"b":false}"#)
  }

  @Test("integers of every width are written whole")
  func integers() {
    #expect(written { $0.integer(Int64.min) } == "-9223372036854775808")
    #expect(written { $0.integer(UInt64.max) } == "18446744073709551615")
    #expect(written { $0.integer(Int8.min) } == "-128")
    #expect(written { $0.integer(0) } == "0")
    #expect(written { $0.integer(-7) } == "-7")
    #expect(written { $0.integer(10) } == "10")
    #expect(written { $0.integer(Int128.max) } == "170141183460469231731687303715884105727")
  }

  @Test("numbers JSON cannot say become null (RFC 8259 §6)")
  func numbers() {
    #expect(written { $0.number(.nan) } == "null")
    #expect(written { $0.number(.infinity) } == "null")
    #expect(written { $0.number(0.1) } == "0.1")
  }

  @Test("a writer that was emptied starts afresh and keeps its memory")
  func reuse() {
    var writer = JSONWriter(reserving: 256)
    let capacity = writer.bytes.capacity
    writer.object { $0.field("a", 1) }
    writer.removeAll()
    #expect(writer.count == 0)
    writer.object { $0.field("b", 2) }
    #expect(writer.withUnsafeBytes { String(decoding: $0, as: UTF8.self) } == #"{"b":2}"#)
    #expect(writer.bytes.capacity == capacity)
  }

  @Test("what is written at random reads back the same", arguments: 0..<40)
  func roundTrip(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    var reader = JSONReader()
    var writer = JSONWriter()
    for _ in 0..<50 {
      let tree = JSONTree.random(depth: 5, using: &generator)
      writer.removeAll()
      tree.write(to: &writer)
      let again = try reader.read(writer.bytes) { JSONTree($0) }
      #expect(again == tree)
    }
  }
}

/// SplitMix64, so that a seed always gives the same test.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}

/// A JSON value as a tree, to compare what different readers make of a text.
indirect enum JSONTree: Equatable {
  case object([String: JSONTree])
  case array([JSONTree])
  case string(String)
  case integer(Int64)
  case double(Double)
  case boolean(Bool)
  case null

  init(_ view: JSONView) {
    switch view.kind {
    case .object:
      self = .object(
        Dictionary(view.members.map { ($0.key.string ?? "?", JSONTree($0.value)) }, uniquingKeysWith: { $1 }))
    case .array: self = .array(view.elements.map { JSONTree($0) })
    case .string: self = .string(view.string ?? "?")
    case .number: self = view.integer.map { .integer($0) } ?? .double(view.double ?? .infinity)
    case .boolean: self = .boolean(view.boolean ?? false)
    case .null: self = .null
    }
  }

  func write(to writer: inout JSONWriter) {
    switch self {
    case .object(let members):
      writer.object { writer in
        for (key, value) in members {
          writer.key(key)
          value.write(to: &writer)
        }
      }
    case .array(let elements):
      writer.array { writer in
        for element in elements { element.write(to: &writer) }
      }
    case .string(let value): writer.string(value)
    case .integer(let value): writer.integer(value)
    case .double(let value): writer.number(value)
    case .boolean(let value): writer.boolean(value)
    case .null: writer.null()
    }
  }

  static func random(depth: Int, using generator: inout SeededGenerator) -> JSONTree {
    switch Int.random(in: 0..<(depth > 0 ? 9 : 6), using: &generator) {
    case 0: return .null
    case 1: return .boolean(Bool.random(using: &generator))
    case 2:
      return .integer(Int64.random(in: .min ... .max, using: &generator) >> Int64.random(in: 0..<64, using: &generator))
    case 3:
      let value = Double(bitPattern: generator.next())
      // A whole number prints with ".0" or an exponent and reads back as a double, too.
      return value.isFinite ? .double(value) : .double(0.25)
    case 4, 5: return .string(randomString(using: &generator))
    case 6:
      return .array(
        (0..<Int.random(in: 0..<6, using: &generator)).map { _ in random(depth: depth - 1, using: &generator) })
    default:
      var members: [String: JSONTree] = [:]
      for _ in 0..<Int.random(in: 0..<(depth == 1 ? 40 : 6), using: &generator) {
        members[randomString(using: &generator)] = random(depth: depth - 1, using: &generator)
      }
      return .object(members)
    }
  }

  private static func randomString(using generator: inout SeededGenerator) -> String {
    var string = ""
    for _ in 0..<Int.random(in: 0..<20, using: &generator) {
      let bound: UInt32 = [0x20, 0x80, 0x80, 0x80, 0x800, 0x1_0000, 0x11_0000].randomElement(using: &generator) ?? 0x80
      if let scalar = Unicode.Scalar(UInt32.random(in: 0..<bound, using: &generator)) {
        string.unicodeScalars.append(scalar)
      }
    }
    return string
  }
}
