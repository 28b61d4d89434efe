import Classroom
import JSON
import SignalingProtocol

/// The servers that help a browser with its calls, for one user.
public struct ICEConfiguration: Sendable, Equatable {
  /// One of them, as `RTCIceServer` of WebRTC has it.
  public struct Server: Sendable, Equatable {
    public var urls: [String]
    public var username: String?
    public var credential: String?

    /// A server; STUN has no credentials.
    public init(urls: [String], username: String? = nil, credential: String? = nil) {
      (self.urls, self.username, self.credential) = (urls, username, credential)
    }
  }

  public var servers: [Server]
  /// Whether media must go over them (`RTCIceTransportPolicy` `relay`).
  public var isRelayOnly: Bool
  /// When the credentials end; nil when there are none that end.
  public var expiresAt: Timestamp?

  /// A configuration with these facts.
  public init(servers: [Server] = [], isRelayOnly: Bool = false, expiresAt: Timestamp? = nil) {
    (self.servers, self.isRelayOnly, self.expiresAt) = (servers, isRelayOnly, expiresAt)
  }

  /// The fields `ice_servers`, `ice_transport_policy` and `ice_expires_at` of an open object.
  func write(into writer: inout JSONWriter) {
    writer.key("ice_servers")
    writer.beginArray()
    for server in servers {
      writer.beginObject()
      writer.key("urls")
      writer.beginArray()
      for url in server.urls { writer.string(url) }
      writer.endArray()
      if let username = server.username { writer.field("username", username) }
      if let credential = server.credential { writer.field("credential", credential) }
      writer.endObject()
    }
    writer.endArray()
    writer.field("ice_transport_policy", isRelayOnly ? "relay" : "all")
    writer.field("ice_expires_at", expiresAt.map(RFC3339.format))
  }
}

/// Where a shard has the servers for calls from.
public protocol ICEServerSource: Sendable {
  /// What a user is told now.
  func configuration(for user: String, at now: Timestamp) -> ICEConfiguration
  /// After how long a user is told anew, before what was told ends; nil when nothing ends.
  var renewalMilliseconds: Int64? { get }
}

// Telling everybody in a class which servers help with calls, again and again.
extension RoomShard {
  /// Who has an address may have calls; observers and those who wait have none.
  func iceConfiguration(of member: Member, connection: ConnectionID, at now: Timestamp) -> ICEConfiguration {
    guard let iceServers, member.peer != nil else { return ICEConfiguration() }
    if let renewal = iceServers.renewalMilliseconds {
      members[connection]?.iceRenewal = now.advanced(byMilliseconds: renewal)
      scheduleRenewals(every: renewal, at: now)
    }
    return iceServers.configuration(for: member.actor.user, at: now)
  }

  /// One look at all members for many renewals: they need not be on time to the minute.
  private func scheduleRenewals(every renewal: Int64, at now: Timestamp) {
    guard timers.renewals == nil else { return }
    timers.renewals = now.advanced(byMilliseconds: max(1, renewal / 16))
  }

  /// Tells those whose credentials come to their end of new ones.
  func renewICEServers(at now: Timestamp) {
    guard let due = timers.renewals, due <= now else { return }
    timers.renewals = nil
    guard let renewal = iceServers?.renewalMilliseconds else { return }
    // Who would have to wait for the next look is told now.
    let horizon = now.advanced(byMilliseconds: max(1, renewal / 16))
    tellICEServers(at: now) { $0.iceRenewal.map { $0 <= horizon } ?? false }
    if members.values.contains(where: { $0.iceRenewal != nil && $0.peer != nil }) {
      scheduleRenewals(every: renewal, at: now)
    }
  }

  /// From now on calls are helped by others; everybody who may have calls is told.
  public func changeICEServers(to source: any ICEServerSource, at now: Timestamp) {
    iceServers = source
    timers.renewals = nil
    tellICEServers(at: now) { _ in true }
  }

  private func tellICEServers(at now: Timestamp, where isDue: (Member) -> Bool) {
    let due = members.filter { $0.value.peer != nil && !$0.value.room.isFrozen && isDue($0.value) }
    for (connection, member) in due.sorted(by: { $0.value.ordinal < $1.value.ordinal }) {
      let configuration = iceConfiguration(of: member, connection: connection, at: now)
      send(to: connection, from: member.room) { writer in
        ServerMessage.beginEvent("ice_servers", at: now, into: &writer)
        configuration.write(into: &writer)
        writer.endObject()
      }
    }
  }
}
