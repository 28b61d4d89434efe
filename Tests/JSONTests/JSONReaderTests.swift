import Testing

@testable import JSON

/// Why the reader refuses a text, nil when it accepts it.
func refusal(_ text: [UInt8], maximumDepth: Int = 32) -> JSONError? {
  var reader = JSONReader()
  do throws(JSONError) {
    try reader.read(text, maximumDepth: maximumDepth) { _ in }
    return nil
  } catch {
    return error
  }
}

func refusal(_ text: String, maximumDepth: Int = 32) -> JSONError? {
  refusal(Array(text.utf8), maximumDepth: maximumDepth)
}

/// What `body` finds in a text that must be valid.
func reading<Value>(_ text: String, _ body: (JSONView) -> Value) throws -> Value {
  var reader = JSONReader()
  return try reader.read(Array(text.utf8), body)
}

@Suite("Reading JSON")
struct JSONReaderTests {
  @Test(
    "the grammar of RFC 8259 is accepted",
    arguments: [
      "null", "true", "false", "0", "-0", "12", "-1.5", "0.0", "1e9", "1E+9", "1e-9", "-0.5e0", #""""#, #""a""#, "[]",
      "{}", "[1,2]", "[[],[[]],{}]", #"{"a":1,"b":{"c":[null]}}"#, " \t\r\n[ 1 , 2 ]\r\n\t ", #"{ "a" : 1 }"#,
      #"["\"\\\/\b\f\n\r\t\u0041\uD83D\ude00\u0000"]"#, "\"\u{7F}\u{2028}é漢😀\u{10FFFF}\u{FFFF}\"", #"{"":0}"#,
    ])
  func accepts(text: String) {
    #expect(refusal(text) == nil)
  }

  @Test(
    "what departs from the grammar is refused at its offset",
    arguments: [
      ("", JSONError.unexpectedEnd(offset: 0)), ("  ", .unexpectedEnd(offset: 2)), ("[", .unexpectedEnd(offset: 1)),
      ("{\"a\"", .unexpectedEnd(offset: 4)), ("{\"a\":", .unexpectedEnd(offset: 5)), ("\"a", .unexpectedEnd(offset: 2)),
      ("tru", .unexpectedEnd(offset: 3)), ("nulL", .unexpectedByte(offset: 3)), ("True", .unexpectedByte(offset: 0)),
      ("[1,]", .unexpectedByte(offset: 3)), ("[,1]", .unexpectedByte(offset: 1)), ("[1 2]", .unexpectedByte(offset: 3)),
      ("{\"a\":1,}", .unexpectedByte(offset: 7)), ("{a:1}", .unexpectedByte(offset: 1)),
      ("{\"a\" 1}", .unexpectedByte(offset: 5)), ("{1:1}", .unexpectedByte(offset: 1)),
      ("[1}", .unexpectedByte(offset: 2)),
      ("{\"a\":1]", .unexpectedByte(offset: 6)), ("]", .unexpectedByte(offset: 0)), ("1 1", .trailingBytes(offset: 2)),
      ("[]]", .trailingBytes(offset: 2)), ("nullx", .trailingBytes(offset: 4)), ("'a'", .unexpectedByte(offset: 0)),
      ("// x\n1", .unexpectedByte(offset: 0)), ("NaN", .unexpectedByte(offset: 0)),
      ("Infinity", .unexpectedByte(offset: 0)),
      ("\u{FEFF}1", .unexpectedByte(offset: 0)), ("[1]\0", .trailingBytes(offset: 3)),
      ("\u{B}1", .unexpectedByte(offset: 0)),
    ])
  func refuses(text: String, error: JSONError) {
    #expect(refusal(text) == error)
  }

  @Test(
    "numbers outside RFC 8259 §6 are refused",
    arguments: [
      "01", "-01", "00", "1.", "1.e1", "1e", "1e+", "-", "-a", "1.a", "[1.]", "[-]", "1ee1", "+1", ".5", "0x10", "--1",
      "1_0",
    ])
  func refusesNumber(text: String) {
    #expect(refusal(text) != nil)
  }

  @Test("a number that is cut off differs from one that is wrong")
  func numberErrors() {
    #expect(refusal("[01]") == .invalidNumber(offset: 1))
    #expect(refusal("[1.]") == .invalidNumber(offset: 1))
    #expect(refusal("1e") == .unexpectedEnd(offset: 2))
  }

