import Classroom
import Persistence

/// Everything that can be said about a data folder without changing it or taking its lock.
///
/// The folder may be that of a running server: then the end of the last segment is perhaps just being written, and a file may
/// go while it is read; the reading is begun again until it saw one state.
public struct FolderInspection: Sendable {
  /// A segment of the journal: what it holds, or why that cannot be read.
  public struct Segment: Sendable {
    public var name: String
    public var survey: Result<SegmentSurvey, RecoveryError>
  }

  /// A snapshot.
  public struct Snapshot: Sendable {
    public var name: String
    public var bytes: UInt64
    /// What it holds, or where it is damaged.
    public var summary: Result<SnapshotSummary, RecoveryError>
  }

  /// The version in the `format` file; nil when the folder has neither that file nor data.
  public var format: UInt32?
  /// Whether a server holds the lock; nil when that cannot be found out.
  public var isInUse: Bool?
  /// In the order of their LSNs.
  public var segments: [Segment] = []
  /// Oldest first.
  public var snapshots: [Snapshot] = []
  /// What the next start is told.
  public var markers: [FolderMarker] = []
  /// Files that a crash left behind before they got their names.
  public var leftovers: [String] = []
  /// The bytes of all files of journal, snapshots and history, leftovers included.
  public var bytes: UInt64 = 0
  /// What a server would find; nil when it would refuse the folder.
  public var contents: RecoveredContents?
  /// The sessions that a server would start with, by id; when ``failure`` is set, what could be read before it.
  public var classrooms: [String: Classroom] = [:]
  /// The sessions among ``classrooms`` that rest in history files.
  public var archived: Set<String> = []
  /// The sessions that have history files. One that is not in ``archived`` too was about to be put there.
  public var historyFiles: [String] = []
  /// The sessions that should have a history file and have none: their time to be kept is over, and the snapshot does not
  /// know it yet, or the file was lost.
  public var missingHistory: [String] = []
  /// The history files that are damaged, or why the history cannot be read.
  public var historyProblems: [HistoryError] = []
  /// When the server was last known to be alive: an open attendance counts until then.
  public var lastAlive = Timestamp(milliseconds: 0)
  /// Whether the last run said good-bye.
  public var endedCleanly = false
  /// Why a server would refuse the folder.
  public var failure: RecoveryError?
  /// Whether files came or went in each attempt to read the folder, so that the parts may be of different moments.
  public var isMoving = false

  /// Bytes after the last whole batch.
  public var tornBytes: UInt64 { contents?.journal.tornBytes ?? 0 }

  /// Damage, as far as it can be told apart, each with its file and offset.
  public var problems: [RecoveryError] {
    var problems: [RecoveryError] = []
    func note(_ problem: RecoveryError) {
      if !problems.contains(problem) { problems.append(problem) }
    }
    for (index, segment) in segments.enumerated() {
      switch segment.survey {
      case .failure(let error):
        // The last one may lack its header: that is a crash, and the recovery's to judge.
        if index < segments.count - 1 || failure != nil { note(error) }
      case .success(let survey):
        guard index + 1 < segments.count, case .success(let next) = segments[index + 1].survey,
          let end = next.endOfPrevious, survey.end < end
        else { continue }
        note(.damaged(file: survey.name, offset: survey.end, survey.bytes < end ? .truncated : .batch))
      }
    }
    for snapshot in snapshots {
      if case .failure(let error) = snapshot.summary { note(error) }
    }
    for problem in historyProblems { note(.history(problem)) }
    if let failure { note(failure) }
    return problems
  }

  /// How often a moving folder is read before it is taken as it is.
  private static let attempts = 5

  /// The sessions, by id.
  public var sessions: [SessionSummary] {
    classrooms.values.map { SessionSummary($0, now: lastAlive, isArchived: archived.contains($0.id)) }.sorted {
      $0.id < $1.id
    }
  }

