import ArgumentParser
import Classroom
import DataTools
import Persistence

/// `rollcall inspect`: says what a data folder holds.
struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Say what a data folder holds: sessions, journal, snapshots, damage.",
    discussion: """
      Changes nothing and takes no lock, so the folder may be that of a running server; what that one is writing at this \
      moment is called unfinished. Times are RFC 3339, in UTC. What users wrote is shown with control characters escaped.

      Exit codes: 0 a server can start on this folder (with --verify: nothing at all is damaged), 1 it cannot, or the \
      folder cannot be read, 2 the arguments are wrong.
      """)

  @Argument(help: "The data folder.")
  var folder: String

  @Option(help: "Show the history of this session: who came, left and said what, and the attendance.")
  var session: String?

  @Flag(help: "Show the records of the journal that are still there, one on each line.")
  var records = false

  @Option(help: "With --records: the first log sequence number to show.")
  var from: UInt64?

  @Option(help: "With --records: the last log sequence number to show.")
  var to: UInt64?

  @Flag(help: "One JSON object on each line, for machines; its field `type` says what it is about.")
  var json = false

  @Flag(help: "Check every checksum and replay everything; damage is listed with file and offset.")
  var verify = false

  func validate() throws {
    guard !folder.isEmpty else { throw ValidationError("DIR is not empty.") }
    if (from != nil || to != nil) && !records { throw ValidationError("--from and --to need --records.") }
    if [session != nil, records, verify].count(where: { $0 }) > 1 {
      throw ValidationError("--session, --records and --verify exclude each other.")
    }
    guard (from ?? 1) >= 1, (from ?? 1) <= (to ?? .max) else {
      throw ValidationError("--from is at least 1 and at most --to.")
    }
  }

  func run() throws {
    let storage = try DataCommand.openStorage(folder)
    if records { return try list(storage) }
    let inspection = try DataCommand.inspect(storage, path: folder)
    if let session {
      guard let classroom = inspection.classrooms[session] else {
        try failIfRefused(inspection)
        throw CommandFailure(sentence: "\(folder) holds no session \(PrintableText.quoted(session))")
      }
      let now = inspection.lastAlive
      say(json ? InspectionLines.history(of: classroom, now: now) : InspectionText.history(of: classroom, now: now))
    } else if verify {
      say(json ? InspectionLines.verdict(inspection) : InspectionText.verdict(inspection))
      if !inspection.problems.isEmpty { StandardStreams.exit(1) }
    } else {
      say(
        json
          ? InspectionLines.summary(inspection, path: folder) : InspectionText.summary(inspection, path: folder))
    }
    try failIfRefused(inspection)
  }

  private func failIfRefused(_ inspection: FolderInspection) throws(CommandFailure) {
    guard let failure = inspection.failure else { return }
    throw CommandFailure(sentence: "a server would refuse \(folder): \(PrintableText.escaped("\(failure)"))")
  }

  private func list(_ storage: FileStorage) throws(CommandFailure) {
    do throws(RecoveryError) {
      try RecordListing.list(storage, in: (from ?? 1)...(to ?? .max), asJSON: json) { StandardStreams.say($0) }
    } catch {
      throw CommandFailure(sentence: "\(folder): \(PrintableText.escaped("\(error)"))")
    }
  }

  private func say(_ lines: [String]) { StandardStreams.say(lines.joined(separator: "\n")) }
}
