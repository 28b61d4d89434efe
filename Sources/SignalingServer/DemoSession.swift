import Classroom
import RoomShard

/// Why there is no demo session.
public enum DemoFailure: Error, CustomStringConvertible {
  case refused(Refusal)
  case noAnswer

  public var description: String {
    switch self {
    case .refused(let refusal): "the demo session was refused: \(refusal)"
    case .noAnswer: "the demo session was not made in time"
    }
  }
}

extension Server {
  /// A class to try the server with.
  public struct Demo: Sendable {
    public var session: String
    /// Makes its bearer the teacher, for a day.
    public var hostToken: String
  }

  /// The demo class that is not over yet, or a new one; whoever has the link may come in as a guest.
  public func makeDemoSession() throws(DemoFailure) -> Demo {
    let now = clock.now
    let host = Identity(
      user: "demo-teacher", name: "Teacher", role: .host, session: nil, isGuest: false,
      expiresAt: now.advanced(byMilliseconds: 86_400_000))
    var number = 1
    while true {
      let session = number == 1 ? "demo" : "demo-\(number)"
      if try isUsable(session, host: host) {
        return Demo(session: session, hostToken: authority.issue(host, at: now))
      }
      number += 1
    }
  }

  private func isUsable(_ session: String, host: Identity) throws(DemoFailure) -> Bool {
    var draft = SessionDraft(title: "Demo class")
    draft.instructor = host.name
    draft.admission = .open
    draft.allowsGuests = true
    let creation = RoomRequest.create(
      draft, id: session, roomName: "\(session)_\(Identifiers.random(bits: 128))",
      epoch: Identifiers.epoch(), key: nil)
    switch try ask(creation, session: session, identity: host) {
    case .success: return true
    case .failure(.sessionExists): break
    case .failure(let refusal): throw .refused(refusal)
    }
    guard case .success(.session(let view, _)) = try ask(.read, session: session, identity: host) else { return false }
    return !view.status.isOver
  }

  private func ask(
    _ request: RoomRequest, session: String, identity: Identity
  ) throws(DemoFailure) -> Result<RoomAnswer, Refusal> {
    guard let answer = ask(request, session: session, identity: identity, timeoutMilliseconds: 10_000) else {
      throw .noAnswer
    }
    return answer
  }
}
