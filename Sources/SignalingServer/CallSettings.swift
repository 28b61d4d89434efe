import COpenSSL
import Classroom
import RoomShard

/// What browsers are told for their calls: which servers help them, and with which credentials.
public struct CallSettings: Equatable, Sendable, ICEServerSource {
  public var stunURLs: [ICEServerURL] = []
  public var turnURLs: [ICEServerURL] = []
  /// The secret shared with the TURN server; empty when there is none.
  public var secret: [UInt8] = []
  /// How long credentials hold.
  public var lifetimeMilliseconds: Int64 = 6 * 3_600_000
  /// Whether media must go over the TURN server.
  public var isRelayOnly = false

  /// No servers.
  public init() {}

  public var renewalMilliseconds: Int64? {
    hasCredentials ? lifetimeMilliseconds - lifetimeMilliseconds / 4 : nil
  }

  private var hasCredentials: Bool { !turnURLs.isEmpty && !secret.isEmpty }

  public func configuration(for user: String, at now: Timestamp) -> ICEConfiguration {
    var servers: [ICEConfiguration.Server] = []
    if !stunURLs.isEmpty { servers.append(ICEConfiguration.Server(urls: stunURLs.map(\.description))) }
    var expiresAt: Timestamp?
    if hasCredentials {
      let end = now.advanced(byMilliseconds: lifetimeMilliseconds)
      let credentials = TURNCredentials(user: user, expiresAtUnixSeconds: end.milliseconds / 1000, secret: secret)
      servers.append(
        ICEConfiguration.Server(
          urls: turnURLs.map(\.description), username: credentials.username, credential: credentials.password))
      expiresAt = end
    }
    return ICEConfiguration(servers: servers, isRelayOnly: isRelayOnly, expiresAt: expiresAt)
  }
}

/// Credentials by the convention of TURN servers for REST interfaces: the name is the time of their end and the user, the
/// password the HMAC-SHA1 of the name under a secret that is shared with the TURN server.
public struct TURNCredentials: Equatable, Sendable {
  public let username: String
  public let password: String

  /// Credentials for a user until a time in seconds since 1970.
  public init(user: String, expiresAtUnixSeconds end: Int64, secret: [UInt8]) {
    username = "\(end):\(Self.plain(user))"
    let message = Array(username.utf8)
    var code = [UInt8](repeating: 0, count: 20)
    var length: UInt32 = 0
    let result = HMAC(EVP_sha1(), secret, Int32(clamping: secret.count), message, message.count, &code, &length)
    precondition(result != nil && length == 20, "HMAC-SHA1 of memory does not fail")
    var text = [UInt8](repeating: 0, count: 4 * ((code.count + 2) / 3) + 1)
    let count = EVP_EncodeBlock(&text, code, Int32(code.count))
    password = String(decoding: text.prefix(Int(count)), as: UTF8.self)
  }

  /// Names go through TURN servers, their logs and their databases: what is more than a plain word is percent-encoded.
  private static func plain(_ user: String) -> String {
    var text = ""
    for byte in user.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."),
        UInt8(ascii: "@"):
        text.unicodeScalars.append(Unicode.Scalar(byte))
      default:
        let digits = String(byte, radix: 16, uppercase: true)
        text += byte < 16 ? "%0\(digits)" : "%\(digits)"
      }
    }
    return text
  }
}
