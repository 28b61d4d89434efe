import Classroom
import Foundation
import RoomShard
import Testing

@testable import SignalingServer

@Suite("Settings")
struct SettingsTests {
  private func resolve(
    _ options: [String] = [], environment: [String: String] = [:], file: String? = nil
  ) -> ResolvedSettings {
    let words = file == nil ? options : ["--config", "rollcall.toml"] + options
    return ResolvedSettings(options: words, environment: environment) { path in
      guard path == "rollcall.toml", let file else { return .failure(ConfigurationFileFailure(reason: "no such file")) }
      return .success(Array(file.utf8))
    }
  }

  private func shown(_ name: String, _ resolved: ResolvedSettings) -> String? {
    SettingTexts.effective(resolved).first { $0.name == name }?.value
  }

  // MARK: The table

  @Test("names and variables are told once, and every default is one that the setting takes")
  func table() {
    let settings = SettingTable.all
    #expect(Set(settings.map(\.name)).count == settings.count)
    #expect(Set(settings.map(\.variable)).count == settings.count)
    for setting in settings {
      #expect(setting.name.allSatisfy { $0.isLowercase || $0.isNumber || $0 == "-" }, "\(setting.name)")
      #expect(setting.help.hasSuffix("."), "\(setting.name)")
      guard let value = setting.defaultValue else { continue }
      let text = setting.form.text(of: value)
      #expect(setting.form.value(of: text) == value, "\(setting.name) does not take its default \(text)")
    }
  }

  @Test("every limit of the server is a setting")
  func limits() {
    for limit in Limit.allCases.flatMap(\.settings) {
      let value = SettingTable[limit.option]?.defaultValue
      #expect(value == .integer(limit.defaultValue), "\(limit.option)")
    }
  }

  @Test("the example in the repository is the one that the table makes, and says nothing but defaults")
  func example() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let path = root.appendingPathComponent("Sources/rollcall/example.toml")
    #expect(try String(contentsOf: path, encoding: .utf8) == SettingTexts.example)

