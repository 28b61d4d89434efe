import ArgumentParser
import EventLoop
import SignalingServer
import Tokens

/// `rollcall keygen`: makes a key pair for those who issue tokens.
struct KeyGeneration: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "keygen",
    abstract: "Make a key pair for those who issue tokens.",
    discussion: """
      The private key is for the platform alone, the public one for the server: `rollcall serve --token-key PUBLIC`, or \
      `--jwks SET`. Prints the name of the key (kid): its thumbprint (RFC 7638), unless it is given one. No file is \
      overwritten.

      To try it: `rollcall token --key PRIVATE --sub ada --role host`.
      """)

  @Option(name: .customLong("alg"), help: "RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512 or EdDSA.")
  var algorithm = TokenAlgorithm.es256

  @Option(
    name: .customLong("key"), help: "Where the private key goes: PEM, not encrypted, for its owner alone to read.")
  var privateFile: String

  @Option(name: .customLong("public"), help: "Where the public key goes: PEM.")
  var publicFile: String?

  @Option(name: .customLong("jwks"), help: "Where the public key goes as a JWK set.")
  var setFile: String?

  @Option(name: .customLong("kid"), help: "The name of the key.")
  var keyID: String?

  func validate() throws {
    guard algorithm != .hs256 else {
      throw ValidationError("HS256 has a secret, no key pair: `rollcall serve` makes one, or any 32 random bytes do.")
    }
    guard publicFile != nil || setFile != nil else {
      throw ValidationError("The public key needs a place: --public or --jwks.")
    }
  }

  func run() throws {
    let key = try makeKey()
    let id = keyID ?? key.thumbprint
    try KeyFiles.write(key.pem, to: privateFile, isSecret: true)
    if let publicFile { try KeyFiles.write(key.publicPEM, to: publicFile, isSecret: false) }
    if let setFile {
      try KeyFiles.write(key.publicKeySet(id: id, algorithm: algorithm), to: setFile, isSecret: false)
    }
    StandardStreams.say(id)
  }

  private func makeKey() throws(CommandFailure) -> PrivateKey {
    do throws(KeyFailure) {
      return try PrivateKey(generatingFor: algorithm)
    } catch {
      throw CommandFailure(sentence: "no key can be made: \(error)")
    }
  }
}

extension TokenAlgorithm: ExpressibleByArgument {
  public init?(argument: String) { self.init(name: argument) }
}
