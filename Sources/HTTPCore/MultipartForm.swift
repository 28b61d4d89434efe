/// A form with files (RFC 7578), taken apart: names and where in the body their contents lie.
///
/// Bounded and sans-I/O: a whole body goes in, ranges of it come out, and nothing of it is copied but names.
public struct MultipartForm: Sendable, Equatable {
  /// One field.
  public struct Part: Sendable, Equatable {
    public var name: String
    /// What the client calls the file, when it is one. Never to be used as a path.
    public var fileName: String?
    /// The type that the client says; what the content is, it must show by itself.
    public var contentType: String?
    /// Where in the body the content lies.
    public var content: Range<Int>

    public init(name: String, fileName: String?, contentType: String?, content: Range<Int>) {
      self.name = name
      self.fileName = fileName
      self.contentType = contentType
      self.content = content
    }
  }

  /// The bounds of a form.
  public enum Limits {
    /// The fields of a form.
    public static let parts = 64
    /// The bytes of all header fields of one part.
    public static let headerBytes = 4096
    /// The bytes of a boundary (RFC 2046 §5.1.1).
    public static let boundaryBytes = 1...70
  }

  /// Why a body is no such form; the code names the rule in snake case.
  public struct Failure: Error, Equatable, Sendable {
    public let code: String

    init(_ code: String) { self.code = code }
  }

  public private(set) var parts: [Part] = []

