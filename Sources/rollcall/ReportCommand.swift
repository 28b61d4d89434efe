import ArgumentParser
import Classroom
import DataTools
import Glibc
import Persistence
import SignalingProtocol
import SignalingServer

/// `rollcall report`: makes an attendance report from a data folder.
struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report", abstract: "Print the attendance report of a session from a data folder.",
    discussion: """
      The same as `GET /api/sessions/SESSION/attendance/`, without a server: signed with the folder's report key when there is \
      one, or with --report-key. Changes nothing and takes no lock; of a running server it has what is on the disk. Sessions \
      that are over and archived are found too.

      Exit codes: 0 it is printed, 1 there is no such session or the folder cannot be read, 2 the arguments are wrong.
      """)

  @Argument(help: "The session.")
  var session: String

  @Option(name: .customLong("data"), help: "The data folder.")
  var dataFolder: String

  @Option(help: "Print the certificate of this user alone.")
  var user: String?

  @Flag(help: "Print comma-separated values, which are not signed, instead of JSON.")
  var csv = false

  @Option(name: .customLong("report-key"), help: "The file with the private key that signs. Default: the folder's.")
  var reportKey: String?

  @OptionGroup(title: "Thresholds") var thresholds: ThresholdOptions

  func run() throws {
    let storage = try DataCommand.openStorage(dataFolder)
    let inspection = try DataCommand.inspect(storage, path: dataFolder)
    guard let classroom = inspection.classrooms[session] else {
      throw CommandFailure(
        sentence: "\(PrintableText.escaped(dataFolder)) holds no session \(PrintableText.quoted(session))")
    }
    let report = classroom.report(
      user.map { .only($0) } ?? .everybody, thresholds: thresholds.thresholds, at: inspection.lastAlive)
    let bytes = csv ? AttendanceCSV.text(report) : try json(report)
    StandardStreams.say(String(decoding: csv ? bytes.dropLast(2) : bytes[...], as: UTF8.self))
  }

  private func json(_ report: AttendanceReport) throws(CommandFailure) -> [UInt8] {
    let own = "\(dataFolder)/\(ReportKeyFile.name)"
    guard let path = reportKey ?? (access(own, F_OK) == 0 ? own : nil) else { return SignedReport.unsigned(report) }
    do throws(ReportKeyFile.Failure) {
      return SignedReport.make(report, by: try ReportKeyFile.read(path))
    } catch {
      throw CommandFailure(sentence: "\(error)")
    }
  }
}
