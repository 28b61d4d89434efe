import Classroom
import Persistence

/// Why nobody was erased, or not everywhere.
public enum ErasureError: Error, Sendable, Equatable, CustomStringConvertible {
  /// A server would refuse to start on the folder.
  case refused(RecoveryError)
  /// A history file that names the user cannot be read.
  case history(HistoryError)
  /// The new snapshot was not written.
  case notWritten(SnapshotError)
  /// The journal cannot be changed.
  case journal(JournalError)
  case storage(StorageError)

  public var description: String {
    switch self {
    case .refused(let error): "a server would refuse it: \(error)"
    case .history(let error): "\(error)"
    case .notWritten(let error): "the new snapshot was not written: \(error)"
    case .journal(let error): "the journal cannot be changed: \(error)"
    case .storage(let error): "\(error)"
    }
  }
}

/// What there is of a user in a data folder.
public struct ErasureFindings: Sendable, Equatable {
  /// The user in one session.
  public struct Session: Sendable, Equatable {
    public var id: String
    public var title: String
    public var status: SessionStatus
    /// Whether the session is the user's own.
    public var isHost: Bool
    /// The user's attendance; what is open counts until the server was last known to be alive.
    public var attendanceMilliseconds: Int64
    /// The user's chat messages.
    public var messages: Int
  }

  /// By id.
  public var sessions: [Session] = []
  /// The files whose bytes name the user: more than the sessions show when an earlier attempt was interrupted.
  public var files: [String] = []

  /// Whether there is nothing to erase.
  public var isEmpty: Bool { sessions.isEmpty && files.isEmpty }
}

/// Takes a user out of a data folder of which no server runs.
///
/// In each session in which the user occurs, a pseudonym takes the user's place and the text goes: the attendance of the class
/// stays true as figures of somebody. All of that comes into being at once, with the name of a new snapshot; a crash before
/// leaves everything as it was. After it the journal, the snapshots before and the history files of these sessions are no
/// longer needed, and are removed; a crash in between leaves some of them, which no server reads, and which the next attempt
/// finds by their bytes. (Sessions of the history are whole in the new snapshot. The server writes their files anew.)
public struct Erasure<S: Storage> {
  private let mentions: Mentions
  private let storage: S
  private let history: S?

  /// The erasure of a user from a data folder and its history folder, if it has one.
  public init(of user: String, from storage: S, history: S?) {
    mentions = Mentions(of: user)
    self.storage = storage
    self.history = history
  }

  // MARK: Finding

  /// What there is of the user. Writes nothing.
  public func findings() throws(ErasureError) -> ErasureFindings {
    var state = RecoveredState(history: history.map { HistoryStore($0) })
    do throws(RecoveryError) {
      _ = try Recovery.read(storage, into: &state)
    } catch {
      throw .refused(error)
    }
    return try findings(in: try affected(state), now: max(state.lastAlive, state.lastTime))
  }

  private func findings(in affected: Affected, now: Timestamp) throws(ErasureError) -> ErasureFindings {
    var findings = ErasureFindings()
    for classroom in affected.classrooms {
      let row = classroom.attendance[mentions.user]
      findings.sessions.append(
        ErasureFindings.Session(
          id: classroom.id, title: classroom.details.title, status: classroom.status,
          isHost: classroom.details.host == mentions.user,
          attendanceMilliseconds: row?.milliseconds(until: now) ?? 0,
          messages: classroom.chat.messages.count { $0.user == mentions.user }))
    }
    for session in affected.stubs {
      findings.sessions.append(
        ErasureFindings.Session(
          id: session.id, title: session.view.details.title, status: session.view.status,
          isHost: session.view.details.host == mentions.user, attendanceMilliseconds: 0, messages: 0))
    }
    findings.sessions.sort { $0.id < $1.id }
    do throws(StorageError) {
      for name in try dataFiles() where try mentions.occur(inFile: name, of: storage) { findings.files.append(name) }
      if let history {
        for name in try history.list().sorted() where try mentions.occur(inFile: name, of: history) {
          findings.files.append("\(DataFolder.historyName)/\(name)")
        }
      }
    } catch {
      throw .storage(error)
    }
    return findings
  }

  /// The sessions that name the user.
  private struct Affected {
    var classrooms: [Classroom] = []
    /// Sessions in the history whose file is gone: only what the snapshot keeps of them is there.
    var stubs: [ArchivedSession] = []
  }

  private func affected(_ state: RecoveredState<S>) throws(ErasureError) -> Affected {
    var affected = Affected()
    affected.classrooms = state.classrooms.values.filter { $0.names(mentions.user) }
    for session in state.archived.values {
      if let classroom = try restore(session) {
        if classroom.names(mentions.user) || mentions.occur(in: session) { affected.classrooms.append(classroom) }
      } else if mentions.occur(in: session) {
        affected.stubs.append(session)
      }
    }
    affected.classrooms.sort { $0.id < $1.id }
    return affected
  }

  /// The session as its history file has it; nil when there is no file, or a damaged one that does not name the user.
  private func restore(_ session: ArchivedSession) throws(ErasureError) -> Classroom? {
    guard let history else { return nil }
    do throws(HistoryError) {
      return try HistoryStore(history).read(session.id)
    } catch {
      guard case .unreadable = error else {
        if case .missing = error { return nil }
        throw .history(error)
      }
      if try isNamed(inHistoryOf: session.id, history) { throw .history(error) }
      return nil
    }
  }

