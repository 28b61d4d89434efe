import ArgumentParser
import Classroom
import DataTools
import EventLoop

/// `rollcall backup`: copies a data folder, of a running server too.
struct BackupCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "backup",
    abstract: "Copy a data folder, of a running server too, so that the copy is whole.",
    discussion: """
      The copy holds everything that was acknowledged before the copying began, and of what came meanwhile everything up to \
      some moment. It is recovered once, as a server would, before it gets its name; until then, and after a crash, it is \
      called TARGET.partial and is of no use.

      To restore it, start a server on it: `rollcall serve --data TARGET`. That gives every session a new epoch, so that \
      clients that saw what came after the backup load everything anew.

      The secret that signs tokens is not in the copy: keep it apart, and give it to `serve` with --secret-file. The copy \
      holds what people said until it is removed, of people too who are erased later.

      Exit codes: 0 the backup is there, 1 it is not, 2 the arguments are wrong.
      """)

  @Argument(help: "The data folder.")
  var folder: String

  @Argument(help: "The name of the copy, a folder that does not exist.")
  var target: String

  func validate() throws {
    guard !folder.isEmpty, !target.isEmpty else { throw ValidationError("The folders are not empty.") }
  }

  func run() throws {
    let now = Timestamp(milliseconds: WallClock.milliseconds())
    let summary: BackupSummary
    do throws(BackupError) {
      summary = try Backup.make(of: folder, at: target, now: now)
    } catch {
      throw CommandFailure(
        sentence: "no backup of \(PrintableText.escaped(folder)): \(PrintableText.escaped("\(error)"))")
    }
    for line in BackupText.lines(summary, target: target) { StandardStreams.say(line) }
  }
}
