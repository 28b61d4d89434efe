import ArgumentParser
import Classroom
import EventLoop
import SignalingServer
import Tokens

/// `rollcall token`: prints a token for somebody.
struct Token: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print a token (JWT) for somebody.",
    discussion: """
      Signed with the server's secret (HS256), or with a private key whose public half the server has (--token-key, --jwks): \
      what a platform does for its users, to try things.

      Without --session, the role host allows to create sessions, and admin to manage all of them.
      """)

  @Option(name: .customLong("secret-file"), help: "The file with the server's secret.")
  var secretFile: String?

  @Option(name: .customLong("key"), help: "A file with a private key in PEM, instead of a secret.")
  var keyFile: String?

  @Option(
    name: .customLong("alg"),
    help: "The algorithm for --key. Default: RS256, ES256, ES384, ES512 or EdDSA, by the kind of the key.")
  var algorithm: TokenAlgorithm?

  @Option(name: .customLong("kid"), help: "The name of the key, for servers that have several.")
  var keyID: String?

  @Option(name: .customLong("iss"), help: "Who issues the token.")
  var issuer: String?

  @Option(name: .customLong("aud"), help: "Whom the token is for.")
  var audience: String?

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
    guard (secretFile == nil) != (keyFile == nil) else {
      throw ValidationError("A token is signed with --secret-file or with --key.")
    }
    guard secretFile == nil || algorithm == nil || algorithm == .hs256 else {
      throw ValidationError("--secret-file signs by HS256.")
    }
    guard (1...128).contains(user.utf8.count) else { throw ValidationError("--sub takes 1 to 128 bytes.") }
    if let session, !SessionID.isValid(session) {
      throw ValidationError("--session takes 1 to 64 letters, digits, underscores or hyphens.")
    }
    guard lifetime.milliseconds >= 1000 else { throw ValidationError("--ttl takes at least one second.") }
  }

  func run() throws {
    let now = Timestamp(milliseconds: WallClock.milliseconds())
    let identity = Identity(
      user: user, name: name ?? user, role: role, session: session, isGuest: false,
      expiresAt: now.advanced(byMilliseconds: lifetime.milliseconds))
    var signer = try signer()
    signer.keyID = keyID
    signer.issuer = issuer
    signer.audience = audience
    do throws(KeyFailure) {
      StandardStreams.say(try signer.sign(identity, at: now))
    } catch {
      throw CommandFailure(sentence: "the file \(keyFile ?? "") \(error)")
    }
  }

  private func signer() throws -> TokenSigner {
    guard let keyFile else { return TokenSigner(secret: try SecretOption.read(secretFile ?? "")) }
    let pem = try KeyFiles.read(keyFile)
    do throws(KeyFailure) {
      return try TokenSigner(PrivateKey(pem: pem), algorithm: algorithm)
    } catch {
      throw CommandFailure(sentence: "the file \(keyFile) \(error)")
    }
  }
}

extension Role: ExpressibleByArgument {}
