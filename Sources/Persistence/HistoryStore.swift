import Classroom

/// Why a session was not put into the history, or not found there.
public enum HistoryError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The session has no file.
  case missing(session: String)
  /// The file could not be written; an older one is untouched.
  case notWritten(session: String, SnapshotError)
  /// The file cannot be read.
  case unreadable(session: String, RecoveryError)
  /// The storage failed.
  case storage(StorageError)
  /// The id cannot be a file's name: it is not 1 to 64 letters, digits, underscores and hyphens.
  case badSession

  public var description: String {
    switch self {
    case .missing(let session): "the history file of \(session) is missing"
    case .notWritten(let session, let error): "the history file of \(session) was not written: \(error)"
    case .unreadable(let session, let error): "the history file of \(session): \(error)"
    case .storage(let error): "the history folder: \(error)"
    case .badSession: "a session id that cannot be the name of a history file"
    }
  }
}

/// The sessions that are over and no longer kept in memory: a folder with one file for each, laid out as a snapshot.
public struct HistoryStore<S: Storage>: Sendable {
  private static var suffix: String { ".rch" }

  private let storage: S

  /// The history in `storage`, a folder of its own.
  public init(_ storage: S) { self.storage = storage }

  /// Removes what a crash left behind before it got its final name.
  public func removeLeftovers() throws(HistoryError) {
    do throws(StorageError) {
      for name in try storage.list()
      where name.hasSuffix(FileName.temporarySuffix)
        && session(of: String(name.dropLast(FileName.temporarySuffix.count))) != nil
      {
        try storage.remove(name)
      }
    } catch {
      throw .storage(error)
    }
  }

  /// Writes the file of a session, durably; one that is there is replaced.
  public func write(_ classroom: Classroom, at now: Timestamp) throws(HistoryError) {
    let session = classroom.id
    let name = try fileName(session)
    do throws(SnapshotError) {
      var writer = try SnapshotWriter(storage, name: name, lsn: 0, now: now.milliseconds)
      do throws(SnapshotError) {
        try writer.append(classroom)
      } catch {
        writer.discard()
        throw error
      }
      try writer.finish()
    } catch {
      throw .notWritten(session: session, error)
    }
  }

  /// The session as its file has it.
  public func read(_ session: String) throws(HistoryError) -> Classroom {
    var state = RecoveredState<S>()
    let name = try fileName(session)
    do throws(RecoveryError) {
      var reader = SnapshotReader(storage, file: name, expecting: 0)
      _ = try reader.read(into: &state)
    } catch {
      if case .storage(let error) = error {
        throw error.isNotFound ? .missing(session: session) : .storage(error)
      }
      throw .unreadable(session: session, error)
    }
    guard let classroom = state.classrooms[session], state.classrooms.count == 1 else {
      throw .unreadable(session: session, .damaged(file: name, offset: 0, .name))
    }
    return classroom
  }

  /// Reads the file of a session and throws when it is not whole.
  public func verify(_ session: String) throws(HistoryError) { _ = try read(session) }

  /// Removes the file of a session; it is no error when there is none.
  public func remove(_ session: String) throws(HistoryError) {
    let name = try fileName(session)
    do throws(StorageError) {
      do throws(StorageError) {
        try storage.remove(name)
      } catch  where error.isNotFound {
        return
      }
      try storage.syncDirectory()
    } catch {
      throw .storage(error)
    }
  }

  /// The sessions that have files, sorted.
  public func sessions() throws(HistoryError) -> [String] {
    do throws(StorageError) {
      return try storage.list().compactMap(session(of:)).sorted()
    } catch {
      throw .storage(error)
    }
  }

  private func fileName(_ session: String) throws(HistoryError) -> String {
    guard SessionID.isValid(session) else { throw .badSession }
    return session + Self.suffix
  }

  private func session(of name: String) -> String? {
    guard name.hasSuffix(Self.suffix) else { return nil }
    let session = String(name.dropLast(Self.suffix.count))
    return SessionID.isValid(session) ? session : nil
  }
}
