import EventLoop
import SignalingServer

/// Looks at everything that a server with these settings would need.
public struct Examination: Sendable {
  let resolved: ResolvedSettings
  /// How long an answer from elsewhere may take.
  let patienceMilliseconds: Int32
  /// The address under which people reach the server, if it is to be tried.
  let url: String?

  /// An examination of what these settings need.
  public init(_ resolved: ResolvedSettings, url: String? = nil, patienceMilliseconds: Int32 = 3000) {
    self.resolved = resolved
    self.url = url
    self.patienceMilliseconds = patienceMilliseconds
  }

  var settings: ServerSettings { resolved.settings }
  var configuration: ServerConfiguration { resolved.settings.configured() }

  /// Does all of it.
  /// - Parameter tell: is told of each finding at once: some take seconds.
  public func run(_ tell: (Finding) -> Void) {
    let clock = ClockWatch()
    checkSettings(tell)
    checkSecrets(tell)
    let isRunning = checkFolder(tell)
    checkPorts(isRunning: isRunning, tell)
    checkTLS(tell)
    checkDescriptors(tell)
    checkKernel(tell)
    checkProxies(tell)
    checkCalls(tell)
    if let url { checkAddress(url, tell) }
    clock.check(tell)
  }

  private func checkSettings(_ tell: (Finding) -> Void) {
    for problem in resolved.problems {
      tell(.problem("settings", "\(problem)", "correct it; nothing else is certain before"))
    }
    for warning in resolved.warnings {
      tell(.warning("settings", warning, "take the variable out, or correct its name"))
    }
    guard resolved.problems.isEmpty else { return }
    let count = resolved.sources.count
    let file = resolved.file.map { ", read from \($0)" } ?? ""
    tell(.ok("settings", "\(count) of \(SettingTable.all.count) are set\(file); `rollcall check-config` lists them"))
    if let path = resolved.file, let mode = FileFacts(path)?.mode, mode & 0o022 != 0 {
      tell(.warning("settings", "others may write \(path)", "chmod go-w \(path)"))
    }
  }
}