    // With the comment marks of the settings taken away it is a file that a server takes, with the defaults. Those without
    // a default have an example of their form, which is not always one that a server would start with.
    let lines = SettingTexts.example.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      line.hasPrefix("#") && !line.hasPrefix("# ") ? String(line.dropFirst()) : String(line)
    }
    let file = try ConfigurationFile(Array(lines.joined(separator: "\n").utf8))
    let named = Set(file.entries.map(\.name))
    #expect(named == Set(SettingTable.all.filter { $0.places.contains(.file) && !$0.isHidden }.map(\.name)))
    for entry in file.entries {
      let setting = try #require(SettingTable[entry.name])
      guard let standard = setting.defaultValue else { continue }
      #expect(setting.form.value(of: entry.value) == standard, "\(entry.name)")
    }
  }

  @Test("the help names every option that is not hidden, and no secret")
  func help() {
    let words = Set(SettingTexts.help.split(whereSeparator: \.isWhitespace).map(String.init))
    for setting in SettingTable.all {
      let isShown = setting.places.contains(.option) && !setting.isHidden
      #expect(words.contains("--\(setting.name)") == isShown, "\(setting.name)")
    }
    #expect(SettingTexts.help.split(separator: "\n").allSatisfy { $0.count <= 79 })
  }

  // MARK: What counts

  @Test("an option counts before a variable, a variable before the file, the file before the default")
  func precedence() {
    let file = "port = 1001\nhost = \"10.0.0.1\"\ngrace = \"30s\"\n"
    let environment = ["ROLLCALL_PORT": "1002", "ROLLCALL_HOST": "10.0.0.2", "UNRELATED": "x"]
    let resolved = resolve(["--port", "1003"], environment: environment, file: file)
    #expect(resolved.problems.isEmpty && resolved.warnings.isEmpty)
    let configuration = resolved.settings.configured()
    #expect(configuration.port == 1003)
    #expect(configuration.host == "10.0.0.2")
    #expect(configuration.shard.graceMilliseconds == 30_000)
    #expect(resolved.sources["port"] == .option)
    #expect(resolved.sources["host"] == .environment(variable: "ROLLCALL_HOST"))
    #expect(resolved.sources["grace"] == .file(path: "rollcall.toml", line: 3))
    #expect(resolved.sources["data"] == nil)
  }

  @Test("the file may be named by the environment; an option names another")
  func fileByEnvironment() {
    let read = { (path: String) -> Result<[UInt8], ConfigurationFileFailure> in
      .success(Array("port = \(path == "a.toml" ? 1 : 2)".utf8))
    }
    let environment = ["ROLLCALL_CONFIG": "a.toml"]
    #expect(ResolvedSettings(options: [], environment: environment, readFile: read).settings.configuration.port == 1)
    let other = ResolvedSettings(options: ["--config=b.toml"], environment: environment, readFile: read)
    #expect(other.settings.configuration.port == 2)
  }

  @Test("lists are repeated options, have commas in the environment, and are arrays in the file")
  func lists() {
    let origins = ["https://a.example", "https://b.example"]
    let said = [
      resolve(["--origin", origins[0], "--origin", origins[1]]),
      resolve(environment: ["ROLLCALL_ORIGIN": origins.joined(separator: ", ")]),
      resolve(file: "origin = [\n  \"\(origins[0])\", # the school\n  '\(origins[1])',\n]"),
    ]
    for resolved in said {
      #expect(resolved.problems.isEmpty, "\(resolved.problems)")
      #expect(resolved.settings.configuration.origins.map(\.rawValue) == origins)
    }
    // The later place replaces all of the earlier one.
    let replaced = resolve(["--origin", "https://c.example"], file: "origin = [\"https://a.example\"]")
    #expect(replaced.settings.configuration.origins.map(\.rawValue) == ["https://c.example"])
  }

  @Test("what is on or off may stand alone as an option")
  func flags() {
    #expect(resolve(["--demo"]).settings.makesDemo)
    #expect(resolve(["--demo", "--port", "1"]).settings.configuration.port == 1)
    #expect(!resolve(["--compression", "off"]).settings.configuration.compresses)
    #expect(!resolve(["--compression=off"]).settings.configuration.compresses)
    #expect(!resolve(file: "compression = false").settings.configuration.compresses)
    #expect(!resolve(environment: ["ROLLCALL_COMPRESSION": "off"]).settings.configuration.compresses)
  }

  // MARK: What is wrong

  @Test(
    "an option that is not there is refused, and the nearest is named",
    arguments: [
      (["--prot", "80"], "there is no option --prot; did you mean --port?"),
      (["--ping-intervall=20s"], "there is no option --ping-intervall; did you mean --ping-interval?"),
      (["--compresion", "off"], "there is no option --compresion; did you mean --compression?"),
      (["--frobnicate"], "there is no option --frobnicate"),
      (["serve"], "serve is no option"),
      (["--port"], "--port needs a value: it takes 0 to 65535"),
      (["--port", "--demo"], "--port needs a value: it takes 0 to 65535"),
      (["--port", "65536"], "--port takes 0 to 65535"),
      (["--port", ""], "--port takes 0 to 65535"),
      (["--grace", "2d"], "--grace takes 0ms to 1d"),
      (["--durability", "eventual"], "--durability takes strict, relaxed"),
      (
        ["--origin", "school.example"], "--origin takes origins such as https://school.example, not \"school.example\""
      ),
      (
        ["--trusted-proxy", "nowhere"],
        "--trusted-proxy takes addresses and networks such as 10.0.0.0/8, not \"nowhere\""
      ),
      (["--message-bytes=1"], "--message-bytes takes 16384 to 16777216"),
      (["--handshake-time=1ms"], "--handshake-time takes 100ms to 1d"),
      (["--connections", "-1"], "--connections takes 0 to 10000000"),
      (
        ["--turn-secret", "hush"],
        "--turn-secret is a secret, and others on this machine see options: use ROLLCALL_TURN_SECRET, or a file"
      ),
    ])
  func wrongOptions(_ options: [String], _ sentence: String) {
    let resolved = resolve(options)
    #expect(resolved.problems.map(\.description) == [sentence])
    #expect(resolved.problems.allSatisfy { $0.place == .options })
  }

  @Test("everything that is wrong is told, not the first alone")
  func manyProblems() {
    let resolved = resolve(
      ["--prot", "1", "--loops", "0"], environment: ["ROLLCALL_GRACE": "soon"], file: "hots = \"x\"\nport = \"80\"\n")
    #expect(
      resolved.problems.map(\.description) == [
        "there is no option --prot; did you mean --port?",
        "rollcall.toml:1: there is no setting hots; did you mean host?",
        "rollcall.toml:2: port takes 0 to 65535",
        "ROLLCALL_GRACE takes 0ms to 1d",
        "--loops takes 1 to 64",
      ])
  }

  @Test("a variable that is not there is told, and stops nobody; one that Kubernetes made is explained")
  func variables() {
    let resolved = resolve(environment: ["ROLLCALL_PROT": "80", "ROLLCALL_SERVICE_HOST": "10.0.0.1"])
    #expect(resolved.problems.isEmpty)
    #expect(
      resolved.warnings == [
        "there is no setting for the variable ROLLCALL_PROT; did you mean ROLLCALL_PORT?",
        "there is no setting for the variable ROLLCALL_SERVICE_HOST; Kubernetes sets it for a service named rollcall",
      ])
    let problems = resolve(environment: ["ROLLCALL_PORT": "tcp://10.0.0.1:8080"]).problems
    #expect(problems.first?.description.contains("enableServiceLinks") == true)
  }

  @Test("a file that cannot be read is told")
  func missingFile() {
    let resolved = resolve(["--config", "other.toml"])
    #expect(resolved.problems.map(\.description) == ["the configuration file other.toml cannot be read: no such file"])
  }

  @Test(
    "what is not TOML as it is taken is told with its line",
    arguments: [
      ("port 80", "1: port has no ="), ("\n[server]\n", "2: sections are not used: every name stands by itself"),
      ("port = 1\nport = 2", "2: port was set in line 1"), ("host = \"a", "1: the text has no closing quote"),
      ("host = school.example", "1: school.example is no number, true or false: a text has quotes"),
      ("port = 80 90", "1: something follows the value of port"), ("port =", "1: there is no value"),
      ("origin = [\"a\" \"b\"]", "1: the texts of an array have commas between them"),
      ("origin = [1]", "1: an array has texts in quotes"), ("origin = [", "1: the array has no end"),
      ("host = \"\\q\"", "1: a backslash stands before a quote, a backslash, n, t, r or u"),
      ("= 1", "1: this is not `name = value`"), ("port = 1.5", "1: 1.5 is no number, true or false: a text has quotes"),
    ])
  func wrongFiles(_ file: String, _ sentence: String) {
    let problems = resolve(file: file).problems
    #expect(problems.map(\.description) == ["rollcall.toml:\(sentence)"])
    #expect(problems.allSatisfy { $0.place == .file })
  }

  @Test("a file has comments, both kinds of quotes, escapes, and names with _ too")
  func fileForms() {
    let file =
      "\u{FEFF}# all of it\r\nhost = 'a\\b' # raw\r\ndata = \"\\u00e9 \\\"x\\\"\\n\"\r\nping_interval = 20\r\nmessage-bytes = 65_536\r\n"
    let resolved = resolve(file: file)
    #expect(resolved.problems.isEmpty, "\(resolved.problems)")
    #expect(resolved.settings.configuration.host == "a\\b")
    #expect(resolved.settings.configuration.dataFolder == "é \"x\"\n")
    #expect(resolved.settings.configuration.patience.ping == 20_000)
  }

  @Test("bytes that are not UTF-8 are no file")
  func notText() {
    #expect(throws: ConfigurationFile.Failure(line: 1, reason: "it is not UTF-8")) {
      try ConfigurationFile([0x70, 0xFF])
    }
  }

  @Test(
    "settings that contradict each other are told",
    arguments: [
      (["--tls-cert", "a"], "tls-cert and tls-key go together"),
      (["--tls-cert", "a", "--tls-key", "b", "--tls-self-signed"], "tls-self-signed takes no tls-cert"),
      (["--hsts", "365d"], "hsts needs TLS"),
      (["--turn-secret-file", "x"], "a secret for TURN needs a turn-url"),
      (["--turn-url", "turn:t.example"], "turn-url needs the secret of the TURN server: turn-secret-file"),
      (["--ice-transport-policy", "relay"], "ice-transport-policy relay needs a turn-url"),
    ])
  func contradictions(_ options: [String], _ sentence: String) {
    let problems = resolve(options).problems
    #expect(problems.map(\.description) == [sentence])
  }

  // MARK: Secrets

  @Test("a secret is taken from the environment, refused in the file, and never shown")
  func secrets() {
    let secret = "0123456789abcdef0123456789abcdef"
    let resolved = resolve(environment: ["ROLLCALL_SECRET": secret])
    #expect(resolved.settings.secret == secret)
    #expect(shown("secret", resolved) == "(hidden)")
    #expect(!SettingTexts.listing(resolved, onlyChanged: false).joined().contains(secret))
    let refused = resolve(file: "secret = \"\(secret)\"").problems
    #expect(
      refused.map(\.description)
        == ["rollcall.toml:1: secret is a secret and does not belong in here: use ROLLCALL_SECRET, or a file"])
    #expect(!resolve(environment: ["ROLLCALL_SECRET": ""]).problems.isEmpty)
  }

  @Test("what counts is listed with where it comes from")
  func listing() {
    let resolved = resolve(
      ["--port", "80"], environment: ["ROLLCALL_GRACE": "30s"], file: "origin = [\"https://a.example\"]")
    #expect(
      SettingTexts.listing(resolved, onlyChanged: true) == [
        "port    80                 option",
        "origin  https://a.example  rollcall.toml:1",
        "grace   30s                ROLLCALL_GRACE",
      ])
    #expect(shown("metrics-port", resolved) == "none")
    #expect(shown("durability", resolved) == "strict")
  }
}

