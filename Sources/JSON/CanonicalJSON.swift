/// The canonical form of JSON (RFC 8785), restricted to values without fractions: what two programs sign must be the same
/// bytes for both.
///
/// The names of each object in order, no space, strings escaped only where they must be, integers as they are. RFC 8785 orders
/// names by their UTF-16 code units, and writes numbers as ECMAScript does; a number that is not an integer which a double
/// holds exactly (up to 2^53) is refused, so that there is nothing to disagree about.
public enum CanonicalJSON {
  /// Why a value has no canonical form here.
  public enum Failure: Error, Equatable, Sendable {
    /// A number with a fraction or an exponent, or one beyond 2^53.
    case notAnInteger
    /// Values nested too deep.
    case tooDeep
  }

  private static let largestInteger: Int64 = 1 << 53
  private static let maximumDepth = 64

  /// Writes a value in canonical form.
  /// - Parameter omitted: the name of a member to leave out, if the value is an object.
  public static func write(
    _ value: JSONView, omitting omitted: String? = nil, into writer: inout JSONWriter
  ) throws(Failure) {
    try write(value, omitting: omitted, depth: 0, into: &writer)
  }

  private static func write(
    _ value: JSONView, omitting omitted: String?, depth: Int, into writer: inout JSONWriter
  ) throws(Failure) {
    guard depth <= maximumDepth else { throw .tooDeep }
    switch value.kind {
    case .object:
      var members: [(name: String, units: [UInt16], value: JSONView)] = []
      members.reserveCapacity(value.count)
      for member in value.members {
        guard let name = member.key.string, name != omitted else { continue }
        members.append((name, Array(name.utf16), member.value))
      }
      members.sort { $0.units.lexicographicallyPrecedes($1.units) }
      writer.beginObject()
      for member in members {
        writer.key(member.name)
        try write(member.value, omitting: nil, depth: depth + 1, into: &writer)
      }
      writer.endObject()
    case .array:
      writer.beginArray()
      for element in value.elements { try write(element, omitting: nil, depth: depth + 1, into: &writer) }
      writer.endArray()
    case .string:
      writer.string(value.string ?? "")
    case .number:
      guard let integer = value.integer, integer.magnitude <= largestInteger.magnitude else { throw .notAnInteger }
      // RFC 8785, 3.2.2.3: minus zero is written as zero.
      writer.integer(integer)
    case .boolean:
      writer.boolean(value.boolean ?? false)
    case .null:
      writer.null()
    }
  }
}
