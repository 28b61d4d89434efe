import Foundation
import SignalingServer
import Testing

@Suite("rollcall serve, check-config and their settings")
struct SettingCommandTests {
  @Test("serve says of every option what it is for", arguments: [["serve", "--help"], ["help", "serve"]])
  func help(_ arguments: [String]) throws {
    let run = try Program.run(arguments)
    #expect(run.code == 0)
    let words = Set(run.output.split(whereSeparator: \.isWhitespace).map(String.init))
    for setting in SettingTable.all where setting.places.contains(.option) && !setting.isHidden {
      #expect(words.contains("--\(setting.name)"), "\(setting.name)")
    }
  }

  @Test("a wrong option ends with 2, and names what was meant")
  func wrongOption() throws {
    let run = try Program.run("serve", "--prot", "80")
    #expect(run.code == 2)
    #expect(run.complaint.contains("did you mean --port?"), "\(run.complaint)")
  }

  @Test("a wrong file ends with 1, of serve as of check-config")
  func wrongFile() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/rollcall.toml"
    try "prot = 80\n".write(toFile: path, atomically: true, encoding: .utf8)
    for command in ["serve", "check-config"] {
      let run = try Program.run(command, "--config", path)
      #expect(run.code == 1, "\(command)")
      #expect(run.complaint.contains("\(path):1: there is no setting prot; did you mean port?"), "\(run.complaint)")
    }
  }

  @Test("check-config says what counts and where it comes from, as text and as JSON")
  func checkConfig() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/rollcall.toml"
    try "grace = \"30s\"\n".write(toFile: path, atomically: true, encoding: .utf8)
    let text = try Program.run("check-config", "--config", path, "--changed", "--port", "81")
    #expect(text.code == 0)
    #expect(text.output == "port   81   option\ngrace  30s  \(path):1\n")
    let json = try Program.run("check-config", "--json", "--changed", "--port=81")
    #expect(json.output == #"{"name":"port","value":"81","source":"option"}"# + "\n")
  }

  @Test("the example that check-config prints is the one of the repository, and a server takes it as it is")
  func example() throws {
    let run = try Program.run("check-config", "--example")
    #expect(run.code == 0 && run.output == SettingTexts.example)
    let folder = try TemporaryFolder()
    let path = folder.path + "/rollcall.toml"
    try run.output.write(toFile: path, atomically: true, encoding: .utf8)
    let check = try Program.run("check-config", "--config", path, "--changed")
    #expect(check.code == 0 && check.output.isEmpty)
  }

  @Test("SIGHUP reads the file anew: what can change does, what cannot is named, and a wrong file changes nothing")
  func reload() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/rollcall.toml"
    let (process, output, errors) = (Process(), Pipe(), Pipe())
    process.executableURL = Program.url
    process.arguments = ["serve", "--config", path, "--data", folder.path + "/data", "--loops", "1"]
    process.standardOutput = output
    process.standardError = errors
    try "port = 0\ngrace = \"30s\"\n".write(toFile: path, atomically: true, encoding: .utf8)
    try process.run()
    defer { if process.isRunning { process.terminate() } }

    var log = ""
    /// Reads the log until it has this line, or ends.
    func awaitLine(_ text: String) throws {
      while !log.contains(text) {
        let bytes = errors.fileHandleForReading.availableData
        guard !bytes.isEmpty else { break }
        log += String(decoding: bytes, as: UTF8.self)
      }
      #expect(log.contains(text), "\(log)")
      log = ""
    }
    _ = output.fileHandleForReading.availableData

    let changed = "port = 1\ngrace = \"31s\"\nmessage-rate = 7\n"
    try changed.write(toFile: path, atomically: true, encoding: .utf8)
    kill(process.processIdentifier, SIGHUP)
    try awaitLine("message-rate: 7")

    try "message-rate = 8\nprot = 1\n".write(toFile: path, atomically: true, encoding: .utf8)
    kill(process.processIdentifier, SIGHUP)
    try awaitLine("the settings stay as they were")

    try changed.replacing("7", with: "9").write(toFile: path, atomically: true, encoding: .utf8)
    kill(process.processIdentifier, SIGHUP)
    // What needs a restart is said each time, for it still does.
    try awaitLine("message-rate: 9")
    process.terminate()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
  }
}
