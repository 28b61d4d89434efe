import ArgumentParser
import SignalingServer

/// The command line.
///
/// Exit codes: 0 it is done, 1 it could not be done, 2 the arguments are wrong.
@main
struct Rollcall: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rollcall",
    abstract: "A real-time signaling and presence server for live classes.",
    discussion: """
      To try it: `rollcall serve --demo`. To set it up: `rollcall check-config --example` prints a configuration file, \
      `rollcall check-config` says what counts, `rollcall doctor` what the machine lacks. Each command says more with --help.

      Exit codes: 0 it is done, 1 it could not be done, 2 the arguments are wrong.
      """,
    version: RollcallVersion.current,
    subcommands: [
      Serve.self, CheckConfig.self, Doctor.self, Token.self, KeyGeneration.self, Inspect.self, BackupCommand.self,
      Erase.self, ReportCommand.self, VerifyReport.self, ReportKeyCommand.self,
    ])

  /// Runs the command line. The parser's own exit code for wrong arguments is 64; here it is 2.
  static func main() {
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch let failure as CommandFailure {
      StandardStreams.complain("rollcall: \(failure.sentence)")
      StandardStreams.exit(1)
    } catch let failure as SettingFailure {
      for problem in failure.problems { StandardStreams.complain("rollcall: \(problem)") }
      StandardStreams.exit(failure.exitCode)
    } catch {
      guard exitCode(for: error) != .success else { exit(withError: error) }
      StandardStreams.complain(fullMessage(for: error))
      StandardStreams.exit(2)
    }
  }
}

/// Why a command could not do its work.
struct CommandFailure: Error {
  var sentence: String
}
