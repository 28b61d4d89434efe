import ArgumentParser
import Classroom
import DataTools
import EventLoop
import Persistence

/// `rollcall erase`: takes a person out of a data folder.
struct Erase: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Erase a person from a data folder of which no server runs.",
    discussion: """
      In every session in which the user occurs, a random pseudonym takes the place of the id, the name and the chat \
      messages' texts go, and the attendance stays as figures of somebody. Then the journal, the snapshots and the history \
      files that hold the old state are removed, so that the folder no longer has it. If this is interrupted, the folder is \
      good, and running it again finishes it.

      What it cannot find: names in what other people wrote, in titles and in descriptions. What it does not reach: backups, \
      copies that clients and other systems hold, and what a disk keeps of removed files. Whoever still has a valid token can \
      come back as the same user.

      Exit codes: 0 the user is erased, or occurred nowhere, 1 not (for instance since a server runs), 2 the arguments are \
      wrong.
      """)

  @Option(help: "The id of the user: the `sub` of their tokens.")
  var user: String

  @Option(name: .customLong("data"), help: "The data folder.")
  var folder: String

  @Flag(name: .customLong("dry-run"), help: "Only list where the user occurs; a server may run meanwhile.")
  var dryRun = false

  func validate() throws {
    guard !user.isEmpty, !folder.isEmpty else { throw ValidationError("--user and --data are not empty.") }
  }

  func run() throws {
    let findings = try dryRun ? find() : erase()
    let name = PrintableText.quoted(user)
    guard !findings.isEmpty else {
      StandardStreams.say("nothing to erase: user \(name) occurs nowhere in \(PrintableText.escaped(folder))")
      return
    }
    StandardStreams.say(ErasureText.lines(findings).joined(separator: "\n"))
    let place =
      switch findings.sessions.count {
      case 0: "what an interrupted erasure left"
      case 1: "1 session"
      case let count: "\(count) sessions"
      }
    StandardStreams.say(
      dryRun ? "would erase user \(name) from \(place); nothing was changed" : "erased user \(name) from \(place)")
  }

  private func find() throws(CommandFailure) -> ErasureFindings {
    let storage = try DataCommand.openStorage(folder)
    _ = try DataCommand.inspect(storage, path: folder)
    let history = try DataCommand.openHistory(of: folder)
    do throws(ErasureError) {
      return try Erasure(of: user, from: storage, history: history).findings()
    } catch {
      throw failure(error)
    }
  }

  private func erase() throws(CommandFailure) -> ErasureFindings {
    // Opening it for writing would make one where there is none.
    _ = try DataCommand.inspect(try DataCommand.openStorage(folder), path: folder)
    let opened: DataFolder
    do throws(DataFolderError) {
      opened = try DataFolder(path: folder)
    } catch {
      if case .inUse = error {
        throw CommandFailure(sentence: "\(PrintableText.escaped("\(error)")): stop it, then erase, then start it again")
      }
      throw CommandFailure(sentence: PrintableText.escaped("\(error)"))
    }
    var random = SystemRandomNumberGenerator()
    do throws(ErasureError) {
      return try Erasure(of: user, from: opened.storage, history: opened.history)
        .run(at: Timestamp(milliseconds: WallClock.milliseconds()), using: &random)
    } catch {
      throw failure(error)
    }
  }

  private func failure(_ error: ErasureError) -> CommandFailure {
    CommandFailure(
      sentence: "user \(PrintableText.quoted(user)) is not erased: \(PrintableText.escaped("\(error)")); run it again")
  }
}
