/// Field lines in the order they came. Names are compared without regard to case (RFC 9110 §5.1).
public struct HTTPHeaders: Sendable, Equatable, ExpressibleByDictionaryLiteral, Sequence {
  /// One field line.
  public struct Field: Sendable, Equatable {
    public var name: String
    /// Without the blanks around it. Bytes that are not UTF-8 were replaced by U+FFFD.
    public var value: String

    public init(name: String, value: String) {
      self.name = name
      self.value = value
    }
  }

  public private(set) var fields: [Field]

  public init(_ fields: [Field] = []) { self.fields = fields }

  public init(dictionaryLiteral elements: (String, String)...) {
    fields = elements.map { Field(name: $0.0, value: $0.1) }
  }

  public var count: Int { fields.count }

  public func makeIterator() -> IndexingIterator<[Field]> { fields.makeIterator() }

  /// Adds a field line at the end.
  public mutating func append(_ name: String, _ value: String) {
    fields.append(Field(name: name, value: value))
  }

  /// Puts one field line in the place of all of this name.
  public mutating func set(_ name: String, _ value: String) {
    fields.removeAll { equalsIgnoringCase($0.name, name) }
    append(name, value)
  }

  /// The value of the first field line of this name.
  public func first(_ name: String) -> String? {
    fields.first { equalsIgnoringCase($0.name, name) }?.value
  }

  /// The values of all field lines of this name, in order.
  public func all(_ name: String) -> [String] {
    fields.lazy.filter { equalsIgnoringCase($0.name, name) }.map(\.value)
  }

  /// The members of a comma-separated list over all field lines of this name, empty ones left out (RFC 9110 §5.6.1).
  /// Meant for lists of tokens: a comma inside a quoted string separates too.
  public func list(_ name: String) -> [Substring] {
    var members: [Substring] = []
    for field in fields where equalsIgnoringCase(field.name, name) {
      for member in field.value.utf8.split(separator: UInt8(ascii: ",")) {
        let trimmed = trimmingBlanks(Substring(member))
        if !trimmed.isEmpty { members.append(trimmed) }
      }
    }
    return members
  }

  /// Whether a comma-separated list of this name has this member, in any case.
  public func contains(_ member: String, inList name: String) -> Bool {
    list(name).contains { equalsIgnoringCase($0, member) }
  }
}
