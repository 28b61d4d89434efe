import Classroom
import JSON
import SignalingProtocol

/// Strict access to the fields of an object that the server sent.
struct MessageFields {
  let view: JSONView
  /// What the object is called in a violation.
  let name: StaticString

  /// - Throws: a violation when the value is no object.
  init(_ view: JSONView, _ name: StaticString) throws(ProtocolViolation) {
    guard view.kind == .object else { throw ProtocolViolation(.malformed, "\(name) is no object") }
    self.view = view
    self.name = name
  }

  func wrong(_ field: StaticString) -> ProtocolViolation {
    let text = String(decoding: view.raw.prefix(300), as: UTF8.self)
    return ProtocolViolation(.malformed, "\(name).\(field) is missing or wrong in \(text)")
  }

  func has(_ field: StaticString) -> Bool { view[field] != nil }

  /// - Throws: a violation when there is such a field.
  func forbid(_ field: StaticString) throws(ProtocolViolation) {
    if has(field) { throw ProtocolViolation(.malformed, "\(name) has a field \(field), which has no place there") }
  }

  func value(_ field: StaticString) throws(ProtocolViolation) -> JSONView {
    guard let value = view[field] else { throw wrong(field) }
    return value
  }

  func object(_ field: StaticString) throws(ProtocolViolation) -> MessageFields {
    try MessageFields(try value(field), field)
  }

  func array(_ field: StaticString) throws(ProtocolViolation) -> JSONView {
    let value = try value(field)
    guard value.kind == .array else { throw wrong(field) }
    return value
  }

  /// A string of so many bytes, not copied.
  func text(_ field: StaticString, bytes: ClosedRange<Int>) throws(ProtocolViolation) -> JSONView {
    let value = try value(field)
    guard let count = value.utf8Count, bytes.contains(count) else { throw wrong(field) }
    return value
  }

  func string(_ field: StaticString, bytes: ClosedRange<Int> = 0...65_536) throws(ProtocolViolation) -> String {
    guard let string = try text(field, bytes: bytes).string else { throw wrong(field) }
    return string
  }

  func optionalString(_ field: StaticString, bytes: ClosedRange<Int>) throws(ProtocolViolation) -> String? {
    has(field) ? try string(field, bytes: bytes) : nil
  }

  /// An integer that is not negative.
  func number(_ field: StaticString) throws(ProtocolViolation) -> UInt64 {
    guard let integer = view[field]?.integer, let number = UInt64(exactly: integer) else { throw wrong(field) }
    return number
  }

  /// An integer that is not negative, or null.
  func numberOrNull(_ field: StaticString) throws(ProtocolViolation) -> UInt64? {
    try value(field).isNull ? nil : try number(field)
  }

  func boolean(_ field: StaticString) throws(ProtocolViolation) -> Bool {
    guard let boolean = view[field]?.boolean else { throw wrong(field) }
    return boolean
  }

  func choice<Choice: RawRepresentable>(
    _ field: StaticString, _: Choice.Type
  ) throws(ProtocolViolation) -> Choice where Choice.RawValue == String {
    guard let string = view[field]?.string, let choice = Choice(rawValue: string) else { throw wrong(field) }
    return choice
  }

  /// Unix time in milliseconds, as the field `at` has it.
  func time(_ field: StaticString) throws(ProtocolViolation) -> Timestamp {
    guard let integer = view[field]?.integer else { throw wrong(field) }
    return Timestamp(milliseconds: integer)
  }

  /// RFC 3339 in UTC with milliseconds, as the fields named `…_at` have it.
  func date(_ field: StaticString) throws(ProtocolViolation) -> Timestamp {
    let text = try string(field, bytes: 24...24)
    guard text.utf8.last == UInt8(ascii: "Z"), let time = RFC3339.parse(text) else { throw wrong(field) }
    return time
  }

  func dateOrNull(_ field: StaticString) throws(ProtocolViolation) -> Timestamp? {
    try value(field).isNull ? nil : try date(field)
  }
}