  /// Reads the folder.
  /// - Parameters:
  ///   - history: its history folder, if it has one.
  ///   - isInUse: whether a server holds its lock, as ``DataFolder/isInUse(path:)`` says.
  /// - Throws: when the folder cannot be listed, or when its format is not one that this build reads.
  public init<S: Storage>(_ storage: S, history: S?, isInUse: Bool?) throws(FolderFormat.Failure) {
    var previous: FolderInspection?
    for _ in 0..<Self.attempts {
      let before = try Self.names(storage)
      var inspection = try FolderInspection(once: storage, history, isInUse)
      inspection.isMoving = try Self.names(storage) != before
      // What a running server changes meanwhile can look like damage, but not twice the same way.
      let isSettled = inspection.problems.isEmpty || isInUse == false || inspection.problems == previous?.problems
      if !inspection.isMoving && isSettled {
        self = inspection
        return
      }
      previous = inspection
    }
    guard let previous else { throw .missing }
    self = previous
  }

  private static func names<S: Storage>(_ storage: S) throws(FolderFormat.Failure) -> [String] {
    do throws(StorageError) {
      return try storage.list().filter { FolderFile($0) != .leftover }.sorted()
    } catch {
      throw .storage(error)
    }
  }

  private init<S: Storage>(once storage: S, _ history: S?, _ isInUse: Bool?) throws(FolderFormat.Failure) {
    format = try FolderFormat.read(storage)
    self.isInUse = isInUse
    let names: [String]
    do throws(StorageError) {
      names = try storage.list().sorted()
      markers = try FolderMarker.present(in: storage)
    } catch {
      throw .storage(error)
    }
    survey(names, storage)
    var state = RecoveredState(history: history.map { HistoryStore($0) })
    do throws(RecoveryError) {
      contents = try Recovery.read(storage, into: &state)
    } catch {
      failure = error
    }
    classrooms = state.classrooms
    lastAlive = max(state.lastAlive, state.lastTime)
    endedCleanly = state.endedCleanly
    if let history { read(history) }
    read(Array(state.archived.keys), from: history.map { HistoryStore($0) })
  }

  private mutating func read<S: Storage>(_ history: S) {
    do throws(StorageError) {
      for name in try history.list().sorted() {
        bytes += Self.size(name, history)
        if FolderFile(name) == .leftover { leftovers.append("\(DataFolder.historyName)/\(name)") }
      }
    } catch {
      historyProblems.append(.storage(error))
      return
    }
    do throws(HistoryError) {
      historyFiles = try HistoryStore(history).sessions()
    } catch {
      historyProblems.append(error)
    }
  }

  private mutating func read<S: Storage>(_ sessions: [String], from history: HistoryStore<S>?) {
    for session in sessions.sorted() {
      do throws(HistoryError) {
        guard let history else { throw HistoryError.missing(session: session) }
        classrooms[session] = try history.read(session)
        archived.insert(session)
      } catch {
        if case .missing = error { missingHistory.append(session) } else { historyProblems.append(error) }
      }
    }
  }

  private mutating func survey<S: Storage>(_ names: [String], _ storage: S) {
    var segmentNames: [String] = []
    for name in names {
      switch FolderFile(name) {
      case .segment: segmentNames.append(name)
      case .snapshot: snapshots.append(Self.snapshot(name, storage))
      case .leftover: leftovers.append(name)
      case .format, .lock, .other: continue
      }
      bytes += Self.size(name, storage)
    }
    // The header of each segment says where the one before it ends.
    var limit: UInt64?
    for name in segmentNames.reversed() {
      do throws(RecoveryError) {
        let survey = try SegmentSurvey(storage, name: name, limit: limit)
        segments.append(Segment(name: name, survey: .success(survey)))
        limit = survey.endOfPrevious
      } catch {
        segments.append(Segment(name: name, survey: .failure(error)))
        limit = nil
      }
    }
    segments.reverse()
  }

  private static func snapshot<S: Storage>(_ name: String, _ storage: S) -> Snapshot {
    let summary: Result<SnapshotSummary, RecoveryError>
    do throws(RecoveryError) {
      summary = .success(try SnapshotReader(storage, file: name).verify())
    } catch {
      summary = .failure(error)
    }
    return Snapshot(name: name, bytes: size(name, storage), summary: summary)
  }

  /// The length of a file; 0 when it has just gone.
  private static func size<S: Storage>(_ name: String, _ storage: S) -> UInt64 {
    do throws(StorageError) {
      return try storage.size(of: try storage.open(name, .read))
    } catch {
      return 0
    }
  }
}