@Suite("Addresses of STUN and TURN servers")
struct ICEServerURLTests {
  @Test("what browsers take is taken, with the ports of the schemes")
  func valid() throws {
    let turn = try #require(ICEServerURL("turn:turn.example"))
    #expect(turn.host == "turn.example" && turn.port == 3478 && turn.isRelay && turn.transport == .udp)
    let secure = try #require(ICEServerURL("turns:turn.example"))
    #expect(secure.port == 5349 && secure.isSecure && secure.transport == .tcp)
    let tcp = try #require(ICEServerURL("turn:[2001:db8::1]:80?transport=tcp"))
    #expect(tcp.host == "2001:db8::1" && tcp.port == 80 && tcp.transport == .tcp)
    let stun = try #require(ICEServerURL("stun:192.0.2.1:3479"))
    #expect(stun.port == 3479 && !stun.isRelay)
  }

  @Test(
    "anything else is refused",
    arguments: [
      "", "turn", "turn:", "turn://turn.example", "http:turn.example", "turn:a b", "turn:a:0", "turn:a:99999",
      "turn:a:x",
      "turn:[::1", "turn:a?transport=sctp", "turn:a?x=y", "stun:a?transport=udp",
    ])
  func invalid(_ text: String) { #expect(ICEServerURL(text) == nil) }
}

@Suite("Credentials for TURN")
struct TURNCredentialTests {
  private static let secret = Array("the secret of coturn".utf8)

