/// A reusable, strict JSON parser (RFC 8259).
///
/// It accepts exactly one value with nothing but whitespace around it, in well-formed UTF-8, and refuses what makes two
/// readers disagree: duplicate keys, lone surrogates in escapes, control characters, numbers outside the grammar, a byte
/// order mark. One pass writes a tape of tokens into memory that the reader keeps, so that reading allocates nothing once
/// the tape has grown to the usual size.
public struct JSONReader: ~Copyable {
  /// The most values and keys one text may have.
  public static let maximumTokens = 1 << 21
  /// The most bytes one text may have.
  public static let maximumBytes = 1 << 30

  private static let noContainer = UInt32.max

  private var tape = JSONTape()
  private var duplicateKeys = JSONDuplicateKeys()

  public init() {}

  /// Reads one value.
  ///
  /// - Parameter bytes: the text. It must stay where it is while the view is used.
  /// - Parameter maximumDepth: how deep arrays and objects may be nested; with 0 only a scalar is accepted.
  /// - Returns: the value, valid until the next read, until the reader goes, or until the bytes go.
  public mutating func read(
    _ bytes: UnsafeRawBufferPointer, maximumDepth: Int = 32
  ) throws(JSONError) -> JSONView {
    tape.removeAll()
    guard let base = bytes.baseAddress else { throw .unexpectedEnd(offset: 0) }
    guard bytes.count <= Self.maximumBytes else { throw .tooLong(offset: Self.maximumBytes) }
    var scanner = JSONScanner(base: base, count: bytes.count)
    try parse(&scanner, maximumDepth: maximumDepth)
    while scanner.position < scanner.end {
      switch scanner.byte(at: scanner.position) {
      case 0x20, 0x0A, 0x0D, 0x09: scanner.position &+= 1
      default: throw .trailingBytes(offset: scanner.position)
      }
    }
    return JSONView(base: base, tokens: UnsafePointer(tape.tokens), index: 0)
  }

  /// Reads one value from an array and hands it to `body`, which must not let it escape.
  public mutating func read<Value>(
    _ bytes: [UInt8], maximumDepth: Int = 32, _ body: (JSONView) throws(JSONError) -> Value
  ) throws(JSONError) -> Value {
    try read(bytes, maximumDepth: maximumDepth, failure: { $0 }, body)
  }

  /// Reads one value from an array and hands it to `body`, which must not let it escape.
  ///
  /// - Parameter failure: turns a syntax error into the error that the caller throws.
  public mutating func read<Value, Failure: Error>(
    _ bytes: [UInt8], maximumDepth: Int = 32, failure: (JSONError) -> Failure,
    _ body: (JSONView) throws(Failure) -> Value
  ) throws(Failure) -> Value {
    try bytes.withUnsafeBufferPointer { (buffer) throws(Failure) -> Value in
      let view: JSONView
      do throws(JSONError) {
        view = try read(UnsafeRawBufferPointer(buffer), maximumDepth: maximumDepth)
      } catch {
        throw failure(error)
      }
      return try body(view)
    }
  }

