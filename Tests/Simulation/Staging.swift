import Classroom
import JSON
import RoomShard
import SignalingClient
import SignalingProtocol

// Who may send sound and pictures, and how browsers would negotiate it.
extension Tab {
  func stageDecision(about user: String, _ random: inout Randomness) -> ConductRequest {
    switch random.int(0...5) {
    case 0, 1: .inviteToStage(user)
    case 2: .removeFromStage(user)
    default:
      .setStage(
        mode: random.pick(["open", "open", "invited"]), places: random.chance(0.5) ? random.int(0...3) : nil)
    }
  }

  /// A candidate that comes before its offer, the offer, and an answer that belongs to nothing.
  func negotiate(with target: String, from peer: String, _ random: inout Randomness) {
    if random.chance(0.1) {
      // Nobody has offered that.
      let sent = Sent(type: "stale answer", target: target, time: world.serverNow)
      return send("signal", sent) { self.write("answer", "never", -1, from: peer, to: target, into: &$0) }
    }
    // The offer overtakes the candidate, and has the lower number.
    let (offer, candidate) = (world.nextSignal(), world.nextSignal())
    let negotiation = "n\(offer)"
    // It is passed on when the offer is, which may never come.
    let held = Sent(type: "held signal", target: target, number: candidate, time: world.serverNow)
    send("signal", held) { self.write("candidate", negotiation, candidate, from: peer, to: target, into: &$0) }
    let sent = Sent(type: "signal", target: target, number: offer, time: world.serverNow)
    send("signal", sent) { self.write("offer", negotiation, offer, from: peer, to: target, into: &$0) }
  }

  private func write(
    _ kind: String, _ negotiation: String, _ number: Int64, from peer: String, to target: String,
    into writer: inout JSONWriter
  ) {
    writer.field("to", target)
    writer.field("kind", kind)
    writer.field("negotiation", negotiation)
    writer.object("payload") { writer in
      writer.field("n", number)
      writer.field("session", view.session)
      writer.field("from", peer)
      writer.field("to", target)
    }
  }
}

extension ConductView {
  /// The stage without what is said of the event around it.
  static func stage(_ view: JSONView?) -> String {
    guard let view else { return "" }
    let invited = view["invited"].map { $0.elements.compactMap(\.string) } ?? []
    return "\(view["mode"]?.string ?? "") \(view["places"]?.integer ?? -1) \(invited.joined(separator: " "))"
  }

  static func text(of stage: Stage) -> String {
    "\(stage.mode.rawValue) \(stage.places ?? -1) \(stage.invited.joined(separator: " "))"
  }
}

extension TabView {
  /// Credentials are those of the reader, and not over.
  func iceServers(_ message: JSONView) {
    let servers = message["ice_servers"].map { Array($0.elements) } ?? []
    for server in servers where server["username"]?.string?.hasSuffix(":\(user)") != true {
      report("identity", "\(user) got the credentials of \(server["username"]?.string ?? "nobody")")
    }
    guard let at = message["at"]?.integer, let made = servers.first?["username"]?.string?.split(separator: ":").first,
      let time = Int64(made)
    else { return report("form", "an ice_servers without its fields") }
    expect(time == at, "form", "credentials made at \(time) were told at \(at)")
  }
}

extension World {
  /// Nobody sends who is not on a stage for the invited.
  func checkStage(of session: String, _ stage: Stage, _ presence: Presence) {
    guard stage.mode == .invited else { return }
    for user in presence.placeHolders where presence[user]?.media != Presence.Media() {
      if !stage.invited.contains(user) { fail("stage", "\(user) sends in \(session) and is not on the stage") }
    }
  }
}

/// Credentials that say for whom and when they were made; they hold so shortly that they are renewed in every world.
struct SimulatedServers: ICEServerSource {
  var renewalMilliseconds: Int64? { 20_000 }

  func configuration(for user: String, at now: Timestamp) -> ICEConfiguration {
    ICEConfiguration(
      servers: [.init(urls: ["turn:turn.example"], username: "\(now.milliseconds):\(user)", credential: "x")],
      expiresAt: now.advanced(byMilliseconds: 30_000))
  }
}
