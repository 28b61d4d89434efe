import Classroom
import RoomShard
import SignalingProtocol
import Tokens

/// Seals resume tokens with the server's secret, so that they are good after a restart too.
///
/// A token is base64url of a version byte, the claim with a length before each string, and its HMAC-SHA256. The key is
/// derived from the secret for this purpose alone: no token of the one kind can be made from tokens of the other.
struct ResumeTokens: ResumeSealer {
  private static let version: UInt8 = 1
  private static let codeBytes = 32

  private let key: TokenKey

  init(secret: [UInt8]) {
    key = TokenKey(secret).derived(for: "rollcall resume token 1")
  }

  func seal(_ claim: ResumeClaim) -> String {
    var bytes = [Self.version]
    bytes.reserveCapacity(384)
    for field in [claim.user, claim.session, claim.epoch, claim.peer ?? ""] {
      let text = Array(field.utf8)
      precondition(text.count <= UInt8.max, "the protocol bounds users, sessions and epochs")
      bytes.append(UInt8(text.count))
      bytes += text
    }
    withUnsafeBytes(of: claim.expiresAt.milliseconds.littleEndian) { bytes += $0 }
    bytes += key.sign(bytes)
    return String(decoding: Base64URL.encode(bytes), as: UTF8.self)
  }

  func open(_ token: String) -> ResumeClaim? {
    guard token.utf8.count <= ProtocolLimits.resumeTokenBytes, let bytes = Base64URL.decode(Array(token.utf8)),
      bytes.count > Self.codeBytes
    else { return nil }
    let claim = Array(bytes[..<(bytes.count - Self.codeBytes)])
    guard key.verify(Array(bytes[claim.count...]), of: claim), claim.first == Self.version else { return nil }
    return Self.read(claim.dropFirst())
  }

  private static func read(_ bytes: ArraySlice<UInt8>) -> ResumeClaim? {
    var rest = bytes
    var fields: [String] = []
    for _ in 0..<4 {
      guard let count = rest.popFirst(), count <= rest.count else { return nil }
      fields.append(String(decoding: rest.prefix(Int(count)), as: UTF8.self))
      rest = rest.dropFirst(Int(count))
    }
    guard rest.count == 8 else { return nil }
    let expiry = rest.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    return ResumeClaim(
      user: fields[0], session: fields[1], epoch: fields[2], peer: fields[3].isEmpty ? nil : fields[3],
      expiresAt: Timestamp(milliseconds: Int64(bitPattern: expiry)))
  }
}