  private func isNamed(inHistoryOf session: String, _ history: S) throws(ErasureError) -> Bool {
    do throws(StorageError) {
      for name in try history.list() where Self.session(ofFile: name) == session {
        if try mentions.occur(inFile: name, of: history) { return true }
      }
      return false
    } catch {
      throw .storage(error)
    }
  }

  private func dataFiles() throws(StorageError) -> [String] {
    try storage.list().filter { name in
      switch FolderFile(name) {
      case .segment, .snapshot, .leftover: true
      case .format, .lock, .other: false
      }
    }.sorted()
  }

  // MARK: Erasing

  /// Erases the user.
  /// - Parameters:
  ///   - now: the time of the erasure.
  ///   - random: makes the pseudonym, the new epochs and the id of a segment; it must be unpredictable.
  /// - Returns: what was found; when that is empty, nothing was done.
  public func run(
    at now: Timestamp, using random: inout some RandomNumberGenerator
  ) throws(ErasureError) -> ErasureFindings {
    var state = RecoveredState(history: history.map { HistoryStore($0) })
    var writer: JournalWriter<S>
    do throws(RecoveryError) {
      let opened = try Recovery.open(
        storage, segmentID: SegmentID(using: &random), now: now.milliseconds, clock: { 0 },
        mode: JournalMode(.strict, boot: BootID.current()), into: &state)
      // This start would otherwise hide from the next one that something is missing.
      if opened.report.mayHaveLostEnd && !state.endedCleanly { try markLostEnd() }
      writer = opened.takeWriter()
    } catch {
      throw .refused(error)
    }
    let lastAlive = max(state.lastAlive, state.lastTime)
    let affected = try affected(state)
    let findings = try findings(in: affected, now: lastAlive)
    guard !findings.isEmpty else { return findings }
    let lsn = writer.nextLSN - 1
    let alive = AliveRecord.make(at: lastAlive, isGoodbye: state.endedCleanly)
    // Whoever counts as present was so until then, not until the erasure.
    let sessions = sessions(of: state, without: affected, at: lastAlive, using: &random)
    var archived: Set<String> = []
    for case .archived(let session) in sessions { archived.insert(session.id) }
    do throws(SnapshotError) {
      try writeSnapshot(sessions, lsn: lsn, alive: alive, now: now)
    } catch {
      throw .notWritten(error)
    }
    do throws(JournalError) {
      try writer.rotate(segmentID: SegmentID(using: &random), now: now.milliseconds)
      try writer.removeSegments(coveredThrough: lsn)
    } catch {
      throw .journal(error)
    }
    try removeSnapshots(but: lsn)
    try removeHistory(keeping: archived)
    return findings
  }

  private func markLostEnd() throws(RecoveryError) {
    do throws(StorageError) {
      try FolderMarker.endLost.set(in: storage)
    } catch {
      throw .storage(error)
    }
  }

  /// All sessions as they are to be from now on.
  private func sessions(
    of state: RecoveredState<S>, without affected: Affected, at now: Timestamp,
    using random: inout some RandomNumberGenerator
  ) -> [SnapshotRoom] {
    // One for each session, so that nobody can follow the same person from one to the next.
    func pseudonym() -> String { "erased-" + Self.letters(16, using: &random) }
    var classrooms = state.classrooms
    var archived = state.archived
    for var classroom in affected.classrooms {
      _ = classroom.erase(mentions.user, as: pseudonym(), at: now)
      // Who holds the old text must not be told that it has missed nothing.
      _ = classroom.changeEpoch(to: "e" + Self.letters(16, using: &random), at: now)
      classrooms[classroom.id] = classroom
      archived[classroom.id] = nil
    }
    for var session in affected.stubs {
      let name = pseudonym()
      session.view.erase(mentions.user, as: name)
      archived[session.id] = session
    }
    return classrooms.values.sorted { $0.id < $1.id }.map { .classroom($0) }
      + archived.values.sorted { $0.id < $1.id }.map { .archived($0) }
  }

  private func writeSnapshot(
    _ sessions: [SnapshotRoom], lsn: UInt64, alive: PendingRecord, now: Timestamp
  ) throws(SnapshotError) {
    var job = try SnapshotJob(storage, coveredLSN: lsn, at: now, alive: alive)
    for session in sessions {
      do throws(SnapshotError) {
        try job.add(session)
      } catch {
        job.discard()
        throw error
      }
    }
    _ = try job.finish()
  }

  private func removeSnapshots(but lsn: UInt64) throws(ErasureError) {
    do throws(StorageError) {
      for name in try storage.list() {
        if case .snapshot(let other) = FolderFile(name), other != lsn { try storage.remove(name) }
      }
      try storage.syncDirectory()
    } catch {
      throw .storage(error)
    }
  }

  /// Removes the history files of sessions that are in the snapshot as a whole, if they name the user.
  private func removeHistory(keeping archived: Set<String>) throws(ErasureError) {
    guard let history else { return }
    do throws(StorageError) {
      for name in try history.list() where !archived.contains(Self.session(ofFile: name)) {
        if try mentions.occur(inFile: name, of: history) { try history.remove(name) }
      }
      try history.syncDirectory()
    } catch {
      throw .storage(error)
    }
  }

  /// The session that a history file is of: an id has no dot.
  private static func session(ofFile name: String) -> String { String(name.prefix { $0 != "." }) }

  /// Random lower-case letters and digits, of which none looks like another.
  private static func letters(_ count: Int, using random: inout some RandomNumberGenerator) -> String {
    let letters = Array("abcdefghjkmnpqrstvwxyz23456789")
    return String((0..<count).map { _ in letters[Int.random(in: 0..<letters.count, using: &random)] })
  }
}
