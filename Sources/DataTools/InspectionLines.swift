import Classroom
import JSON
import Persistence

/// What was found in a data folder, for machines: one JSON object on each line, whose `type` says what it is about.
public enum InspectionLines {
  /// A line.
  static func line(_ type: StaticString, _ body: (inout JSONWriter) -> Void) -> String {
    var writer = JSONWriter(reserving: 256)
    writer.beginObject()
    writer.field("type", type)
    body(&writer)
    writer.endObject()
    return PrintableText.escaped(json: writer.bytes)
  }

  /// The summary: `folder`, then each `segment`, `snapshot`, `missing_history` and `session`, then each `damage`.
  public static func summary(_ inspection: FolderInspection, path: String) -> [String] {
    var lines = [folder(inspection, path)]
    // Those that cannot be read are among the problems below.
    lines += inspection.segments.compactMap { (try? $0.survey.get()).map(segment) }
    lines += inspection.snapshots.compactMap { snapshot in
      (try? snapshot.summary.get()).map { self.snapshot($0, bytes: snapshot.bytes) }
    }
    lines += inspection.missingHistory.map { session in line("missing_history") { $0.field("session", session) } }
    lines += inspection.sessions.map(session)
    return lines + problems(inspection)
  }

  /// What is damaged.
  public static func problems(_ inspection: FolderInspection) -> [String] {
    inspection.problems.map { problem in
      line("damage") {
        if let place = problem.place {
          $0.field("file", place.file)
          $0.field("offset", place.offset)
        }
        $0.field("reason", "\(problem)")
        $0.field("start_refused", inspection.failure != nil)
      }
    }
  }

  /// What checking everything came to: each `damage`, then one line of type `verified`.
  public static func verdict(_ inspection: FolderInspection) -> [String] {
    let problems = problems(inspection)
    return problems + [
      line("verified") {
        $0.field("whole", problems.isEmpty)
        $0.field("last_lsn", inspection.contents?.lastLSN)
        $0.field("sessions", inspection.classrooms.count)
        $0.field("unfinished_bytes", inspection.tornBytes)
      }
    ]
  }

  private static func folder(_ inspection: FolderInspection, _ path: String) -> String {
    line("folder") {
      $0.field("path", path)
      $0.field("format", inspection.format)
      $0.key("in_use")
      if let isInUse = inspection.isInUse { $0.boolean(isInUse) } else { $0.null() }
      $0.field("last_lsn", inspection.contents?.lastLSN)
      $0.field("bytes", inspection.bytes)
      $0.field("unfinished_bytes", inspection.tornBytes)
      $0.field("last_alive", inspection.lastAlive.milliseconds > 0 ? RFC3339.format(inspection.lastAlive) : nil)
      $0.field("ended_cleanly", inspection.endedCleanly)
      $0.field("sessions", inspection.classrooms.count)
      $0.field("archived_sessions", inspection.archived.count)
      $0.field("history_files", inspection.historyFiles.count)
      $0.field("consistent", !inspection.isMoving)
      $0.array("markers") { writer in
        for marker in inspection.markers { writer.string(marker.fileName) }
      }
    }
  }

  private static func segment(_ survey: SegmentSurvey) -> String {
    line("segment") {
      $0.field("file", survey.name)
      $0.field("first_lsn", survey.firstLSN)
      $0.field("last_lsn", survey.lastLSN)
      $0.field("records", survey.records)
      $0.field("batches", survey.batches)
      $0.field("durability", survey.durability.rawValue)
      $0.field("bytes", survey.bytes)
      $0.field("created_at", Figures.time(survey.createdAt))
    }
  }

  private static func snapshot(_ summary: SnapshotSummary, bytes: UInt64) -> String {
    line("snapshot") {
      $0.field("file", summary.name)
      $0.field("lsn", summary.lsn)
      $0.field("entries", summary.entries)
      $0.field("bytes", bytes)
      $0.field("created_at", Figures.time(summary.createdAt))
    }
  }

  private static func session(_ session: SessionSummary) -> String {
    line("session") {
      $0.field("id", session.id)
      $0.field("title", session.title)
      $0.field("status", session.status.rawValue)
      $0.field("people", session.people)
      $0.field("present", session.present)
      $0.field("attendance_ms", session.attendanceMilliseconds)
      $0.field("messages", session.chatMessages)
      $0.field("events", session.events)
      $0.field("last_event_at", RFC3339.format(session.lastEventAt))
      $0.field("archived", session.isArchived)
    }
  }

  // MARK: One session

  /// The history of one session: each moment, then each row of the attendance.
  public static func history(of classroom: Classroom, now: Timestamp) -> [String] {
    Timeline(of: classroom).moments.map { moment in
      line("moment") {
        $0.field("session", classroom.id)
        $0.field("at", RFC3339.format(moment.at))
        write(moment.fact, to: &$0)
      }
    }
      + classroom.attendance.rows.values.map { row in
        line("attendance") {
          $0.field("session", classroom.id)
          $0.field("user", row.user)
          $0.field("name", row.name)
          $0.field("role", row.role.rawValue)
          $0.field("present", row.isActive)
          $0.field("attendance_ms", row.milliseconds(until: now))
        }
      }
  }

  private static func write(_ fact: Timeline.Fact, to writer: inout JSONWriter) {
    switch fact {
    case .created: writer.field("event", "created")
    case .started(let user):
      writer.field("event", "started")
      writer.field("by", user)
    case .joined(let user, let name, let role):
      writer.field("event", "joined")
      writer.field("user", user)
      writer.field("name", name)
      writer.field("role", role.rawValue)
    case .left(let user, let name, let isEstimated):
      writer.field("event", "left")
      writer.field("user", user)
      writer.field("name", name)
      writer.field("estimated", isEstimated)
    case .lost(let user, let name, let isEstimated):
      writer.field("event", "lost")
      writer.field("user", user)
      writer.field("name", name)
      writer.field("estimated", isEstimated)
    case .said(let message):
      writer.field("event", "said")
      writer.field("user", message.user)
      writer.field("name", message.name)
      writer.field("seq", message.streamSequence)
      writer.field("text", message.text)
      if message.isErased { writer.field("erased", true) }
    case .ended: writer.field("event", "ended")
    }
  }
}

extension RecoveryError {
  /// Where the damage is, if it is at a place.
  public var place: (file: String, offset: UInt64)? {
    switch self {
    case .damaged(let file, let offset, _), .damagedSnapshot(let file, let offset, _),
      .unreadablePayload(let file, let offset, _):
      (file, offset)
    case .newerFormat(let file, _, _): (file, 0)
    case .history(.unreadable(_, let error)): error.place
    case .storage, .missingRecords, .missingJournal, .history: nil
    }
  }
}
