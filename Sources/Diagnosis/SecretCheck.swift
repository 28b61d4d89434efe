import Glibc
import SignalingServer

// The secrets, and who else may read them.
extension Examination {
  func checkSecrets(_ tell: (Finding) -> Void) {
    var token: [UInt8]?
    if let secret = settings.secret {
      token = Array(secret.utf8)
      judge(token ?? [], of: "the secret of tokens", minimum: 32, tell)
    } else {
      let path = settings.secretFile ?? "\(configuration.dataFolder)/secret"
      if settings.secretFile == nil, access(path, F_OK) != 0 {
        tell(.ok("secret", "\(path) does not exist and will be made, of 320 random bits"))
      } else {
        token = read(path, of: "the secret of tokens", minimum: 32, tell)
      }
    }
    if let secret = turnSecret(tell), let token, secret == token {
      tell(
        .problem(
          "secret", "tokens and TURN have the same secret: who runs the TURN server can make tokens for every role",
          "give the TURN server a secret of its own"))
    }
  }

  private func turnSecret(_ tell: (Finding) -> Void) -> [UInt8]? {
    if let secret = settings.turnSecret {
      judge(Array(secret.utf8), of: "the secret of the TURN server", minimum: 1, tell)
      return Array(secret.utf8)
    }
    return settings.turnSecretFile.flatMap { read($0, of: "the secret of the TURN server", minimum: 1, tell) }
  }

  private func read(_ path: String, of name: String, minimum: Int, _ tell: (Finding) -> Void) -> [UInt8]? {
    do throws(SecretFile.Failure) {
      let secret = try SecretFile.read(path, minimumBytes: minimum)
      if let mode = FileFacts(path)?.mode, mode & 0o077 != 0 {
        tell(.warning("secret", "others on this machine may read \(path), \(name)", "chmod 600 \(path)"))
      }
      judge(secret, of: name, minimum: minimum, tell)
      return secret
    } catch {
      tell(.problem("secret", "\(error)", "make one: head -c 32 /dev/urandom | base64 > \(path); chmod 600 \(path)"))
      return nil
    }
  }

  private func judge(_ secret: [UInt8], of name: String, minimum: Int, _ tell: (Finding) -> Void) {
    guard secret.count >= minimum else {
      tell(.problem("secret", "\(name) has less than \(minimum) bytes", "make one: head -c 32 /dev/urandom | base64"))
      return
    }
    let bits = SecretStrength.bits(secret)
    if bits < SecretStrength.sufficientBits {
      tell(
        .warning(
          "secret", "\(name) looks as if it could be guessed: about \(bits) bits",
          "make one: head -c 32 /dev/urandom | base64"))
    } else {
      tell(.ok("secret", "\(name) has \(secret.count) bytes and looks random"))
    }
  }
}

/// How hard a secret is to guess, at most: what repeats, or follows from what stands before it, counts little.
enum SecretStrength {
  /// What tokens of HS256 deserve is 256; what nobody guesses is half of that.
  static let sufficientBits = 96

  /// The bits of a secret, estimated from how often its bytes, and the steps between them, occur.
  static func bits(_ secret: [UInt8]) -> Int {
    guard secret.count > 1 else { return 0 }
    let steps = zip(secret, secret.dropFirst()).map { $1 &- $0 }
    return Int(min(entropy(secret), entropy(steps)))
  }

  private static func entropy(_ bytes: [UInt8]) -> Double {
    var counts: [UInt8: Int] = [:]
    for byte in bytes { counts[byte, default: 0] += 1 }
    let total = Double(bytes.count)
    return counts.values.reduce(0) { $0 - Double($1) * log2(Double($1) / total) }
  }
}
