import Classroom
import Persistence

/// What was found in a data folder, for a person.
public enum InspectionText {
  /// The summary.
  public static func summary(_ inspection: FolderInspection, path: String) -> [String] {
    var lines = Figures.table(
      [
        ["data folder", PrintableText.escaped(path)],
        ["format", inspection.format.map { "\($0)" } ?? "none yet: the folder is new"],
        ["lock", lock(inspection.isInUse)],
        ["last alive", lastAlive(inspection)],
        ["on disk", Figures.bytes(inspection.bytes)],
      ], indentation: "")
    lines += ["", journalTitle(inspection)]
    lines += Figures.table(inspection.segments.map(segment))
    lines += ["", "snapshots     \(inspection.snapshots.isEmpty ? "none" : "\(inspection.snapshots.count)")"]
    lines += Figures.table(inspection.snapshots.map(snapshot))
    if !inspection.historyFiles.isEmpty || !inspection.missingHistory.isEmpty {
      lines += ["", "history       \(Figures.count(inspection.historyFiles.count, "file"))"]
      lines += inspection.missingHistory.map { "  " + MissingHistory.sentence($0) }
    }
    if let tail = tail(inspection) { lines += ["", tail] }
    lines += inspection.markers.flatMap { ["", sentence($0)] }
    if !inspection.leftovers.isEmpty {
      let names = inspection.leftovers.map(PrintableText.escaped).joined(separator: ", ")
      lines += ["", "unfinished    \(names): removed at the next start"]
    }
    lines += [""] + sessions(inspection.sessions)
    if inspection.isMoving {
      lines += ["", "The folder changed all the time while it was read: the parts may be of different moments."]
    }
    return lines + problems(inspection)
  }

  /// What is damaged, with file and offset; empty when nothing is.
  public static func problems(_ inspection: FolderInspection) -> [String] {
    let problems = inspection.problems
    guard !problems.isEmpty else { return [] }
    let verdict =
      inspection.failure == nil
      ? "A server starts on this folder without what is damaged." : "A server refuses to start on this folder."
    return ["", "damage"] + problems.map { "  " + PrintableText.escaped("\($0)") } + ["", verdict]
  }

  /// What checking everything came to.
  public static func verdict(_ inspection: FolderInspection) -> [String] {
    let problems = problems(inspection).dropFirst()
    guard problems.isEmpty else { return Array(problems) }
    // There are no problems: each can be read.
    let records = inspection.segments.reduce(0) { $0 + ((try? $1.survey.get())?.records ?? 0) }
    let entries = inspection.snapshots.reduce(0) { $0 + ((try? $1.summary.get())?.entries ?? 0) }
    let counts = [
      Figures.count(records, "record") + " in \(Figures.count(inspection.segments.count, "segment"))",
      Figures.count(entries, "entry", "entries") + " in \(Figures.count(inspection.snapshots.count, "snapshot"))",
      Figures.count(inspection.classrooms.count, "session") + ", \(inspection.archived.count) of them archived",
    ]
    return ["everything is whole: " + counts.joined(separator: ", ")]
      + inspection.missingHistory.map(MissingHistory.sentence) + [tail(inspection)].compactMap { $0 }
  }

  private static func lock(_ isInUse: Bool?) -> String {
    switch isInUse {
    case true?: "held: a server runs on this folder"
    case false?: "free: no server runs on this folder"
    case nil: "unknown: the lock file cannot be opened"
    }
  }

  private static func sentence(_ marker: FolderMarker) -> String {
    let cause =
      switch marker {
      case .endLost: "the end of the journal may be lost"
      case .backupRestored: "this is a backup"
      }
    return "marker        \(marker.fileName): \(cause), so the next start gives every session a new epoch"
  }

  private static func lastAlive(_ inspection: FolderInspection) -> String {
    guard inspection.lastAlive.milliseconds > 0 else { return "never" }
    let time = RFC3339.format(inspection.lastAlive)
    if inspection.isInUse == true { return time }
    return time + (inspection.endedCleanly ? ", ended cleanly" : ", ended without a good-bye")
  }

  private static func journalTitle(_ inspection: FolderInspection) -> String {
    // Those that cannot be read have lines of their own.
    let surveys = inspection.segments.compactMap { try? $0.survey.get() }
    let records = surveys.reduce(0) { $0 + $1.records }
    let last = inspection.contents.map { ", last LSN \($0.lastLSN)" } ?? ""
    return
      "journal       \(Figures.count(inspection.segments.count, "segment")), \(Figures.count(records, "record"))\(last)"
  }

