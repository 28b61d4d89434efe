import Classroom
import Glibc
import JSON
import Tokens

/// What it costs to check a token, for each algorithm: one JSON object, microseconds of processor time for each.
@main
struct TokenBench {
  private static let now = Timestamp(milliseconds: 1_767_225_600_000)
  private static let secret = Array("a secret of at least thirty-two bytes".utf8)

  static func main() throws {
    var writer = JSONWriter(reserving: 1024)
    writer.beginObject()
    writer.field("HS256", try cost(TokenSigner(secret: secret), [VerificationKey(secret: TokenKey(secret))]))
    for algorithm in TokenAlgorithm.allCases where algorithm != .hs256 {
      let key = try PrivateKey(generatingFor: algorithm, bitsOfRSA: 2048)
      let keys = try VerificationKey.keys(pem: key.publicPEM, algorithm: algorithm)
      writer.key(algorithm.rawValue)
      writer.number(try cost(TokenSigner(key, algorithm: algorithm), keys))
    }
    writer.endObject()
    print(String(decoding: writer.bytes, as: UTF8.self))
  }

  private static func cost(_ signer: consuming TokenSigner, _ keys: [VerificationKey]) throws -> Double {
    let identity = Identity(
      user: "u17", name: "Ada Lovelace", role: .participant, session: "algebra", isGuest: false,
      expiresAt: now.advanced(byMilliseconds: 3_600_000))
    let token = try signer.sign(identity, at: now)
    let authority = TokenAuthority(secret: secret, settings: TokenSettings(), keys: KeyRing(keys))
    var best = Double.infinity
    for _ in 0..<5 {
      let begin = processorNanoseconds()
      for _ in 0..<2000 { _ = try authority.open(token, at: now) }
      best = min(best, Double(processorNanoseconds() - begin) / 2000 / 1000)
    }
    return (best * 100).rounded() / 100
  }

  private static func processorNanoseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}
