import Classroom
import JSON

/// Somebody who takes part in a class.
final class Person {
  let label: String
  let identity: Identity?
  /// The session this person is in.
  let session: String
  private(set) var user: String
  var hasSeveralTabs = false
  /// With which a guest comes back; it comes with the first greeting.
  private var guestToken: String?

  init(label: String, identity: Identity?, session: String) {
    self.label = label
    self.identity = identity
    self.session = session
    user = identity?.user ?? ""
  }

  /// What the person says who they are with, fresh from the platform; nil for a guest before the first greeting.
  func token(until expiry: Int64, as role: Role? = nil) -> String? {
    guard var identity else { return guestToken }
    identity.expiresAt = Timestamp(milliseconds: expiry)
    if let role { identity.role = role }
    return Credentials.token(identity)
  }

  var isGuest: Bool { identity == nil }
  var isVisible: Bool { identity?.role != .observer }
  var isHost: Bool { identity?.role == .host }

  func greeted(_ message: JSONView) {
    guard isGuest, let token = message["guest_token"]?.string, let user = message["user"]?["id"]?.string else { return }
    if guestToken == nil {
      guestToken = token
      self.user = user
    }
  }
}
