import ArgumentParser
import DataTools
import EventLoop
import SignalingServer

/// `rollcall verify-report`: says whether an attendance report can be trusted.
struct VerifyReport: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Say whether an attendance report or certificate is as the server signed it.",
    discussion: """
      FILE is the JSON that `…/attendance/` answered, as it came or formatted anew; `-` reads standard input. The signature \
      covers everything but itself. Get the school's key from the school: from /.well-known/rollcall-report-keys.json of its \
      server, or `rollcall report-key`. Without --key only this is checked: that nothing was changed since somebody signed it.

      Exit codes: 0 it is valid, signed by the key that was given; 1 it is not valid, or cannot be read; 2 the arguments are \
      wrong; 3 nothing was changed, and nobody vouches for the key that signed it (no --key).
      """)

  @Argument(help: "The report, or `-`.")
  var file: String

  @Option(help: "The public key: a file in PEM, a JWK or a JWK set. Can be given several times.")
  var key: [String] = []

  func run() throws {
    let report = try ReportFile.read(file)
    var keys: [ReportPublicKey] = []
    for path in key {
      let found = ReportPublicKey.read(try ReportFile.read(path))
      guard !found.isEmpty else {
        throw CommandFailure(sentence: "\(PrintableText.escaped(path)) holds no Ed25519 key, in PEM or as a JWK")
      }
      keys += found
    }
    switch SignedReport.verify(report, keys: key.isEmpty ? nil : keys) {
    case .valid(let facts):
      StandardStreams.say("valid: \(Self.sentence(facts))")
    case .intact(let facts):
      StandardStreams.say("intact: \(Self.sentence(facts))")
      StandardStreams.say("Nobody vouches for that key: compare it with the school's, or give that with --key.")
      StandardStreams.exit(3)
    case .invalid(let reason):
      StandardStreams.say("not valid: \(PrintableText.escaped(reason))")
      StandardStreams.exit(1)
    }
  }

  private static func sentence(_ facts: SignedReport.Facts) -> String {
    let what = facts.document == "attendance_report" ? "the report" : "a certificate"
    let people = facts.people == 1 ? "1 person" : "\(facts.people) people"
    return """
      \(what) of session \(PrintableText.quoted(facts.session)) (\(PrintableText.escaped(facts.status))), \
      \(people), made \(PrintableText.escaped(facts.generatedAt)), signed by the key \(facts.keyID)
      """
  }
}

/// `rollcall report-key`: prints the public key that attendance reports are checked with.
struct ReportKeyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report-key", abstract: "Print the public key of the attendance reports (PEM, or a JWK set).")

  @Option(name: .customLong("data"), help: "The data folder of the server.")
  var dataFolder: String?

  @Option(name: .customLong("key"), help: "The file with the key, private or public, if it is not in a data folder.")
  var file: String?

  @Flag(name: .customLong("jwks"), help: "Print a JWK set instead of PEM.")
  var asSet = false

  func validate() throws {
    guard (dataFolder == nil) != (file == nil) else { throw ValidationError("Give one of --data and --key.") }
  }

  func run() throws {
    let path = file ?? "\(dataFolder ?? "")/\(ReportKeyFile.name)"
    guard let key = ReportPublicKey.read(try ReportFile.read(path)).first else {
      throw CommandFailure(sentence: "\(PrintableText.escaped(path)) holds no Ed25519 key")
    }
    StandardStreams.say(String(decoding: asSet ? key.set : key.pem, as: UTF8.self).trimmedAtEnd)
  }
}

extension String {
  /// The text without line feeds at its end.
  fileprivate var trimmedAtEnd: String {
    var text = self
    while text.last == "\n" { text.removeLast() }
    return text
  }
}

/// A file that a command was told to read.
enum ReportFile {
  /// The most that a report or a key may have.
  private static let maximumBytes = 64 << 20

  static func read(_ path: String) throws(CommandFailure) -> [UInt8] {
    let bytes: [UInt8]?
    do throws(SystemError) {
      bytes = try ReportInput.read(path == "-" ? "/dev/stdin" : path, limit: maximumBytes)
    } catch {
      throw CommandFailure(
        sentence: "\(PrintableText.escaped(path)) cannot be read: \(SystemError.message(for: error.code))")
    }
    guard let bytes else { throw CommandFailure(sentence: "\(PrintableText.escaped(path)) is too long") }
    return bytes
  }
}
