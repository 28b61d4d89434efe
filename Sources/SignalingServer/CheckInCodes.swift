import COpenSSL
import Classroom

/// Codes that are shown in the place where a class is held, so that who types one in is there, or was a moment ago.
///
/// A code follows from the server's secret, the session and the time: there is nothing to keep. It changes every
/// ``stepMilliseconds`` and is taken for another such time, so that one that was read off late still counts.
struct CheckInCodes: Sendable {
  /// How long a code is shown.
  static let stepMilliseconds: Int64 = 30_000
  /// The letters of a code. With 29 to choose from for each, a million guesses in its time find one in 300 times.
  static let length = 6

  /// Letters and digits of which none looks like another.
  private static let alphabet = Array("ABCDEFGHJKMNPQRTUVWXYZ2346789".utf8)

  private let key: [UInt8]

  init(secret: [UInt8]) {
    key = Self.code(of: Array("rollcall check-in code 1".utf8), key: secret)
  }

  /// The code that is shown at a time.
  func code(for session: String, at now: Timestamp) -> String { code(for: session, step: Self.step(at: now)) }

  /// When the next code is shown.
  func nextChange(after now: Timestamp) -> Timestamp {
    Timestamp(milliseconds: (Self.step(at: now) + 1) * Self.stepMilliseconds)
  }

  /// Whether the code is the one that is shown, or the one before. Small letters are as good, and spaces and hyphens as nothing.
  func isRight(_ code: String, for session: String, at now: Timestamp) -> Bool {
    let typed = code.uppercased().utf8.filter { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "-") }
    let step = Self.step(at: now)
    return [step, step - 1].contains { step in
      let right = Array(self.code(for: session, step: step).utf8)
      return typed.count == right.count && CRYPTO_memcmp(typed, right, right.count) == 0
    }
  }

  private static func step(at now: Timestamp) -> Int64 { max(1, now.milliseconds / stepMilliseconds) }

  private func code(for session: String, step: Int64) -> String {
    let bytes = Self.code(of: Array("\(step):\(session)".utf8), key: key)
    var number = bytes.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    var letters: [UInt8] = []
    for _ in 0..<Self.length {
      letters.append(Self.alphabet[Int(number % UInt64(Self.alphabet.count))])
      number /= UInt64(Self.alphabet.count)
    }
    return String(decoding: letters, as: UTF8.self)
  }

  private static func code(of message: [UInt8], key: [UInt8]) -> [UInt8] {
    var code = [UInt8](repeating: 0, count: 32)
    var length: UInt32 = 0
    let result = HMAC(EVP_sha256(), key, Int32(key.count), message, message.count, &code, &length)
    precondition(result != nil && length == 32, "HMAC-SHA256 of memory does not fail")
    return code
  }
}
