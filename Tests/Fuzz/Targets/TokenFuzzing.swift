import COpenSSL
import Classroom
import SignalingProtocol
import Tokens

/// Nothing is taken without its signature; whoever is taken has a name and an id within the limits, and the token that
/// the server makes out for them says the same.
///
/// The first line is the header of a token that is signed here, the rest its claims; the whole is tried as a token too.
@Sendable func fuzzToken(_ bytes: UnsafeRawBufferPointer) throws(BrokenInvariant) {
  let secret = [UInt8](repeating: 0x61, count: 32)
  let authority = TokenAuthority(secret: secret)
  let now = Timestamp(milliseconds: 1_700_000_000_000)
  try hold((try? authority.verify(String(decoding: bytes, as: UTF8.self), at: now)) == nil, "it has no signature")

  let set = try? JSONWebKeySet(Array(bytes))
  try hold(set?.keys.count ?? 0 <= JSONWebKeySet.maximumKeys, "too many keys")

  let lineEnd = bytes.firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
  let signed = base64URL(bytes[..<lineEnd]) + "." + base64URL(bytes[min(lineEnd + 1, bytes.count)...])
  let signature = authenticationCode(Array(signed.utf8), secret)
  guard let identity = try? authority.verify(signed + "." + base64URL(signature[...]), at: now) else { return }
  try hold((1...ProtocolLimits.userBytes).contains(identity.user.utf8.count), "a user of another length")
  try hold((1...ProtocolLimits.nameBytes).contains(identity.name.utf8.count), "a name of another length")
  try hold(now < identity.expiresAt, "expired")
  try hold(!identity.isGuest || identity.role == .participant, "a guest who is more")
  var forged = signature
  forged[Int(bytes[0]) % forged.count] ^= 1 << (bytes[0] >> 5)
  try hold((try? authority.verify(signed + "." + base64URL(forged[...]), at: now)) == nil, "the signature is wrong")

  var expected = identity
  // Tokens of this server are good for whole seconds.
  expected.expiresAt = Timestamp(milliseconds: identity.expiresAt.milliseconds / 1000 * 1000)
  guard now < expected.expiresAt else { return }
  // Nor do they tell more than a name of the person.
  expected.profile = nil
  let issued = authority.issue(identity, at: now)
  guard issued.utf8.count <= ProtocolLimits.tokenBytes else { return }
  let again = try? authority.verify(issued, at: now)
  try hold(again == expected, "\(expected) became \(String(describing: again))")
}

private func authenticationCode(_ message: [UInt8], _ secret: [UInt8]) -> [UInt8] {
  var code = [UInt8](repeating: 0, count: 32)
  var length: UInt32 = 0
  _ = HMAC(EVP_sha256(), secret, Int32(secret.count), message, message.count, &code, &length)
  return code
}

private func base64URL(_ bytes: some Collection<UInt8>) -> String {
  let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
  var text: [UInt8] = []
  var (bits, count): (UInt32, UInt32) = (0, 0)
  for byte in bytes {
    bits = (bits << 8 | UInt32(byte)) & 0xFFFF
    count += 8
    while count >= 6 {
      count -= 6
      text.append(alphabet[Int(bits >> count & 63)])
    }
  }
  if count > 0 { text.append(alphabet[Int(bits << (6 - count) & 63)]) }
  return String(decoding: text, as: UTF8.self)
}