  @Test("the password is the HMAC-SHA1 of the name: computed elsewhere from the same")
  func convention() {
    let credentials = TURNCredentials(user: "ada", expiresAtUnixSeconds: 1_767_225_600, secret: Self.secret)
    #expect(credentials.username == "1767225600:ada")
    #expect(credentials.password == "W9kXjl2NcQXgEHICHXRj4EqrTRU=")
  }

  @Test("a user who is no plain word is percent-encoded")
  func encoding() {
    let credentials = TURNCredentials(user: "école/:1", expiresAtUnixSeconds: 1_767_225_600, secret: Self.secret)
    #expect(credentials.username == "1767225600:%C3%A9cole%2F%3A1")
    #expect(credentials.password == "xkcV/CnJggC2haCTbPG1uFylY6o=")
  }

  @Test("without a secret there are no credentials and no TURN server; STUN needs none")
  func withoutSecret() throws {
    var calls = CallSettings()
    calls.stunURLs = [try #require(ICEServerURL("stun:s.example"))]
    calls.turnURLs = [try #require(ICEServerURL("turn:t.example"))]
    let now = Timestamp(milliseconds: 1_767_225_600_000)
    #expect(calls.renewalMilliseconds == nil)
    #expect(calls.configuration(for: "ada", at: now).servers.map(\.urls) == [["stun:s.example"]])
    calls.secret = Self.secret
    calls.lifetimeMilliseconds = 60_000
    let configuration = calls.configuration(for: "ada", at: now)
    #expect(configuration.servers.map(\.urls) == [["stun:s.example"], ["turn:t.example"]])
    #expect(configuration.servers[1].username == "1767225660:ada")
    #expect(configuration.expiresAt == now.advanced(byMilliseconds: 60_000))
    #expect(calls.renewalMilliseconds == 45_000)
  }
}
