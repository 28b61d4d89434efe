import ArgumentParser
import EventLoop
import Glibc
import SignalingServer

/// The settings of a server as commands take them: options, variables of the environment, a file.
struct SettingArguments: ParsableArguments {
  @Argument(parsing: .allUnrecognized, help: .hidden)
  var options: [String] = []

  /// What they come to now.
  func resolve() -> ResolvedSettings {
    ResolvedSettings(options: options, environment: Self.environment(), readFile: Self.read)
  }

  /// What they come to; a failure that lists everything that is wrong when a server would not start with it.
  func resolved() throws -> ResolvedSettings {
    let resolved = resolve()
    guard resolved.problems.isEmpty else { throw SettingFailure(problems: resolved.problems) }
    return resolved
  }

  private static func environment() -> [String: String] {
    var variables: [String: String] = [:]
    var next = Glibc.environ
    while let entry = next.pointee {
      let text = String(cString: entry)
      if let equals = text.firstIndex(of: "=") {
        variables[String(text[..<equals])] = String(text[text.index(after: equals)...])
      }
      next += 1
    }
    return variables
  }

  private static func read(_ path: String) -> Result<[UInt8], ConfigurationFileFailure> {
    do throws(SystemError) {
      guard let bytes = try PrivateFile.read(path, limit: ConfigurationFile.maximumBytes) else {
        return .failure(ConfigurationFileFailure(reason: "it is too long"))
      }
      return .success(bytes)
    } catch {
      return .failure(ConfigurationFileFailure(reason: SystemError.message(for: error.code)))
    }
  }

  /// What the help of a command that takes them says.
  static let help = """
    The settings, each an option, a variable and a line of a file. An option counts before a variable, and that before the \
    file: --ping-interval 20s is ROLLCALL_PING_INTERVAL=20s, and ping-interval = "20s" in the file that --config FILE or \
    ROLLCALL_CONFIG names. Lists are repeated options, have commas in a variable, and are arrays in the file. Secrets are never \
    options. `rollcall check-config --example` prints a file with every setting and all there is to say of it. Defaults stand in brackets.

    \(SettingTexts.help)
    """
}

/// Why a server would not start with these settings.
struct SettingFailure: Error {
  var problems: [SettingProblem]

  /// 2 when only the command line is wrong, 1 when something else is.
  var exitCode: Int32 { problems.allSatisfy { $0.place == .options || $0.place == .several } ? 2 : 1 }
}
