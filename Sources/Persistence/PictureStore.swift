/// The pictures of sessions: a folder with one file for each, under names that nobody can guess.
public struct PictureStore<S: Storage>: Sendable {
  private let storage: S

  /// The pictures in `storage`, a folder of its own.
  public init(_ storage: S) { self.storage = storage }

  /// Whether a text is the name of a picture: letters and digits, and the kind behind a dot.
  public static func isName(_ text: String) -> Bool {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 2
      && parts.allSatisfy { part in
        (1...64).contains(part.utf8.count)
          && part.utf8.allSatisfy { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
              || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
          }
      }
  }

  /// Keeps a picture, durably.
  /// - Precondition: ``isName(_:)``.
  public func write(_ content: [UInt8], as name: String) throws(StorageError) {
    precondition(Self.isName(name))
    _ = try storage.install(content.span.bytes, as: name)
  }

  /// The content of a picture; nil when there is none of that name.
  public func read(_ name: String) throws(StorageError) -> [UInt8]? {
    guard Self.isName(name) else { return nil }
    let file: S.File
    do throws(StorageError) {
      file = try storage.open(name, .read)
    } catch {
      if error.isNotFound { return nil }
      throw error
    }
    let size = Int(clamping: try storage.size(of: file))
    var content = [UInt8](repeating: 0, count: size)
    var span = content.mutableSpan
    var bytes = span.mutableBytes
    let count = try storage.read(file, at: 0, into: &bytes)
    return count == size ? content : nil
  }

  /// Removes a picture; it is no error when there is none.
  public func remove(_ name: String) throws(StorageError) {
    guard Self.isName(name) else { return }
    do throws(StorageError) {
      try storage.remove(name)
    } catch {
      if !error.isNotFound { throw error }
    }
  }

  /// Removes what is not among these names, and what a crash left behind.
  public func removeAll(but names: Set<String>) throws(StorageError) {
    for name in try storage.list() where !names.contains(name) { try storage.remove(name) }
  }
}