  /// One value at the scanner, as a loop: the open containers are chained on the tape, so that no nesting, however deep
  /// the caller allows it, can exhaust the stack.
  private mutating func parse(_ scanner: inout JSONScanner, maximumDepth: Int) throws(JSONError) {
    var open = Self.noContainer
    var depth = 0
    value: while true {
      let byte = try scanner.nextSignificantByte()
      let start = scanner.position
      guard tape.count < Self.maximumTokens else { throw .tooManyTokens(offset: start) }
      switch byte {
      case UInt8(ascii: "{"):
        depth &+= 1
        guard depth <= maximumDepth else { throw .tooDeep(offset: start) }
        open = UInt32(
          truncatingIfNeeded: tape.append(JSONToken(start: start, end: start, next: Int(open), kind: .object)))
        scanner.position &+= 1
        if try scanner.nextSignificantByte() != UInt8(ascii: "}") {
          try parseKey(&scanner)
          continue value
        }
        scanner.position &+= 1
        open = try close(Int(open), at: scanner)
        depth &-= 1
      case UInt8(ascii: "["):
        depth &+= 1
        guard depth <= maximumDepth else { throw .tooDeep(offset: start) }
        open = UInt32(
          truncatingIfNeeded: tape.append(JSONToken(start: start, end: start, next: Int(open), kind: .array)))
        scanner.position &+= 1
        if try scanner.nextSignificantByte() != UInt8(ascii: "]") { continue value }
        scanner.position &+= 1
        open = try close(Int(open), at: scanner)
        depth &-= 1
      case UInt8(ascii: "\""):
        let hasEscapes = try scanner.scanString()
        appendScalar(.string, from: start, to: scanner, flags: hasEscapes ? JSONToken.hasEscapes : 0)
      case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
        let isInteger = try scanner.scanNumber()
        appendScalar(.number, from: start, to: scanner, flags: isInteger ? JSONToken.isWrittenAsInteger : 0)
      case UInt8(ascii: "t"):
        try scanner.scanLiteral("true")
        appendScalar(.boolean, from: start, to: scanner, flags: JSONToken.isTrue)
      case UInt8(ascii: "f"):
        try scanner.scanLiteral("false")
        appendScalar(.boolean, from: start, to: scanner)
      case UInt8(ascii: "n"):
        try scanner.scanLiteral("null")
        appendScalar(.null, from: start, to: scanner)
      default:
        throw .unexpectedByte(offset: start)
      }
      // A value has ended: count it, then end what ends with it.
      while open != Self.noContainer {
        let container = Int(open)
        tape[container].countOneMore()
        let isObject = tape[container].kind == .object
        let byte = try scanner.nextSignificantByte()
        if byte == UInt8(ascii: ",") {
          scanner.position &+= 1
          if isObject { try parseKey(&scanner) }
          continue value
        }
        guard byte == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) else {
          throw .unexpectedByte(offset: scanner.position)
        }
        scanner.position &+= 1
        open = try close(container, at: scanner)
        depth &-= 1
      }
      return
    }
  }

  /// A key and the colon after it.
  private mutating func parseKey(_ scanner: inout JSONScanner) throws(JSONError) {
    guard try scanner.nextSignificantByte() == UInt8(ascii: "\"") else {
      throw .unexpectedByte(offset: scanner.position)
    }
    let start = scanner.position
    guard tape.count < Self.maximumTokens else { throw .tooManyTokens(offset: start) }
    let hasEscapes = try scanner.scanString()
    var token = JSONToken(
      start: start, end: scanner.position, next: 0, kind: .string, flags: hasEscapes ? JSONToken.hasEscapes : 0)
    token.next = JSONStringContent(token, base: scanner.base).digest
    _ = tape.append(token)
    guard try scanner.nextSignificantByte() == UInt8(ascii: ":") else {
      throw .unexpectedByte(offset: scanner.position)
    }
    scanner.position &+= 1
  }

  @inline(__always)
  private mutating func appendScalar(_ kind: JSONKind, from start: Int, to scanner: JSONScanner, flags: UInt32 = 0) {
    _ = tape.append(JSONToken(start: start, end: scanner.position, next: tape.count &+ 1, kind: kind, flags: flags))
  }

  /// Ends a container just before the scanner; returns the one around it.
  private mutating func close(_ container: Int, at scanner: JSONScanner) throws(JSONError) -> UInt32 {
    let parent = tape[container].next
    tape[container].end = UInt32(truncatingIfNeeded: scanner.position)
    tape[container].next = UInt32(truncatingIfNeeded: tape.count)
    if tape[container].kind == .object,
      let offset = duplicateKeys.offsetOfDuplicate(object: container, tape: tape, base: scanner.base)
    {
      throw .duplicateKey(offset: offset)
    }
    return parent
  }
}
