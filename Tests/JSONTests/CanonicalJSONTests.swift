import Testing

@testable import JSON

@Suite("JSON in canonical form")
struct CanonicalJSONTests {
  private func canonical(_ text: String, omitting name: String? = nil) throws -> String {
    var reader = JSONReader()
    var writer = JSONWriter()
    var failure: CanonicalJSON.Failure?
    try reader.read(Array(text.utf8), maximumDepth: 200) { view in
      do throws(CanonicalJSON.Failure) {
        try CanonicalJSON.write(view, omitting: name, into: &writer)
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    return String(decoding: writer.bytes, as: UTF8.self)
  }

  /// The order of RFC 8785, 3.2.3: by UTF-16 code units, so that a character outside the basic plane comes before U+FB33.
  @Test("names are ordered by their UTF-16 code units")
  func order() throws {
    let text = #"{"\u20ac":1,"\r":2,"\ufb33":3,"1":4,"\ud83d\ude00":5,"\u0080":6,"\u00f6":7}"#
    #expect(
      try canonical(text)
        == "{\"\\r\":2,\"1\":4,\"\u{80}\":6,\"\u{F6}\":7,\"\u{20AC}\":1,\"\u{1F600}\":5,\"\u{FB33}\":3}")
    #expect(
      try canonical(#"{"b":{"d":1,"c":2},"a":[{"z":1,"y":2}],"":0}"#)
        == #"{"":0,"a":[{"y":2,"z":1}],"b":{"c":2,"d":1}}"#)
  }

  /// RFC 8785, 3.2.2.2.
  @Test("strings are escaped where they must be, in one way")
  func strings() throws {
    #expect(
      try canonical(#""\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/\u007f\u2028""#)
        == "\"€$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\u{7F}\u{2028}\"")
    #expect(try canonical(#""\b\t\f\r\u001b""#) == #""\b\t\f\r\u001b""#)
    #expect(try canonical("\"e\u{301} \u{e9}\"") == "\"e\u{301} \u{e9}\"", "nothing is normalized")
  }

  @Test("space is left out, and literals are as they are")
  func space() throws {
    #expect(try canonical(" [ 1 , true,false ,null , {} , [ ] , \"\" ] ") == #"[1,true,false,null,{},[],""]"#)
  }

  @Test("integers that a double holds exactly are written, and no other number is")
  func numbers() throws {
    #expect(
      try canonical("[0,-0,-1,9007199254740992,-9007199254740992]") == "[0,0,-1,9007199254740992,-9007199254740992]")
    for text in ["1.0", "1e3", "0.5", "9007199254740993", "-9007199254740993", "123456789012345678901234567890"] {
      #expect(throws: CanonicalJSON.Failure.notAnInteger, "\(text)") { try canonical("[\(text)]") }
    }
  }

  @Test("a member can be left out, of the outermost object alone")
  func omitting() throws {
    let text = #"{"signature":{"a":1},"b":{"signature":2},"c":3}"#
    #expect(try canonical(text, omitting: "signature") == #"{"b":{"signature":2},"c":3}"#)
    #expect(try canonical(#"{"a":1}"#, omitting: "signature") == #"{"a":1}"#)
  }

  @Test("what is nested too deep is refused")
  func depth() throws {
    let deep = String(repeating: "[", count: 100) + String(repeating: "]", count: 100)
    #expect(throws: CanonicalJSON.Failure.tooDeep) { try canonical(deep) }
  }
}
