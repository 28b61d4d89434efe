import ArgumentParser
import JSON
import SignalingServer

/// `rollcall check-config`: says what a server would run by, and what is wrong with it.
struct CheckConfig: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check-config",
    abstract: "Say what settings count, where each comes from, and what is wrong with them.",
    usage:
      "rollcall check-config [--config FILE] [--changed] [--json] [any option of serve]\nrollcall check-config --example",
    discussion: """
      Reads options, environment and file as `rollcall serve` with the same arguments would, and prints every setting with its \
      value and where that comes from; secrets are hidden. It opens nothing else: whether certificates, ports and disks are \
      good is what `rollcall doctor` says. Everything that is wrong is listed on standard error.

      Exit codes: 0 a server takes these settings, 1 something in the file or the environment is wrong, 2 the options are.
      """)

  @Flag(help: "Only list what is not at its default.")
  var changed = false

  @Flag(help: "One JSON object on each line: name, value, source.")
  var json = false

  @Flag(help: "Print a configuration file with every setting at its default, explained.")
  var example = false

  @OptionGroup var settings: SettingArguments

  func run() throws {
    if example { return StandardStreams.say(String(SettingTexts.example.dropLast())) }
    let resolved = settings.resolve()
    if json {
      var writer = JSONWriter(reserving: 256)
      for row in SettingTexts.effective(resolved) where !changed || row.source != .standard {
        writer.removeAll()
        writer.object { writer in
          writer.field("name", row.name)
          writer.field("value", row.value)
          writer.field("source", "\(row.source)")
        }
        StandardStreams.say(String(decoding: writer.bytes, as: UTF8.self))
      }
    } else {
      for line in SettingTexts.listing(resolved, onlyChanged: changed) { StandardStreams.say(line) }
    }
    for warning in resolved.warnings { StandardStreams.complain("warning: \(warning)") }
    guard resolved.problems.isEmpty else { throw SettingFailure(problems: resolved.problems) }
  }
}
