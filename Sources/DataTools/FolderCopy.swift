import Classroom
import Persistence

/// Why a data folder was not copied. What had been copied is to be thrown away.
public enum BackupError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The source has no `format` file, or one that this build does not read.
  case notADataFolder(String)
  /// A server would refuse to start on the source.
  case refused(RecoveryError)
  /// A session rests in a history file that is damaged.
  case history(HistoryError)
  /// Files went while they were copied, in every attempt.
  case neverStill
  /// Something has the target's name already.
  case targetExists(String)
  /// An earlier backup to this target was interrupted, or another one is under way.
  case unfinished(String)
  /// The source cannot be read.
  case source(StorageError)
  /// The target cannot be written.
  case target(StorageError)

  /// Whether the cause can be what a running server did meanwhile.
  var mayPass: Bool {
    switch self {
    case .refused, .history, .neverStill: true
    case .notADataFolder, .targetExists, .unfinished, .source, .target: false
    }
  }

  public var description: String {
    switch self {
    case .notADataFolder(let reason): "it is not a data folder: \(reason)"
    case .refused(let error): "a server would refuse it: \(error)"
    case .history(let error): "\(error)"
    case .neverStill: "its files changed too fast to be copied; try again"
    case .targetExists(let path): "\(path) exists already"
    case .unfinished(let path): "\(path) exists: another backup is running, or one was interrupted; then remove it"
    case .source(let error): "it cannot be read: \(error)"
    case .target(let error): "the copy cannot be written: \(error)"
    }
  }
}

/// What a backup holds.
public struct BackupSummary: Sendable, Equatable {
  /// The LSN of its last record.
  public var lastLSN: UInt64
  public var sessions: Int
  /// The sessions among them that rest in history files.
  public var archived: Int
  /// Those of them whose file the source has no longer: their time to be kept is over, or the file was lost.
  public var missing: [String]
  public var files: Int
  public var bytes: UInt64
  /// The last time that anything in it knows of.
  public var until: Timestamp
}

/// Copies a data folder, of a server that may be running, so that the copy is the folder at one moment.
///
/// It is what the machine would have found after a power failure at that moment: everything that was acknowledged until the
/// copying began, and of what came later everything up to some record, in order. This follows from the order of copying:
///
/// 1. The snapshots, newest first. From here on the journal after the newest one is needed, and the server keeps it until
///    two newer snapshots are whole.
/// 2. The segments, oldest first. Each but the last has got its end already, which the next one's header states. Of the last
///    one there is what the server had written when it was opened; a batch that was just being written is cut off, as a
///    recovery does it. So the records copied have no gap. When all are there the folder is listed once more: a segment that
///    is new by then says where the one before it ends (what a failed sync left behind it does not count), and is copied too.
/// 3. The history files: after the snapshots, whose entries may name them. The server writes a session's file before the
///    snapshot that relies on it, so every file that a copied snapshot names was there; a session whose file is copied
///    although its room is in the copied snapshot as well is whole in both. A file that is not there was removed when its time
///    was over, and the snapshot does not know it yet.
///
/// What the disk refuses at this very moment may be in the copy, as after any crash before the server has told it apart.
///
/// A file that is gone when its turn comes was no longer needed by the server, but perhaps by what was copied before: then
/// the copying begins again. Nothing is believed: the copy is recovered, as a server would, before it counts.
public struct FolderCopy<Source: Storage, Target: Storage> {
  private let source: Source
  private let target: Target
  private let historySource: Source?
  private let historyTarget: Target
  private let now: Timestamp
  /// The lengths of the files that are there.
  private var copied: [String: UInt64] = [:]

  /// How often the copying is begun anew.
  private static var attempts: Int { 10 }
  private static var chunk: Int { 1 << 20 }

  private enum Failure: Error {
    /// What was seen is no longer there.
    case moved
    case final(BackupError)
  }

  /// Copies, syncs and verifies.
  /// - Parameters:
  ///   - source: the data folder, `history` its history folder if it has one.
  ///   - target: an empty folder, `historyTarget` an empty folder in it.
  public static func run(
    _ source: Source, history: Source?, to target: Target, history historyTarget: Target, at now: Timestamp
  ) throws(BackupError) -> BackupSummary {
    var problem = BackupError.neverStill
    for _ in 0..<attempts {
      var copy = FolderCopy(
        source: source, target: target, historySource: history, historyTarget: historyTarget, now: now)
      do throws(Failure) {
        return try copy.run()
      } catch {
        switch error {
        // What a running server changes meanwhile can look like damage, but not twice the same way.
        case .final(let final) where !final.mayPass || final == problem: throw final
        case .final(let final): problem = final
        case .moved: problem = .neverStill
        }
        try copy.clear()
      }
    }
    throw problem
  }

  private init(source: Source, target: Target, historySource: Source?, historyTarget: Target, now: Timestamp) {
    self.source = source
    self.target = target
    self.historySource = historySource
    self.historyTarget = historyTarget
    self.now = now
  }

  private mutating func run() throws(Failure) -> BackupSummary {
    try checkFormat()
    try copy("format")
    for name in try names(of: .snapshots).reversed() { try copy(name) }
    try copySegments()
    try copyHistory()
    return try verify()
  }

  private func checkFormat() throws(Failure) {
    do throws(FolderFormat.Failure) {
      if try FolderFormat.read(source) == nil { throw FolderFormat.Failure.missing }
    } catch {
      switch error {
      case .newer(let version, let supported):
        throw .final(.notADataFolder("it has format \(version), this build reads up to \(supported)"))
      case .unreadable: throw .final(.notADataFolder("its format file is damaged"))
      case .missing: throw .final(.notADataFolder("it has no format file"))
      case .storage(let error): throw .final(.source(error))
      }
    }
  }

