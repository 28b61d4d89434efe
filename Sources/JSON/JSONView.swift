/// One value in a text that a ``JSONReader`` has read.
///
/// A trivial value (two pointers and an index, nothing is counted): it is valid until the reader reads again or goes, and
/// while the text stays where it was. Copy out what must live longer.
public struct JSONView {
  private let base: UnsafeRawPointer
  private let tokens: UnsafePointer<JSONToken>
  private let index: Int

  init(base: UnsafeRawPointer, tokens: UnsafePointer<JSONToken>, index: Int) {
    self.base = base
    self.tokens = tokens
    self.index = index
  }

  private var token: JSONToken { tokens[index] }

  private func view(at index: Int) -> JSONView { JSONView(base: base, tokens: tokens, index: index) }

  /// What kind of value this is.
  public var kind: JSONKind { token.kind }

  /// The exact bytes of this value, the quotes of a string and the brackets of a container included.
  public var raw: UnsafeRawBufferPointer {
    let token = token
    return UnsafeRawBufferPointer(start: base + Int(token.start), count: Int(token.end) &- Int(token.start))
  }

  /// How many elements an array or members an object has; 0 for every other kind.
  public var count: Int { token.count }

  // MARK: Objects and arrays

  /// The member of this name (escapes in the text resolved); nil when absent or when this is not an object.
  ///
  /// The members are looked at one after the other.
  public subscript(_ key: StaticString) -> JSONView? {
    key.withUTF8Buffer { member(named: UnsafeRawBufferPointer($0)) }
  }

  /// The member of this name (escapes in the text resolved); nil when absent or when this is not an object.
  @_disfavoredOverload  // A literal is a StaticString, which needs no copy.
  public subscript(_ key: String) -> JSONView? {
    var key = key
    return key.withUTF8 { member(named: UnsafeRawBufferPointer($0)) }
  }

  private func member(named name: UnsafeRawBufferPointer) -> JSONView? {
    let object = token
    guard object.kind == .object else { return nil }
    let digest = JSONStringContent(bytes: name, hasEscapes: false).digest
    var key = index &+ 1
    for _ in 0..<object.count {
      // The digest stands in the link field of a key.
      if tokens[key].next == digest, JSONStringContent(tokens[key], base: base).equals(name) {
        return view(at: key &+ 1)
      }
      key = Int(tokens[key &+ 1].next)
    }
    return nil
  }

  /// The elements of an array in order; empty for every other kind.
  public var elements: Elements { Elements(of: self) }

  /// The members of an object in the order of the text; empty for every other kind. A key is a view of kind `string`.
  public var members: Members { Members(of: self) }

  /// The elements of an array in order.
  public struct Elements: Sequence, IteratorProtocol {
    private var upcoming: JSONView
    private var remaining: Int

    init(of array: JSONView) {
      upcoming = array.view(at: array.index &+ 1)
      remaining = array.kind == .array ? array.count : 0
    }

    public var underestimatedCount: Int { remaining }

    public mutating func next() -> JSONView? {
      guard remaining > 0 else { return nil }
      remaining &-= 1
      let element = upcoming
      upcoming = element.view(at: Int(element.token.next))
      return element
    }
  }

  /// The members of an object in the order of the text.
  public struct Members: Sequence, IteratorProtocol {
    private var nextKey: JSONView
    private var remaining: Int

    init(of object: JSONView) {
      nextKey = object.view(at: object.index &+ 1)
      remaining = object.kind == .object ? object.count : 0
    }

    public var underestimatedCount: Int { remaining }

    public mutating func next() -> (key: JSONView, value: JSONView)? {
      guard remaining > 0 else { return nil }
      remaining &-= 1
      let key = nextKey
      let value = key.view(at: key.index &+ 1)
      nextKey = value.view(at: Int(value.token.next))
      return (key, value)
    }
  }

  // MARK: Scalars

  /// The content of a string, escapes resolved; nil for every other kind.
  public var string: String? {
    let token = token
    return token.kind == .string ? JSONStringContent(token, base: base).string : nil
  }

  /// How many UTF-8 bytes the content of a string has, escapes resolved; nil for every other kind.
  public var utf8Count: Int? {
    let token = token
    return token.kind == .string ? JSONStringContent(token, base: base).utf8Count : nil
  }

  /// The content of a string in place, without its quotes; nil when it has escapes or is of another kind.
  public var unescapedBytes: UnsafeRawBufferPointer? {
    let token = token
    return token.kind == .string && !token.hasEscapes ? JSONStringContent(token, base: base).bytes : nil
  }

  /// Whether this is a string with exactly this content, escapes resolved. Makes no `String`.
  public func equals(_ text: StaticString) -> Bool {
    let token = token
    guard token.kind == .string else { return false }
    return text.withUTF8Buffer { JSONStringContent(token, base: base).equals(UnsafeRawBufferPointer($0)) }
  }

  /// Whether this is a string with exactly these UTF-8 bytes, escapes resolved.
  @_disfavoredOverload  // A literal is a StaticString, which needs no copy.
  public func equals(_ text: String) -> Bool {
    let token = token
    guard token.kind == .string else { return false }
    var text = text
    return text.withUTF8 { JSONStringContent(token, base: base).equals(UnsafeRawBufferPointer($0)) }
  }

  /// The number when it is written as an integer and fits; nil for `1.0`, `1e3` and every other kind.
  public var integer: Int64? {
    let token = token
    guard token.kind == .number, token.meta & JSONToken.isWrittenAsInteger != 0 else { return nil }
    let digits = raw
    let isNegative = digits.first == UInt8(ascii: "-")
    // Counted downwards, because the least Int64 has no positive counterpart.
    var value: Int64 = 0
    for byte in digits.dropFirst(isNegative ? 1 : 0) {
      let (scaled, scalingOverflows) = value.multipliedReportingOverflow(by: 10)
      let digit = Int64(byte &- UInt8(ascii: "0"))
      let (lowered, overflows) = scaled.subtractingReportingOverflow(digit)
      if scalingOverflows || overflows { return nil }
      value = lowered
    }
    if isNegative { return value }
    return value == .min ? nil : -value
  }

  /// The number rounded to the nearest `Double`; nil when it exceeds the range of `Double`, and for every other kind.
  public var double: Double? {
    guard kind == .number else { return nil }
    // Every integer below 2^53 is a Double as it stands; "-0" must keep its sign.
    if let integer, integer.magnitude < 1 << 53, integer != 0 { return Double(integer) }
    guard let value = Double(String(decoding: raw, as: UTF8.self)), value.isFinite else { return nil }
    return value
  }

  /// `true` or `false`; nil for every other kind.
  public var boolean: Bool? {
    let token = token
    return token.kind == .boolean ? token.meta & JSONToken.isTrue != 0 : nil
  }

  /// Whether this is `null`.
  public var isNull: Bool { kind == .null }
}
