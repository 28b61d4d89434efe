import Classroom
import JSON
import SignalingProtocol

/// Typed access to the fields of a body; null counts as absent.
struct BodyFields {
  let view: JSONView

  /// Reads a body that is to be one JSON object.
  static func read<Value>(
    _ body: [UInt8], _ read: (BodyFields) throws(ProtocolError) -> Value
  ) throws(ProtocolError) -> Value {
    var reader = JSONReader()
    return try reader.read(
      body, maximumDepth: ProtocolLimits.jsonDepth,
      failure: { _ in ProtocolError(.malformedJSON, "The body is not JSON.") }
    ) { view throws(ProtocolError) in
      guard view.kind == .object else { throw ProtocolError(.malformedJSON, "The body is not a JSON object.") }
      return try read(BodyFields(view: view))
    }
  }

  private func value(_ name: StaticString) -> JSONView? {
    guard let value = view[name], !value.isNull else { return nil }
    return value
  }

  /// Whether the field is there, be it as null.
  func has(_ name: StaticString) -> Bool { view[name] != nil }

  func invalid(_ name: StaticString, _ expectation: String) -> ProtocolError {
    ProtocolError(.invalidField, "The field \(name) is \(expectation).", field: "\(name)")
  }

  func missing(_ name: StaticString) -> ProtocolError {
    ProtocolError(.missingField, "The field \(name) is missing.", field: "\(name)")
  }

  func string(_ name: StaticString) throws(ProtocolError) -> String? {
    guard let value = value(name) else { return nil }
    guard let string = value.string else { throw invalid(name, "a string") }
    return string
  }

  func integer(_ name: StaticString) throws(ProtocolError) -> Int? {
    guard let value = value(name) else { return nil }
    guard let integer = value.integer.flatMap(Int.init(exactly:)) else { throw invalid(name, "an integer") }
    return integer
  }

  func boolean(_ name: StaticString) throws(ProtocolError) -> Bool? {
    guard let value = value(name) else { return nil }
    guard let boolean = value.boolean else { throw invalid(name, "true or false") }
    return boolean
  }

  func time(_ name: StaticString) throws(ProtocolError) -> Timestamp? {
    guard let text = try string(name) else { return nil }
    guard let time = RFC3339.parse(text) else { throw invalid(name, "a time such as 2026-01-01T09:00:00Z") }
    return time
  }

  func choice<Choice: RawRepresentable & CaseIterable>(_ name: StaticString) throws(ProtocolError) -> Choice?
  where Choice.RawValue == String {
    guard let string = try string(name) else { return nil }
    guard let choice = Choice(rawValue: string) else {
      throw invalid(name, "one of \(Choice.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    return choice
  }

  func strings(_ name: StaticString) throws(ProtocolError) -> [String]? {
    guard let value = value(name) else { return nil }
    guard value.kind == .array else { throw invalid(name, "a list of strings") }
    var strings: [String] = []
    for element in value.elements {
      guard let string = element.string else { throw invalid(name, "a list of strings") }
      strings.append(string)
    }
    return strings
  }

  func integers(_ name: StaticString) throws(ProtocolError) -> [Int]? {
    guard let value = value(name) else { return nil }
    guard value.kind == .array else { throw invalid(name, "a list of integers") }
    var integers: [Int] = []
    for element in value.elements {
      guard let integer = element.integer.flatMap(Int.init(exactly:)) else { throw invalid(name, "a list of integers") }
      integers.append(integer)
    }
    return integers
  }

  /// The objects of a list.
  func objects<Element>(
    _ name: StaticString, _ read: (BodyFields) throws(ProtocolError) -> Element
  ) throws(ProtocolError) -> [Element]? {
    guard let value = value(name) else { return nil }
    guard value.kind == .array else { throw invalid(name, "a list of objects") }
    var elements: [Element] = []
    for element in value.elements {
      guard element.kind == .object else { throw invalid(name, "a list of objects") }
      elements.append(try read(BodyFields(view: element)))
    }
    return elements
  }
}
