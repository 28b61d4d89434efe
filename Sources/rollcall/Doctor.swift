import ArgumentParser
import Diagnosis
import EventLoop
import JSON
import SignalingServer

/// `rollcall doctor`: looks at everything that a server would need on this machine.
struct Doctor: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Look at what a server with these settings needs: ports, files, disk, clock, TLS, TURN, proxies.",
    usage: "rollcall doctor [--config FILE] [--url https://school.example] [--json] [any option of serve]",
    discussion: """
      Takes the options of `rollcall serve` and says of everything that such a server needs whether it is there, and what to do \
      when it is not. It changes nothing, and may run beside a server. Secrets are not shown. With --url it also comes in from \
      outside, through proxies: whether the address leads to the server, lets WebSockets through, and shows the server who comes.

      Exit codes: 0 nothing stands in the way (there may be warnings), 1 there is a problem, 2 the options are wrong.
      """)

  @Flag(help: "One JSON object on each line: level, subject, text, advice.")
  var json = false

  @Option(help: "The address under which people reach the server, to be tried.")
  var url: String?

  @OptionGroup var settings: SettingArguments

  func run() throws {
    let resolved = settings.resolve()
    let failure = SettingFailure(problems: resolved.problems)
    if !failure.problems.isEmpty, failure.exitCode == 2 { throw failure }
    ProcessSettings.ignoreSignalsOfWrites()
    // The checks are of what a server would have; how many files may be open is one of them, raised or not.
    _ = try? ProcessSettings.raiseOpenFileLimit()
    var counts: [Finding.Level: Int] = [:]
    Examination(resolved, url: url).run { finding in
      counts[finding.level, default: 0] += 1
      StandardStreams.say(json ? Self.line(finding) : Self.text(finding))
    }
    let (warnings, problems) = (counts[.warning] ?? 0, counts[.problem] ?? 0)
    if !json {
      StandardStreams.say(
        problems + warnings == 0
          ? "all is well" : "\(Self.plural(problems, "problem")), \(Self.plural(warnings, "warning"))")
    }
    if problems > 0 { StandardStreams.exit(1) }
  }

  private static func plural(_ count: Int, _ word: String) -> String { count == 1 ? "1 \(word)" : "\(count) \(word)s" }

  private static func text(_ finding: Finding) -> String {
    let level = finding.level.rawValue.padded(to: 9)
    let line = "\(level)\(finding.subject.padded(to: 14))\(finding.text)"
    return finding.advice.map { "\(line)\n\(String(repeating: " ", count: 23))-> \($0)" } ?? line
  }

  private static func line(_ finding: Finding) -> String {
    var writer = JSONWriter(reserving: 256)
    writer.object { writer in
      writer.field("level", finding.level.rawValue)
      writer.field("subject", finding.subject)
      writer.field("text", finding.text)
      writer.field("advice", finding.advice)
    }
    return String(decoding: writer.bytes, as: UTF8.self)
  }
}

extension String {
  fileprivate func padded(to width: Int) -> String { self + String(repeating: " ", count: max(1, width - count)) }
}
