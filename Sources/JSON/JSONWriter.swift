/// Writes JSON (RFC 8259) by appending to one array of bytes.
///
/// It sets the commas and escapes the strings; that containers are closed and keys are followed by values is up to the
/// caller (checked in debug builds).
public struct JSONWriter {
  /// What has been written. Taking a copy makes the next write copy too; to look only, use ``withUnsafeBytes(_:)``.
  public private(set) var bytes: [UInt8]
  private var needsComma = false
  private var depth = 0

  /// - Parameter reserving: the bytes to allocate at once.
  public init(reserving: Int = 0) {
    bytes = []
    bytes.reserveCapacity(max(0, reserving))
  }

  /// The number of bytes written.
  public var count: Int { bytes.count }

  /// Forgets what has been written and keeps the memory.
  public mutating func removeAll() {
    bytes.removeAll(keepingCapacity: true)
    needsComma = false
    depth = 0
  }

  /// Lends what has been written without a copy.
  @inlinable
  public func withUnsafeBytes<Value, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Value
  ) throws(Failure) -> Value {
    try bytes.withUnsafeBufferPointer { (buffer) throws(Failure) -> Value in
      try body(UnsafeRawBufferPointer(buffer))
    }
  }

  // MARK: Containers

  public mutating func beginObject() { begin(UInt8(ascii: "{")) }
  public mutating func endObject() { end(UInt8(ascii: "}")) }
  public mutating func beginArray() { begin(UInt8(ascii: "[")) }
  public mutating func endArray() { end(UInt8(ascii: "]")) }

  /// An object whose members `body` writes.
  public mutating func object<Failure: Error>(
    _ body: (inout JSONWriter) throws(Failure) -> Void
  ) throws(Failure) {
    beginObject()
    try body(&self)
    endObject()
  }

  /// An array whose elements `body` writes.
  public mutating func array<Failure: Error>(
    _ body: (inout JSONWriter) throws(Failure) -> Void
  ) throws(Failure) {
    beginArray()
    try body(&self)
    endArray()
  }

  /// A member that is an object.
  public mutating func object<Failure: Error>(
    _ name: StaticString, _ body: (inout JSONWriter) throws(Failure) -> Void
  ) throws(Failure) {
    key(name)
    try object(body)
  }

  /// A member that is an array.
  public mutating func array<Failure: Error>(
    _ name: StaticString, _ body: (inout JSONWriter) throws(Failure) -> Void
  ) throws(Failure) {
    key(name)
    try array(body)
  }

  private mutating func begin(_ bracket: UInt8) {
    beginValue()
    bytes.append(bracket)
    needsComma = false
    depth &+= 1
  }

  private mutating func end(_ bracket: UInt8) {
    assert(depth > 0, "a container is closed that was not opened")
    bytes.append(bracket)
    needsComma = true
    depth &-= 1
  }

  @inline(__always)
  private mutating func beginValue() {
    assert(depth > 0 || bytes.isEmpty, "a second value at the top")
    if needsComma { bytes.append(UInt8(ascii: ",")) }
    needsComma = true
  }

  // MARK: Keys

  /// The key of the next value. `name` is plain ASCII without quote, backslash and control characters.
  public mutating func key(_ name: StaticString) {
    let comma = needsComma ? 1 : 0
    needsComma = false
    name.withUTF8Buffer { name in
      assert(name.allSatisfy { $0 < 0x80 && !mustBeEscaped($0) }, "a static key must be plain ASCII")
      append(count: comma &+ name.count &+ 3) { target in
        target[0] = UInt8(ascii: ",")
        target[comma] = UInt8(ascii: "\"")
        copy(name, to: target + (comma &+ 1))
        target[comma &+ 1 &+ name.count] = UInt8(ascii: "\"")
        target[comma &+ 2 &+ name.count] = UInt8(ascii: ":")
      }
    }
  }

  /// The key of the next value, escaped where needed.
  @_disfavoredOverload  // A literal is a StaticString, which needs no copy.
  public mutating func key(_ name: String) {
    if needsComma { bytes.append(UInt8(ascii: ",")) }
    needsComma = false
    appendQuoted(name)
    bytes.append(UInt8(ascii: ":"))
  }

  // MARK: Values

  @_disfavoredOverload  // A literal is a StaticString, which needs no copy.
  public mutating func string(_ value: String) {
    beginValue()
    appendQuoted(value)
  }

  public mutating func string(_ value: StaticString) {
    beginValue()
    value.withUTF8Buffer { appendQuoted($0) }
  }

  @inlinable
  public mutating func integer(_ value: some BinaryInteger) {
    if let magnitude = UInt64(exactly: value.magnitude) {
      appendInteger(isNegative: value < 0, magnitude: magnitude)
    } else {
      appendNumber(value.description)
    }
  }

  @usableFromInline
  mutating func appendNumber(_ text: String) {
    beginValue()
    bytes.append(contentsOf: text.utf8)
  }

  @usableFromInline
  mutating func appendInteger(isNegative: Bool, magnitude: UInt64) {
    beginValue()
    if isNegative { bytes.append(UInt8(ascii: "-")) }
    var count = 1
    var limit: UInt64 = 10
    // 20 digits are the most; the 20th has no limit that a word could hold.
    while count < 20, magnitude >= limit {
      count &+= 1
      limit = count < 20 ? limit &* 10 : limit
    }
    append(count: count) { target in
      var rest = magnitude
      var position = count
      while position > 0 {
        position &-= 1
        target[position] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest % 10)
        rest /= 10
      }
    }
  }

  /// The shortest text that reads back as the same number; `null` for infinities and NaN, which JSON cannot say
  /// (RFC 8259 §6).
  public mutating func number(_ value: Double) {
    if value.isFinite { appendNumber(value.description) } else { null() }
  }

  public mutating func boolean(_ value: Bool) { literal(value ? "true" : "false") }

  public mutating func null() { literal("null") }

  /// A value that is valid JSON already, copied untouched.
  public mutating func raw(_ value: UnsafeRawBufferPointer) {
    beginValue()
    append(count: value.count) { target in
      if let base = value.baseAddress { UnsafeMutableRawPointer(target).copyMemory(from: base, byteCount: value.count) }
    }
  }

  /// A value that is valid JSON already, copied untouched.
  public mutating func raw(_ value: [UInt8]) {
    beginValue()
    bytes.append(contentsOf: value)
  }

  private mutating func literal(_ text: StaticString) {
    beginValue()
    text.withUTF8Buffer { text in append(count: text.count) { copy(text, to: $0) } }
  }

  // MARK: Members

  @_disfavoredOverload  // A literal is a StaticString, which needs no copy.
  public mutating func field(_ name: StaticString, _ value: String) {
    key(name)
    string(value)
  }

  /// A member that is a string, or `null` for nil.
  public mutating func field(_ name: StaticString, _ value: String?) {
    key(name)
    if let value { string(value) } else { null() }
  }

  public mutating func field(_ name: StaticString, _ value: StaticString) {
    key(name)
    string(value)
  }

  @inlinable
  public mutating func field(_ name: StaticString, _ value: some BinaryInteger) {
    key(name)
    integer(value)
  }

  /// A member that is an integer, or `null` for nil.
  @inlinable
  public mutating func field(_ name: StaticString, _ value: (some BinaryInteger)?) {
    key(name)
    if let value { integer(value) } else { null() }
  }

  public mutating func field(_ name: StaticString, _ value: Bool) {
    key(name)
    boolean(value)
  }

  public mutating func field(_ name: StaticString, _ value: Double) {
    key(name)
    number(value)
  }

  /// A member whose value is valid JSON already.
  public mutating func field(_ name: StaticString, raw value: UnsafeRawBufferPointer) {
    key(name)
    raw(value)
  }

  /// A member whose value is valid JSON already.
  public mutating func field(_ name: StaticString, raw value: [UInt8]) {
    key(name)
    raw(value)
  }

  // MARK: Strings

  private mutating func appendQuoted(_ value: String) {
    var value = value
    value.withUTF8 { appendQuoted($0) }
  }

  /// Only quote, backslash and control characters must be escaped (RFC 8259 §7), and most strings have none.
  private mutating func appendQuoted(_ text: UnsafeBufferPointer<UInt8>) {
    var plain = 0
    while plain < text.count, !mustBeEscaped(text[plain]) { plain &+= 1 }
    guard plain == text.count else {
      bytes.append(UInt8(ascii: "\""))
      appendEscaped(text, from: plain)
      bytes.append(UInt8(ascii: "\""))
      return
    }
    append(count: text.count &+ 2) { target in
      target[0] = UInt8(ascii: "\"")
      copy(text, to: target + 1)
      target[1 &+ text.count] = UInt8(ascii: "\"")
    }
  }

  /// Appends in runs between what must be escaped; before `first` nothing must.
  private mutating func appendEscaped(_ text: UnsafeBufferPointer<UInt8>, from first: Int) {
    var runStart = 0
    var index = first
    while index < text.count {
      let byte = text[index]
      if mustBeEscaped(byte) {
        bytes.append(contentsOf: UnsafeBufferPointer(rebasing: text[runStart..<index]))
        appendEscape(of: byte)
        runStart = index &+ 1
      }
      index &+= 1
    }
    bytes.append(contentsOf: UnsafeBufferPointer(rebasing: text[runStart...]))
  }

  /// Appends so many bytes, every one of which `body` writes.
  @inline(__always)
  private mutating func append(count: Int, _ body: (UnsafeMutablePointer<UInt8>) -> Void) {
    bytes.append(addingCapacity: count) { span in
      span.withUnsafeMutableBufferPointer { buffer, initialized in
        guard let base = buffer.baseAddress else { return }
        assert(buffer.count - initialized >= count)
        body(base + initialized)
        initialized &+= count
      }
    }
  }

  private mutating func appendEscape(of byte: UInt8) {
    bytes.append(UInt8(ascii: "\\"))
    switch byte {
    case 0x08: bytes.append(UInt8(ascii: "b"))
    case 0x09: bytes.append(UInt8(ascii: "t"))
    case 0x0A: bytes.append(UInt8(ascii: "n"))
    case 0x0C: bytes.append(UInt8(ascii: "f"))
    case 0x0D: bytes.append(UInt8(ascii: "r"))
    case 0..<0x20:
      let low = byte & 0x0F
      bytes.append(contentsOf: [UInt8(ascii: "u"), UInt8(ascii: "0"), UInt8(ascii: "0")])
      bytes.append(UInt8(ascii: "0") &+ (byte >> 4))
      bytes.append(low < 10 ? UInt8(ascii: "0") &+ low : UInt8(ascii: "a") &+ (low &- 10))
    default: bytes.append(byte)
    }
  }
}

@inline(__always)
private func copy(_ text: UnsafeBufferPointer<UInt8>, to target: UnsafeMutablePointer<UInt8>) {
  if let base = text.baseAddress { target.update(from: base, count: text.count) }
}

@inline(__always)
private func mustBeEscaped(_ byte: UInt8) -> Bool {
  byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
}