  // MARK: Copying

  private enum Kind { case snapshots, segments }

  private func names(of kind: Kind) throws(Failure) -> [String] {
    do throws(StorageError) {
      return try source.list().filter { name in
        switch FolderFile(name) {
        case .snapshot: kind == .snapshots
        case .segment: kind == .segments
        case .format, .lock, .leftover, .other: false
        }
      }.sorted()
    } catch {
      throw .final(.source(error))
    }
  }

  private mutating func copySegments() throws(Failure) {
    var last: String?
    while true {
      let names = try names(of: .segments)
      // One that has got an end since it was copied may be longer now.
      let due = names.filter { copied[$0] == nil || ($0 == last && $0 != names.last) }
      if due.isEmpty { return }
      for name in due { try copy(name) }
      last = names.last
    }
  }

  private mutating func copyHistory() throws(Failure) {
    guard let historySource else { return }
    let names: [String]
    do throws(StorageError) {
      names = try historySource.list().filter { FolderFile($0) != .leftover }.sorted()
    } catch {
      throw .final(.source(error))
    }
    for name in names {
      copied["history/" + name] = try Self.copy(name, from: historySource, to: historyTarget)
    }
    do throws(StorageError) {
      try historyTarget.syncDirectory()
    } catch {
      throw .final(.target(error))
    }
  }

  private mutating func copy(_ name: String) throws(Failure) {
    copied[name] = try Self.copy(name, from: source, to: target)
  }

  /// Copies what the file has when it is opened, and syncs it.
  /// - Returns: its length.
  private static func copy(_ name: String, from source: Source, to target: Target) throws(Failure) -> UInt64 {
    let input: Source.File
    let size: UInt64
    do throws(StorageError) {
      input = try source.open(name, .read)
      size = try source.size(of: input)
    } catch {
      throw error.isNotFound ? .moved : .final(.source(error))
    }
    let output = try writing { () throws(StorageError) in try target.open(name, .replace) }
    var buffer = [UInt8](repeating: 0, count: Int(clamping: min(size, UInt64(chunk))))
    var offset: UInt64 = 0
    while offset < size {
      let wanted = Int(clamping: min(size - offset, UInt64(buffer.count)))
      let count: Int
      do throws(StorageError) {
        var span = buffer.mutableSpan
        var raw = span.mutableBytes
        var part = raw._mutatingExtracting(0..<wanted)
        count = try source.read(input, at: offset, into: &part)
      } catch {
        throw .final(.source(error))
      }
      // Shorter than it was: a server that starts has cut a torn tail off.
      guard count == wanted else { throw .moved }
      try writing { () throws(StorageError) in
        try target.write(buffer.span.bytes.extracting(0..<count), to: output, at: offset)
      }
      offset += UInt64(count)
    }
    try writing { () throws(StorageError) in try target.sync(output) }
    return size
  }

  private static func writing<Value>(_ body: () throws(StorageError) -> Value) throws(Failure) -> Value {
    do throws(StorageError) {
      return try body()
    } catch {
      throw .final(.target(error))
    }
  }

  /// Empties the target for another attempt.
  private func clear() throws(BackupError) {
    do throws(StorageError) {
      for name in try target.list() where FolderFile(name) != .other { try target.remove(name) }
      for name in try historyTarget.list() { try historyTarget.remove(name) }
    } catch {
      throw .target(error)
    }
  }

  // MARK: Verifying

  private mutating func verify() throws(Failure) -> BackupSummary {
    var (contents, state) = try recover()
    if contents.journal.tornBytes > 0, let last = contents.journal.segments.last,
      contents.journal.headlessSegment == nil
    {
      // Read whole before the cut, so that damage, which is not at the end, has been told apart from it.
      try Self.writing { () throws(StorageError) in
        let file = try target.open(last.name, .update)
        try target.truncate(file, to: last.end)
        try target.sync(file)
      }
      copied[last.name] = last.end
      (contents, state) = try recover()
    }
    let missing = try verifyHistory(Array(state.archived.keys))
    try Self.writing { () throws(StorageError) in
      try FolderMarker.backupRestored.set(in: target, note: "rollcall-backup 1 \(RFC3339.format(now))\n")
    }
    return BackupSummary(
      lastLSN: contents.lastLSN, sessions: state.classrooms.count + state.archived.count,
      archived: state.archived.count, missing: missing, files: copied.count, bytes: copied.values.reduce(0, +),
      until: state.lastTime)
  }

  /// - Returns: the sessions without a file.
  private func verifyHistory(_ sessions: [String]) throws(Failure) -> [String] {
    let store = HistoryStore(historyTarget)
    var missing: [String] = []
    for session in sessions.sorted() {
      do throws(HistoryError) {
        try store.verify(session)
      } catch {
        guard case .missing = error else { throw .final(.history(error)) }
        missing.append(session)
      }
    }
    return missing
  }

  private func recover() throws(Failure) -> (RecoveredContents, RecoveredState<Target>) {
    var state = RecoveredState(history: HistoryStore(historyTarget))
    do throws(RecoveryError) {
      return (try Recovery.read(target, into: &state), state)
    } catch {
      if case .storage(let error) = error { throw .final(.target(error)) }
      throw .final(.refused(error))
    }
  }
}
