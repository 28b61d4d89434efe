import Testing

@testable import Classroom
@testable import SignalingProtocol
@testable import Tokens

/// A key pair that tests share.
final class KeyPair: Sendable {
  let algorithm: TokenAlgorithm
  private let key: PrivateKey

  init(_ algorithm: TokenAlgorithm, bitsOfRSA: Int = 2048) throws {
    self.algorithm = algorithm
    key = try PrivateKey(generatingFor: algorithm, bitsOfRSA: bitsOfRSA)
  }

  var publicPEM: [UInt8] { key.publicPEM }
  var thumbprint: String { key.thumbprint }

  func set(id: String) -> [UInt8] { key.publicKeySet(id: id, algorithm: algorithm) }

  func sign(_ message: [UInt8]) throws -> [UInt8] { try key.sign(message, by: algorithm) }

  /// Its public half as the server keeps it.
  func verificationKeys(id: String? = nil, issuer: String? = nil) throws -> [VerificationKey] {
    try VerificationKey.keys(pem: publicPEM, algorithm: algorithm, id: id, issuer: issuer)
  }

  /// One pair of each algorithm that has them.
  static let all: [TokenAlgorithm: KeyPair] = {
    var pairs: [TokenAlgorithm: KeyPair] = [:]
    for algorithm in TokenAlgorithm.allCases where algorithm != .hs256 {
      pairs[algorithm] = try? KeyPair(algorithm)
    }
    return pairs
  }()

  static func of(_ algorithm: TokenAlgorithm) throws -> KeyPair { try #require(all[algorithm]) }
}

/// What a test says to an authority, as a platform, or as somebody who poses as one.
enum Forge {
  static let secret = Array("a secret of at least thirty-two bytes".utf8)
  static let now = Timestamp(milliseconds: 1_767_225_600_000)
  static var exp: Int64 { now.milliseconds / 1000 + 60 }

  static func encoded(_ bytes: [UInt8]) -> String { String(decoding: Base64URL.encode(bytes), as: UTF8.self) }

  static func encoded(_ text: String) -> String { encoded(Array(text.utf8)) }

  /// A token of this header and these claims, with whatever `sign` makes of them.
  static func token(
    _ header: String, _ claims: String = #"{"sub":"u","exp":\#(exp)}"#, sign: ([UInt8]) throws -> [UInt8]
  ) rethrows -> String {
    let text = "\(encoded(header)).\(encoded(claims))"
    return "\(text).\(encoded(try sign(Array(text.utf8))))"
  }

  /// A token that is good, signed with the pair.
  static func token(
    of pair: KeyPair, header extra: String = "", _ claims: String = #"{"sub":"u","exp":\#(exp)}"#
  ) throws -> String {
    try token(#"{"alg":"\#(pair.algorithm.rawValue)"\#(extra)}"#, claims) { try pair.sign($0) }
  }

  /// An authority with these keys and settings, and a secret of its own that signs none of the platform's tokens.
  static func authority(
    _ keys: [VerificationKey], _ configure: (inout TokenSettings) -> Void = { _ in }
  ) -> TokenAuthority {
    var settings = TokenSettings()
    configure(&settings)
    return TokenAuthority(secret: secret, settings: settings, keys: KeyRing(keys))
  }
}

extension TokenAuthority {
  /// Why the token is refused; nil when it is taken.
  func refusal(of token: String) -> TokenRefusal.Reason? {
    do throws(TokenRefusal) {
      _ = try open(token, at: Forge.now)
      return nil
    } catch {
      return error.reason
    }
  }
}
