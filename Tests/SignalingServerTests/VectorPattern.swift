import Foundation

@testable import SignalingServer
@testable import Tokens

/// What did not go as a vector says.
struct VectorFailure: Error, CustomStringConvertible {
  var description: String

  init(_ description: String) {
    self.description = description
  }
}

/// The values that the steps of a vector capture, and the two languages of values in it: builders in what is sent, matchers
/// in what is expected. `protocol/vectors/README.md` describes both.
struct VectorValues {
  /// The secret of the servers that vectors are replayed against.
  static let secret = Array("the secret of the vectors, 32 bytes and more".utf8)

  private var captured: [String: VectorJSON] = [:]

  subscript(name: String) -> VectorJSON? {
    get { captured[name] }
    set { captured[name] = newValue }
  }

  func value(of name: String) throws -> VectorJSON {
    guard let value = captured[name] else { throw VectorFailure("nothing was captured as \(name)") }
    return value
  }

  // MARK: Building

  /// A value with its builders carried out.
  func build(_ value: VectorJSON) throws -> VectorJSON {
    switch value {
    case .null, .bool, .number, .string: return value
    case .array(let elements): return .array(try elements.map(build))
    case .object(let fields):
      if let name = fields["$ref"]?.string { return try self.value(of: name) }
      if let parts = fields["$repeat"]?.array, let text = parts.first?.string, let count = parts.last?.integer {
        return .string(String(repeating: text, count: count))
      }
      if let parts = fields["$concat"]?.array {
        return .string(try parts.map { try build($0).string ?? "" }.joined())
      }
      if let seconds = fields["$now"]?.number {
        return .number((Date().timeIntervalSince1970 + seconds).rounded(.down))
      }
      if let seconds = fields["$time"]?.number { return .string(Self.timestamp(secondsFromNow: seconds)) }
      if let options = fields["$token"] { return .string(try token(try build(options))) }
      return .object(try fields.mapValues(build))
    }
  }

  func text(_ value: VectorJSON) throws -> String {
    guard let text = try build(value).string else { throw VectorFailure("no text: \(value)") }
    return text
  }

  private static func timestamp(secondsFromNow seconds: Double) -> String {
    let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
    return style.format(Date(timeIntervalSinceNow: seconds))
  }

  /// A JWT (RFC 7519) made of `claims`, and optionally `secret` and `alg`.
  func token(_ options: VectorJSON) throws -> String {
    guard var claims = options["claims"]?.object else { throw VectorFailure("a token without claims") }
    if claims["exp"] == nil { claims["exp"] = .number((Date().timeIntervalSince1970 + 3600).rounded(.down)) }
    claims = claims.filter { $0.value != .null }
    let algorithm = options["alg"]?.string ?? "HS256"
    let header = try VectorJSON.object(["alg": .string(algorithm), "typ": .string("JWT")]).data
    var text = Base64URL.encode([UInt8](header)) + [UInt8(ascii: ".")]
    text += Base64URL.encode([UInt8](try VectorJSON.object(claims).data))
    let key = TokenKey(options["secret"]?.string.map { Array($0.utf8) } ?? Self.secret)
    let signature = algorithm == "none" ? [] : Base64URL.encode(key.sign(text))
    return String(decoding: text + [UInt8(ascii: ".")] + signature, as: UTF8.self)
  }

  // MARK: Matching

  /// Why a value (nil: a field that is not there) does not match, or nil when it does. What the pattern captures is kept
  /// only when the whole pattern matches.
  mutating func mismatch(_ value: VectorJSON?, _ pattern: VectorJSON) -> String? {
    var trial = self
    let reason = trial.compare(value, pattern, at: "")
    if reason == nil { self = trial }
    return reason
  }

  private mutating func compare(_ value: VectorJSON?, _ pattern: VectorJSON, at path: String) -> String? {
    let here = path.isEmpty ? "/" : path
    if let fields = pattern.object, fields.keys.contains(where: { $0.hasPrefix("$") }) {
      return check(value, fields, at: path)
    }
    guard let value else { return "\(here) is missing" }
    switch (pattern, value) {
    case (.object(let expected), .object(let fields)):
      for (name, inner) in expected.sorted(by: { $0.key < $1.key }) {
        if let reason = compare(fields[name], inner, at: "\(path)/\(name)") { return reason }
      }
      return nil
    case (.array(let expected), .array(let elements)):
      guard expected.count == elements.count else { return "\(here) has \(elements.count) elements: \(value)" }
      for (index, inner) in expected.enumerated() {
        if let reason = compare(elements[index], inner, at: "\(path)/\(index)") { return reason }
      }
      return nil
    default:
      return value == pattern ? nil : "\(here) is \(value), not \(pattern)"
    }
  }

  private mutating func check(_ value: VectorJSON?, _ conditions: [String: VectorJSON], at path: String) -> String? {
    let here = path.isEmpty ? "/" : path
    if conditions["$absent"] != nil { return value == nil ? nil : "\(here) is there" }
    guard let value else { return "\(here) is missing" }
    // A capture comes last: it is made only when all else holds.
    for (name, condition) in conditions.sorted(by: { $0.key != "$capture" && $1.key == "$capture" }) {
      let holds: Bool
      switch name {
      case "$any": holds = condition.string.map { Self.isKind(value, $0) } ?? false
      case "$ref": holds = condition.string.flatMap { captured[$0] }.map { value == $0 } ?? false
      case "$repeat", "$concat":
        // What cannot be built matches nothing.
        holds = (try? build(.object(conditions))) == value
      case "$not":
        var trial = self
        holds = trial.compare(value, condition, at: path) != nil
      case "$in": holds = condition.array?.contains { compare(value, $0, at: path) == nil } ?? false
      case "$min": holds = (value.number ?? -.infinity) >= (condition.number ?? .infinity)
      case "$max": holds = (value.number ?? .infinity) <= (condition.number ?? -.infinity)
      case "$contains": holds = contains(value, condition.array ?? [], at: path)
      case "$capture":
        if let key = condition.string { captured[key] = value }
        holds = true
      default: return "there is no matcher \(name)"
      }
      guard holds else { return "\(here) is \(value), which \(name) \(condition) does not allow" }
    }
    return nil
  }

  private mutating func contains(_ value: VectorJSON, _ patterns: [VectorJSON], at path: String) -> Bool {
    guard var rest = value.array else { return false }
    for pattern in patterns {
      guard let index = rest.firstIndex(where: { compare($0, pattern, at: path) == nil }) else { return false }
      rest.remove(at: index)
    }
    return true
  }

  private static func isKind(_ value: VectorJSON, _ kind: String) -> Bool {
    switch (kind, value) {
    case ("string", .string(let text)): !text.isEmpty
    case ("integer", .number(let number)): number == number.rounded()
    case ("number", .number), ("boolean", .bool), ("object", .object), ("array", .array): true
    case ("timestamp", .string(let text)):
      text.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/) != nil
    case ("unix_ms", .number(let number)): abs(number - Date().timeIntervalSince1970 * 1000) < 3_600_000
    default: false
    }
  }
}
