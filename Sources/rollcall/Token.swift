import ArgumentParser
import Classroom
import EventLoop
import SignalingServer

/// `rollcall token`: prints a token for somebody.
struct Token: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print a token (JWT, HS256) for somebody.",
    discussion: "Without --session, the role host allows to create sessions, and admin to manage all of them.")

  @Option(name: .customLong("secret-file"), help: "The file with the server's secret.")
  var secretFile: String

  @Option(name: .customLong("sub"), help: "The id of the user.")
  var user: String

  @Option(help: "The name that others see.")
  var name: String?

  @Option(help: "The only session the token is for; the role holds there.")
  var session: String?

  @Option(help: "One of host, cohost, participant, observer, admin.")
  var role: Role = .participant

  @Option(name: .customLong("ttl"), help: "How long the token is valid.")
  var lifetime = TimeSpan(milliseconds: 3_600_000)

  func validate() throws {
    guard (1...128).contains(user.utf8.count) else { throw ValidationError("--sub takes 1 to 128 bytes.") }
    if let session, !SessionID.isValid(session) {
      throw ValidationError("--session takes 1 to 64 letters, digits, underscores or hyphens.")
    }
    guard lifetime.milliseconds >= 1000 else { throw ValidationError("--ttl takes at least one second.") }
  }

  func run() throws {
    let secret = try SecretOption.read(secretFile)
    let now = Timestamp(milliseconds: WallClock.milliseconds())
    let identity = Identity(
      user: user, name: name ?? user, role: role, session: session, isGuest: false,
      expiresAt: now.advanced(byMilliseconds: lifetime.milliseconds))
    StandardStreams.say(TokenAuthority(secret: secret).issue(identity, at: now))
  }
}

extension Role: ExpressibleByArgument {}