  /// The boundary that a `Content-Type` names; nil when it is not that of a form.
  public static func boundary(ofContentType type: String) -> String? {
    let pieces = type.utf8.split(separator: UInt8(ascii: ";"), maxSplits: 1)
    guard pieces.count == 2, equalsIgnoringCase(trimmingBlanks(Substring(pieces[0])), "multipart/form-data") else {
      return nil
    }
    for (name, value) in parameters(Array(pieces[1])) where equalsIgnoringCase(name, "boundary") {
      // RFC 2046 §5.1.1: no blank at the end. Of the characters that are not allowed none does harm but line ends.
      guard Limits.boundaryBytes.contains(value.utf8.count), value.utf8.last != .space,
        value.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F })
      else { return nil }
      return value
    }
    return nil
  }

  /// Takes a whole body apart.
  public init(_ body: [UInt8], boundary: String) throws(Failure) {
    let delimiter = Array("\r\n--\(boundary)".utf8)
    // RFC 2046 §5.1.1: the line end belongs to the delimiter, and the first may do without. What stands before the first,
    // a preamble, has no use here and no party that sends it.
    guard body.starts(with: delimiter[2...]) else { throw Failure("no_boundary") }
    var position = delimiter.count - 2
    while true {
      if body[position...].starts(with: [UInt8(ascii: "-"), UInt8(ascii: "-")]) {
        // RFC 2046 §5.1.1: an epilogue is to be ignored.
        return
      }
      while position < body.count, body[position].isBlank { position += 1 }
      guard body[position...].starts(with: [.carriageReturn, .lineFeed]) else { throw Failure("bad_boundary_line") }
      position += 2
      guard parts.count < Limits.parts else { throw Failure("too_many_parts") }
      var part = try Self.readHeader(of: body, &position)
      guard let end = Self.find(delimiter, in: body, from: max(0, position - 2)) else { throw Failure("cut_off") }
      part.content = position..<max(position, end)
      parts.append(part)
      position = end + delimiter.count
    }
  }

  /// The content of a part as text.
  /// - Returns: nil when it is not UTF-8.
  public static func text(of part: Part, in body: [UInt8]) -> String? {
    String(validating: body[part.content], as: UTF8.self)
  }

  // MARK: Header

  /// The header fields of a part, up to the empty line behind them.
  private static func readHeader(of body: [UInt8], _ position: inout Int) throws(Failure) -> Part {
    let limit = min(body.count, position + Limits.headerBytes)
    var name: String?
    var fileName: String?
    var contentType: String?
    while true {
      var end = position
      while end < limit, body[end] != .carriageReturn { end += 1 }
      guard end + 1 < limit, body[end + 1] == .lineFeed else {
        throw Failure(limit == body.count ? "cut_off" : "part_header_too_large")
      }
      let line = body[position..<end]
      position = end + 2
      if line.isEmpty { break }
      guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { throw Failure("bad_part_header") }
      let field = String(decoding: line[..<colon], as: UTF8.self)
      let value = Array(line[(colon + 1)...])
      if equalsIgnoringCase(field, "content-disposition") {
        guard name == nil else { throw Failure("duplicate_disposition") }
        (name, fileName) = try readDisposition(value)
      } else if equalsIgnoringCase(field, "content-type") {
        contentType = String(trimmingBlanks(Substring(String(decoding: value, as: UTF8.self))))
      }
    }
    // RFC 7578 §4.2: every part has a name.
    guard let name else { throw Failure("no_part_name") }
    return Part(name: name, fileName: fileName, contentType: contentType, content: 0..<0)
  }

  private static func readDisposition(_ value: [UInt8]) throws(Failure) -> (name: String, fileName: String?) {
    let pieces = value.split(separator: UInt8(ascii: ";"), maxSplits: 1)
    guard pieces.count == 2,
      equalsIgnoringCase(trimmingBlanks(Substring(String(decoding: pieces[0], as: UTF8.self))), "form-data")
    else { throw Failure("bad_disposition") }
    var name: String?
    var fileName: String?
    for (key, value) in parameters(Array(pieces[1])) {
      if equalsIgnoringCase(key, "name"), name == nil { name = value }
      if equalsIgnoringCase(key, "filename"), fileName == nil { fileName = value }
    }
    guard let name, !name.isEmpty else { throw Failure("no_part_name") }
    return (name, fileName)
  }

  /// `name=value` and `name="value"`, with semicolons between them. Browsers write a quote as `%22`, others with a backslash
  /// before it; either stands for itself here, and only the second must not end the value.
  private static func parameters(_ bytes: [UInt8]) -> [(name: String, value: String)] {
    var found: [(name: String, value: String)] = []
    var index = 0
    while index < bytes.count {
      while index < bytes.count, bytes[index].isBlank || bytes[index] == UInt8(ascii: ";") { index += 1 }
      let start = index
      while index < bytes.count, bytes[index] != UInt8(ascii: "="), bytes[index] != UInt8(ascii: ";") { index += 1 }
      guard index < bytes.count, bytes[index] == UInt8(ascii: "=") else { continue }
      let name = String(decoding: bytes[start..<index], as: UTF8.self)
      index += 1
      var value: [UInt8] = []
      if index < bytes.count, bytes[index] == UInt8(ascii: "\"") {
        index += 1
        while index < bytes.count, bytes[index] != UInt8(ascii: "\"") {
          if bytes[index] == UInt8(ascii: "\\"), index + 1 < bytes.count { index += 1 }
          value.append(bytes[index])
          index += 1
        }
        index += 1
      } else {
        while index < bytes.count, bytes[index] != UInt8(ascii: ";"), !bytes[index].isBlank {
          value.append(bytes[index])
          index += 1
        }
      }
      found.append((String(trimmingBlanks(Substring(name))), String(decoding: value, as: UTF8.self)))
    }
    return found
  }

  // MARK: Searching

  /// Where the delimiter next begins. It begins with a line end and has no other, so that what does not match needs no
  /// second look: a file costs one pass.
  /// Whether a delimiter may end here: what goes on like it, with more, is content (`--bb` where the boundary is `b`).
  private static func endsDelimiter(_ body: UnsafeBufferPointer<UInt8>, at index: Int) -> Bool {
    guard index < body.count else { return true }
    let next = body[index]
    return next.isBlank || next == .carriageReturn || next == UInt8(ascii: "-")
  }

  private static func find(_ delimiter: [UInt8], in body: [UInt8], from start: Int) -> Int? {
    body.withUnsafeBufferPointer { body -> Int? in
      var index = start
      while index <= body.count - delimiter.count {
        guard body[index] == .carriageReturn else {
          index += 1
          continue
        }
        var matched = 1
        while matched < delimiter.count, body[index + matched] == delimiter[matched] { matched += 1 }
        if matched == delimiter.count, endsDelimiter(body, at: index + matched) { return index }
        index += matched
      }
      return nil
    }
  }
}
