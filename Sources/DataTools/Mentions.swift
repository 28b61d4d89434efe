import Classroom
import JSON
import Persistence

/// Where a user occurs as a user: as the sender, the host, a row of the attendance. What other people wrote about somebody
/// cannot be told from other text.
///
/// It looks at bytes, so it finds a user also in parts of a file that are read no more. In every payload a user stands as a
/// JSON string, without white space around it, and no text within a string can look like that, as its quotes are escaped.
struct Mentions {
  private static let chunk = 1 << 20
  /// Fields whose strings are not users.
  private static let otherFields: Set<String> = [
    "title", "description", "instructor", "kind", "time_zone", "admission", "visibility", "room_name", "epoch",
    "status",
    "name", "role", "text", "key", "answer", "type", "chat", "emoji",
  ]
  private static let longestField = 32

  let user: String
  /// The user's id as a JSON string.
  private let quoted: [UInt8]

  init(of user: String) {
    self.user = user
    var writer = JSONWriter()
    writer.string(user)
    quoted = writer.bytes
  }

  /// Whether what a snapshot keeps of a session in the history names the user.
  func occur(in session: ArchivedSession) -> Bool {
    session.view.details.host == user || session.view.startedBy == user
  }

  /// Whether the file names the user.
  func occur<S: Storage>(inFile name: String, of storage: S) throws(StorageError) -> Bool {
    let file = try storage.open(name, .read)
    let size = try storage.size(of: file)
    // What lies across the end of a piece is whole, with its field, in the next one.
    let overlap = quoted.count + Self.longestField + 4
    var buffer = [UInt8](repeating: 0, count: Int(clamping: min(size, UInt64(Self.chunk + overlap))))
    var offset: UInt64 = 0
    while offset < size {
      var span = buffer.mutableSpan
      var raw = span.mutableBytes
      let count = try storage.read(file, at: offset, into: &raw)
      if occur(in: buffer[..<count]) { return true }
      guard count == buffer.count, count > overlap else { return false }
      offset += UInt64(count - overlap)
    }
    return false
  }

  private func occur(in bytes: ArraySlice<UInt8>) -> Bool {
    bytes.withUnsafeBufferPointer { bytes in
      guard bytes.count > quoted.count else { return false }
      for start in 1..<bytes.count - quoted.count + 1
      where bytes[start] == quoted[0] && bytes[start + 1] == quoted[1] {
        guard bytes[start..<start + quoted.count].elementsEqual(quoted) else { continue }
        let isKey = start + quoted.count < bytes.count && bytes[start + quoted.count] == UInt8(ascii: ":")
        if !isKey && isOfUsers(bytes, before: start) { return true }
      }
      return false
    }
  }

  /// Whether the string that begins at `start` is the value of a field that can name a user, or an element of an array.
  private func isOfUsers(_ bytes: UnsafeBufferPointer<UInt8>, before start: Int) -> Bool {
    switch bytes[start - 1] {
    case UInt8(ascii: "["), UInt8(ascii: ","): return true
    case UInt8(ascii: ":"): break
    default: return false
    }
    guard start >= 2, bytes[start - 2] == UInt8(ascii: "\"") else { return false }
    let end = start - 2
    var first = end
    while first > 0, end - first < Self.longestField, bytes[first - 1] != UInt8(ascii: "\"") { first -= 1 }
    return !Self.otherFields.contains(String(decoding: bytes[first..<end], as: UTF8.self))
  }
}
