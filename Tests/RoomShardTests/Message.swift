import JSON

/// A JSON value that outlives the bytes it was read from.
enum Message: Equatable {
  case null
  case boolean(Bool)
  case integer(Int64)
  case number(Double)
  case string(String)
  case array([Message])
  case object([String: Message])

  init(_ view: JSONView) {
    switch view.kind {
    case .null: self = .null
    case .boolean: self = .boolean(view.boolean ?? false)
    case .number: self = view.integer.map(Message.integer) ?? .number(view.double ?? .nan)
    case .string: self = .string(view.string ?? "")
    case .array: self = .array(view.elements.map { Message($0) })
    case .object:
      self = .object(Dictionary(uniqueKeysWithValues: view.members.map { ($0.key.string ?? "", Message($0.value)) }))
    }
  }

  init(parsing bytes: [UInt8]) throws {
    var reader = JSONReader()
    var message = Message.null
    try reader.read(bytes) { message = Message($0) }
    self = message
  }

  /// A member by its path, dots between the names.
  subscript(_ path: String) -> Message? {
    path.split(separator: ".").reduce(self) { value, name in
      guard case .object(let members)? = value else { return nil }
      return members[String(name)]
    }
  }

  func text(_ path: String) -> String? { if case .string(let text)? = self[path] { text } else { nil } }
  func int(_ path: String) -> Int64? { if case .integer(let integer)? = self[path] { integer } else { nil } }
  func flag(_ path: String) -> Bool? { if case .boolean(let flag)? = self[path] { flag } else { nil } }
  func list(_ path: String) -> [Message] { if case .array(let list)? = self[path] { list } else { [] } }
  /// What kind of message it is.
  var type: String { text("type") ?? "" }
}