  @Test("strings refuse control characters, unknown escapes and half surrogate pairs")
  func refusesStrings() {
    for control in UInt8(0)..<0x20 {
      #expect(refusal([0x22, 0x61, control, 0x22]) == .controlCharacter(offset: 2))
      #expect(refusal(Array("\"0123456789".utf8) + [control, 0x22]) == .controlCharacter(offset: 11))
    }
    #expect(refusal(#""\a""#) == .invalidEscape(offset: 1))
    #expect(refusal(#""\'""#) == .invalidEscape(offset: 1))
    #expect(refusal(#""\U0041""#) == .invalidEscape(offset: 1))
    #expect(refusal(#""\u00g1""#) == .invalidEscape(offset: 1))
    #expect(refusal(#""\u12""#) == .invalidEscape(offset: 1) || refusal(#""\u12""#) == .unexpectedEnd(offset: 6))
    #expect(refusal(#""\"#) == .unexpectedEnd(offset: 2))
    #expect(refusal(#""\uD800""#) == .loneSurrogate(offset: 1))
    #expect(refusal(#""\uDC00""#) == .loneSurrogate(offset: 1))
    #expect(refusal(#""\uD800\uD800""#) == .loneSurrogate(offset: 1))
    #expect(refusal(#""\uD800\n12345""#) == .loneSurrogate(offset: 1))
    #expect(refusal(#""\uD800\u0041""#) == .loneSurrogate(offset: 1))
    #expect(refusal(#"{"\uDFFF":1}"#) == .loneSurrogate(offset: 2))
  }

  @Test(
    "strings refuse what is not UTF-8 (RFC 3629 §4)",
    arguments: [
      [0x80], [0xBF], [0xC0, 0x80], [0xC1, 0xBF], [0xC2], [0xC2, 0x41], [0xE0, 0x9F, 0xBF], [0xE1, 0x80],
      [0xE1, 0x80, 0xC0], [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF], [0xF0, 0x8F, 0xBF, 0xBF], [0xF4, 0x90, 0x80, 0x80],
      [0xF5, 0x80, 0x80, 0x80], [0xF1, 0x80, 0x80], [0xF1, 0x80, 0x80, 0x41], [0xFF], [0xFE],
    ] as [[UInt8]])
  func refusesEncoding(bytes: [UInt8]) {
    #expect(refusal([0x22] + bytes + [0x22]) == .invalidUTF8(offset: 1))
    #expect(refusal(Array("\"12345678".utf8) + bytes + [0x22]) == .invalidUTF8(offset: 9))
    #expect(refusal([0x22] + bytes) == .invalidUTF8(offset: 1))
  }

  @Test("every scalar value passes, as itself and as an escape")
  func everyScalar() throws {
    var reader = JSONReader()
    for value in stride(from: UInt32(0x20), through: 0x10FFFF, by: 7) {
      guard let scalar = Unicode.Scalar(value), scalar != "\"", scalar != "\\" else { continue }
      let content = String(Character(scalar))
      let escapes = content.utf16.map { unit in
        let digits = String(unit, radix: 16)
        return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      }
      let plain = try reader.read(Array("\"\(content)\"".utf8)) { $0.string }
      #expect(plain == content)
      let escaped = try reader.read(Array("\"\(escapes.joined())\"".utf8)) { ($0.string, $0.utf8Count) }
      #expect(escaped.0 == content)
      #expect(escaped.1 == content.utf8.count)
    }
  }