  private static func segment(_ segment: FolderInspection.Segment) -> [String] {
    switch segment.survey {
    case .failure(let error): return [segment.name, PrintableText.escaped("\(error)")]
    case .success(let survey):
      let range =
        survey.records == 0 ? "empty, next LSN \(survey.firstLSN)" : "LSN \(survey.firstLSN) to \(survey.lastLSN)"
      return [
        survey.name, range, Figures.count(survey.records, "record"),
        "in \(Figures.count(survey.batches, "batch", "batches"))", survey.durability.rawValue,
        Figures.bytes(survey.bytes),
        "begun \(Figures.time(survey.createdAt))",
      ]
    }
  }

  private static func snapshot(_ snapshot: FolderInspection.Snapshot) -> [String] {
    switch snapshot.summary {
    case .failure(let error): return [snapshot.name, PrintableText.escaped("\(error)")]
    case .success(let summary):
      return [
        snapshot.name, "whole", "covers LSN \(summary.lsn)", Figures.count(summary.entries, "entry", "entries"),
        Figures.bytes(snapshot.bytes), "taken \(Figures.time(summary.createdAt))",
      ]
    }
  }

  private static func tail(_ inspection: FolderInspection) -> String? {
    guard inspection.tornBytes > 0, let journal = inspection.contents?.journal else { return nil }
    let file = journal.segments.last?.name ?? journal.headlessSegment ?? ""
    let place = "\(Figures.bytes(inspection.tornBytes)) at the end of \(PrintableText.escaped(file))"
    return inspection.isInUse == true
      ? "unfinished    \(place): just being written"
      : "torn tail     \(place): a batch that a crash interrupted and nobody was told of; cut off at the next start"
  }

  private static func sessions(_ sessions: [SessionSummary]) -> [String] {
    guard !sessions.isEmpty else { return ["sessions      none"] }
    let head = ["ID", "STATUS", "PEOPLE", "PRESENT", "MINUTES", "MESSAGES", "LAST EVENT", "TITLE"]
    let rows = sessions.map { session in
      [
        PrintableText.escaped(session.id), session.status.rawValue + (session.isArchived ? " (archived)" : ""),
        "\(session.people)", "\(session.present)", Figures.minutes(session.attendanceMilliseconds),
        "\(session.chatMessages)", RFC3339.format(session.lastEventAt), PrintableText.escaped(session.title),
      ]
    }
    return ["sessions      \(sessions.count)"] + Figures.table([head] + rows, rightAligned: [2, 3, 4, 5])
  }

  // MARK: One session

  /// The history of one session and its attendance.
  public static func history(of classroom: Classroom, now: Timestamp) -> [String] {
    let details = classroom.details
    var lines = Figures.table(
      [
        ["session", PrintableText.escaped(details.id)],
        ["title", PrintableText.escaped(details.title)],
        [
          "status",
          "\(classroom.status.rawValue), revision \(classroom.revision), \(Figures.count(classroom.sequence, "event"))",
        ],
        ["host", PrintableText.escaped(details.host)],
        ["planned", "\(RFC3339.format(details.scheduledAt)) for \(details.durationMinutes) minutes"],
        ["epoch", "\(PrintableText.escaped(classroom.epoch)), stream at \(classroom.streamSequence)"],
      ], indentation: "")
    lines += [""] + Timeline(of: classroom).moments.map { "\(RFC3339.format($0.at))  \(sentence($0.fact))" }
    let rows = classroom.attendance.rows.values
    guard !rows.isEmpty else { return lines }
    let cells = rows.map { row in
      [
        PrintableText.escaped(row.user), row.role.rawValue, Figures.minutes(row.milliseconds(until: now)),
        state(of: row), PrintableText.escaped(row.name),
      ]
    }
    let head = ["USER", "ROLE", "MINUTES", "STATE", "NAME"]
    return lines + ["", "attendance    \(Figures.count(rows.count, "person", "people"))"]
      + Figures.table([head] + cells, rightAligned: [2])
  }

  private static func state(of row: Attendance.Row) -> String {
    guard row.isActive else { return "left" }
    return row.absence == nil ? "here" : "away"
  }

  private static func sentence(_ fact: Timeline.Fact) -> String {
    switch fact {
    case .created: return "created"
    case .started(let user): return "started" + (user.map { " by \(PrintableText.escaped($0))" } ?? "")
    case .joined(let user, let name, let role): return "\(person(user, name)) joined as \(role.rawValue)"
    case .left(let user, let name, let isEstimated): return "\(person(user, name)) left" + estimate(isEstimated)
    case .lost(let user, let name, let isEstimated):
      return "\(person(user, name)) lost the connection" + estimate(isEstimated)
    case .said(let message):
      let text = message.isErased ? "(erased)" : PrintableText.quoted(message.text)
      return "\(person(message.user, message.name)): \(text)"
    case .ended: return "ended"
    }
  }

  private static func estimate(_ isEstimated: Bool) -> String { isEstimated ? " (estimated after a crash)" : "" }

  private static func person(_ user: String, _ name: String) -> String {
    name == user ? PrintableText.escaped(user) : "\(PrintableText.escaped(name)) (\(PrintableText.escaped(user)))"
  }
}
