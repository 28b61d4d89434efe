import Classroom
import JSON
import SignalingProtocol

/// The servers for calls, as a client is told them.
public struct ICEServers: Sendable, Equatable {
  /// One of them.
  public struct Server: Sendable, Equatable {
    public var urls: [String]
    public var username: String?
    public var credential: String?
  }

  public var servers: [Server] = []
  /// Whether calls must go over them.
  public var isRelayOnly: Bool
  /// When the credentials end; nil when there are none that do.
  public var expiresAt: Timestamp?

  init(_ fields: MessageFields) throws(ProtocolViolation) {
    for element in try fields.array("ice_servers").elements {
      let server = try MessageFields(element, "ice_servers")
      var urls: [String] = []
      for url in try server.array("urls").elements {
        guard let text = url.string, ["stun:", "stuns:", "turn:", "turns:"].contains(where: text.hasPrefix) else {
          throw server.wrong("urls")
        }
        urls.append(text)
      }
      guard !urls.isEmpty, server.has("username") == server.has("credential") else { throw server.wrong("urls") }
      servers.append(
        Server(
          urls: urls, username: try server.optionalString("username", bytes: 1...512),
          credential: try server.optionalString("credential", bytes: 1...512)))
    }
    let policy = try fields.value("ice_transport_policy")
    isRelayOnly = policy.equals("relay")
    guard isRelayOnly || policy.equals("all") else { throw fields.wrong("ice_transport_policy") }
    expiresAt = try fields.dateOrNull("ice_expires_at")
  }
}
