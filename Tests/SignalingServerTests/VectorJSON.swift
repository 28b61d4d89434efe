import Foundation

/// A JSON document as a vector's patterns see it. Numbers compare as numbers.
enum VectorJSON: Equatable, Sendable {
  case null
  case bool(Bool)
  case number(Double)
  case string(String)
  case array([VectorJSON])
  case object([String: VectorJSON])

  /// Reads a document.
  init(parsing text: Data) throws {
    self = try JSONDecoder().decode(VectorJSON.self, from: text)
  }

  subscript(name: String) -> VectorJSON? {
    guard case .object(let fields) = self else { return nil }
    return fields[name]
  }

  var string: String? {
    guard case .string(let string) = self else { return nil }
    return string
  }

  var number: Double? {
    guard case .number(let number) = self else { return nil }
    return number
  }

  var integer: Int? { number.flatMap(Int.init(exactly:)) }

  var array: [VectorJSON]? {
    guard case .array(let elements) = self else { return nil }
    return elements
  }

  var object: [String: VectorJSON]? {
    guard case .object(let fields) = self else { return nil }
    return fields
  }

  /// The document as text.
  var data: Data {
    get throws {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
      return try encoder.encode(self)
    }
  }
}

extension VectorJSON: CustomStringConvertible {
  /// The document, cut when it is long.
  var description: String {
    guard let data = try? data else { return "?" }  // only for people: what cannot be shown is not shown
    let text = String(decoding: data, as: UTF8.self)
    return text.count > 400 ? "\(text.prefix(400))… (\(text.count) characters)" : text
  }
}

extension VectorJSON: Codable {
  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let bool = try? container.decode(Bool.self) {  // each kind is tried; the last says why none fits
      self = .bool(bool)
    } else if let number = try? container.decode(Double.self) {
      self = .number(number)
    } else if let string = try? container.decode(String.self) {
      self = .string(string)
    } else if let elements = try? container.decode([VectorJSON].self) {
      self = .array(elements)
    } else {
      self = .object(try container.decode([String: VectorJSON].self))
    }
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .null: try container.encodeNil()
    case .bool(let bool): try container.encode(bool)
    case .number(let number):
      if let integer = Int64(exactly: number) { try container.encode(integer) } else { try container.encode(number) }
    case .string(let string): try container.encode(string)
    case .array(let elements): try container.encode(elements)
    case .object(let fields): try container.encode(fields)
    }
  }
}