  @Test("the named escapes mean what RFC 8259 §7 says")
  func namedEscapes() throws {
    let content = try reading(#""\"\\\/\b\f\n\r\t\u0000é\u00e9""#) { $0.string }
    #expect(content == "\"\\/\u{8}\u{C}\n\r\t\u{0}éé")
  }

  @Test("nesting is accepted up to the limit and refused one beyond it")
  func depth() {
    for depth in [1, 2, 32, 1_000] {
      let arrays = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
      let objects = String(repeating: "{\"a\":", count: depth) + "1" + String(repeating: "}", count: depth)
      #expect(refusal(arrays, maximumDepth: depth) == nil)
      #expect(refusal(arrays, maximumDepth: depth - 1) == .tooDeep(offset: depth - 1))
      #expect(refusal(objects, maximumDepth: depth) == nil)
      #expect(refusal(objects, maximumDepth: depth - 1) == .tooDeep(offset: (depth - 1) * 5))
    }
    #expect(refusal("1", maximumDepth: 0) == nil)
    #expect(refusal("[]", maximumDepth: 0) == .tooDeep(offset: 0))
    #expect(refusal("[[],[],{},[[]]]", maximumDepth: 3) == nil)
  }

  @Test("a million open brackets neither overflow the stack nor pass")
  func hostileDepth() {
    let text = [UInt8](repeating: UInt8(ascii: "["), count: 1_000_000)
    #expect(refusal(text) == .tooDeep(offset: 32))
    #expect(refusal(text, maximumDepth: .max) == .unexpectedEnd(offset: 1_000_000))
  }

  @Test("more tokens than the limit are refused")
  func tokens() {
    var text = Array("[0".utf8)
    for _ in 0..<(JSONReader.maximumTokens - 2) { text += [UInt8(ascii: ","), UInt8(ascii: "0")] }
    #expect(refusal(text + [UInt8(ascii: "]")]) == nil)
    #expect(refusal(text + Array(",0]".utf8)) == .tooManyTokens(offset: text.count + 1))
  }

  @Test("a key that an object names twice is refused, however it is spelled")
  func duplicateKeys() {
    #expect(refusal(#"{"a":1,"a":2}"#) == .duplicateKey(offset: 7))
    #expect(refusal(#"{"a":1,"\u0061":2}"#) == .duplicateKey(offset: 7))
    #expect(refusal(#"{"type":1,"x":{},"t\u0079pe":2}"#) == .duplicateKey(offset: 17))
    #expect(refusal(#"{"":1,"":2}"#) == .duplicateKey(offset: 6))
    #expect(refusal(#"{"\uD83D\uDE00":1,"😀":2}"#) != nil)
    #expect(refusal(#"{"longer key":[{"a":1},{"a":1}],"longer kez":{"a":1},"a":1}"#) == nil)
  }

  @Test("a key named twice is found among many, at any place, and only then", arguments: [2, 16, 17, 18, 100, 1_000])
  func duplicateAmongMany(count: Int) {
    let members = (0..<count).map { "\"key number \($0)\":{\"a\":[\($0)]}" }
    #expect(refusal("{" + members.joined(separator: ",") + "}") == nil)
    for place in [0, count / 2, count - 1] {
      var doubled = members
      doubled.append(#""k\u0065y number \#(place)":0"#)
      let text = "{" + doubled.joined(separator: ",") + "}"
      #expect(refusal(text) == .duplicateKey(offset: members.joined(separator: ",").utf8.count + 2))
    }
  }

  @Test("keys made to share a digest cost no quadratic work")
  func collidingKeys() {
    // Equal length and equal ends: the digest cannot tell them apart.
    let members = (100_000..<200_000).map { "\"head\($0)tail\":0" }
    let start = ContinuousClock.now
    #expect(refusal("{" + members.joined(separator: ",") + "}") == nil)
    // Pair by pair this would be five thousand million comparisons: minutes, not a second or two.
    #expect(ContinuousClock.now - start < .seconds(30))
  }

  @Test("members and elements come in order and are found by name")
  func navigation() throws {
    let text = #"{"v":1,"type":"chat.send","data":{"list":[1,[2,3],{"a":null},"x"],"tex\u0074":"\u00e9"},"last":true}"#
    try reading(text) { view in
      #expect(view.kind == .object)
      #expect(view.count == 4)
      #expect(view["v"]?.integer == 1)
      #expect(view["type"]?.equals("chat.send") == true)
      #expect(view["type"]?.equals("chat.sen") == false)
      #expect(view["type"]?.equals("chat.send2") == false)
      #expect(view["data"]?["text"]?.string == "é")
      #expect(view["data"]?["text"]?.equals("é") == true)
      #expect(view["data"]?["text"]?.unescapedBytes == nil)
      #expect(view["last"]?.boolean == true)
      #expect(view["absent"] == nil)
      #expect(view["v"]?["x"] == nil)
      let name = "data"
      #expect(view[name]?["list"]?.count == 4)
      #expect(view.members.map { $0.key.string } == ["v", "type", "data", "last"])
      #expect(view.members.map { $0.value.kind } == [.number, .string, .object, .boolean])
      let list = view["data"]?["list"]
      let texts = list.map { Array($0.elements).map { String(decoding: $0.raw, as: UTF8.self) } }
      #expect(texts == ["1", "[2,3]", #"{"a":null}"#, #""x""#])
      #expect(view["data"]?["list"].map { Array($0.members).isEmpty } == true)
      #expect(view["data"].map { Array($0.elements).isEmpty } == true)
      #expect(view["v"].map { Array($0.elements).isEmpty } == true)
      #expect(view.raw.count == text.utf8.count)
    }
  }

  @Test("raw is the exact bytes of a value, whitespace around it left out")
  func raw() throws {
    try reading(" { \"a\" : [ 1 , 2 ] , \"b\" : \"\\n\" } ") { view in
      #expect(view["a"].map { String(decoding: $0.raw, as: UTF8.self) } == "[ 1 , 2 ]")
      #expect(view["b"].map { String(decoding: $0.raw, as: UTF8.self) } == #""\n""#)
      #expect(view["b"]?.utf8Count == 1)
      #expect(view["b"]?.equals("\n") == true)
    }
  }

  @Test(
    "integers are those that are written so and fit",
    arguments: [
      ("0", 0), ("-0", 0), ("9223372036854775807", .max), ("-9223372036854775808", .min), ("9223372036854775808", nil),
      ("-9223372036854775809", nil), ("1.0", nil), ("1e3", nil), ("99999999999999999999999999", nil), ("\"1\"", nil),
      ("true", nil), ("-17", -17), ("1000000000000000000000", nil),
    ] as [(String, Int64?)])
  func integers(text: String, value: Int64?) throws {
    #expect(try reading(text) { $0.integer } == value)
  }

  @Test(
    "doubles are the nearest there are",
    arguments: [
      ("0", 0), ("1.5", 1.5), ("1e3", 1_000), ("-2.5E-3", -0.0025), ("9007199254740993", 9_007_199_254_740_992),
      ("5e-324", .leastNonzeroMagnitude), ("1e-400", 0), ("1e400", nil), ("-1e400", nil), ("\"1\"", nil), ("0.1", 0.1),
      ("1.7976931348623157e308", .greatestFiniteMagnitude),
    ] as [(String, Double?)])
  func doubles(text: String, value: Double?) throws {
    #expect(try reading(text) { $0.double } == value)
    #expect(try reading("-0") { $0.double?.sign } == .minus)
  }

  @Test("a number of a hundred thousand digits is read, not trapped on")
  func longNumber() throws {
    let digits = String(repeating: "9", count: 100_000)
    #expect(try reading(digits) { $0.integer } == nil)
    #expect(try reading(digits) { $0.double } == nil)
    #expect(try reading("0." + digits) { $0.double } == 1)
    #expect(try reading("1e" + digits) { $0.double } == nil)
  }

  @Test("values of another kind answer nil, never trap")
  func otherKinds() throws {
    for text in ["{}", "[]", "\"\"", "0", "true", "null"] {
      try reading(text) { view in
        #expect((view.string == nil) == (view.kind != .string))
        #expect((view.utf8Count == nil) == (view.kind != .string))
        #expect((view.integer == nil) == (view.kind != .number))
        #expect((view.double == nil) == (view.kind != .number))
        #expect((view.boolean == nil) == (view.kind != .boolean))
        #expect(view.isNull == (view.kind == .null))
        #expect(view.count == 0)
        #expect(view["a"] == nil)
        #expect(view.equals("") == (view.kind == .string))
        #expect(Array(view.elements).isEmpty)
        #expect(Array(view.members).isEmpty)
      }
    }
  }

  @Test("a reader is used again after success and after failure")
  func reuse() throws {
    var reader = JSONReader()
    for size in [1, 100_000, 3] {
      let text = "[" + Array(repeating: "0", count: size).joined(separator: ",") + "]"
      #expect(try reader.read(Array(text.utf8)) { $0.count } == size)
      #expect(throws: JSONError.unexpectedEnd(offset: text.utf8.count - 1)) {
        try reader.read(Array(text.utf8.dropLast())) { _ in }
      }
    }
  }

  @Test("the caller's own error passes through the scoped read")
  func typedErrors() {
    enum Refusal: Error, Equatable { case syntax(Int), content }
    var reader = JSONReader()
    func read(_ text: String) throws(Refusal) -> Int64 {
      try reader.read(Array(text.utf8), failure: { .syntax($0.offset) }) { (view) throws(Refusal) -> Int64 in
        guard let integer = view.integer else { throw .content }
        return integer
      }
    }
    #expect(throws: Refusal.syntax(0)) { try read("x") }
    #expect(throws: Refusal.content) { try read("{}") }
    #expect((try? read("5")) == 5)
  }
}
