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
  /// What the person says who they are with; a guest gets it with the first greeting.
  private(set) var token: String?

  init(label: String, identity: Identity?, session: String) {
    self.label = label
    self.identity = identity
    self.session = session
    user = identity?.user ?? ""
    token = identity.map(Credentials.token)
  }

  var isGuest: Bool { identity == nil }
  var isVisible: Bool { identity?.role != .observer }
  var isHost: Bool { identity?.role == .host }

  func greeted(_ message: JSONView) {
    guard isGuest, let token = message["guest_token"]?.string, let user = message["user"]?["id"]?.string else { return }
    if self.token == nil {
      self.token = token
      self.user = user
    }
  }
}
