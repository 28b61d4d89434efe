import Bytes
import Classroom
import EventLoop
import RoomShard
import SignalingProtocol
import Tokens

// Who a client is, and for how long.
extension ServerLoop {
  // MARK: Checking

  /// Who the bearer of a token is. What is refused is counted by its reason.
  func verify(_ token: String) throws(ProtocolError) -> Identity { try open(token).identity }

  private func open(_ token: String) throws(ProtocolError) -> TokenAuthority.Verified {
    let time = timeOfDay
    do throws(TokenRefusal) {
      var verified = try context.authority.open(token, at: time)
      // From here on the server's own clock counts.
      verified.identity.expiresAt = verified.identity.expiresAt.advanced(byMilliseconds: now.milliseconds(since: time))
      figures.count(.tokensTaken)
      return verified
    } catch {
      throw refused(error)
    }
  }

  private func refused(_ refusal: TokenRefusal) -> ProtocolError {
    if refusal.reason == .key, context.keyRefresh?.isAwaited() == true {
      var error = ProtocolError(.unavailable, "The keys that check tokens are being fetched: try again.")
      error.retryAfterMilliseconds = 1000
      return error
    }
    figures.count(refusal.reason)
    return refusal.protocolError
  }

  /// What those who issue tokens go by. The server's own clock keeps its pace when the time of day is set; in a test that
  /// turns the clock the two are the same.
  private var timeOfDay: Timestamp {
    guard context.configuration.manualClock == nil else { return now }
    let time = Timestamp(milliseconds: WallClock.milliseconds())
    // A tick is not an instant: what is nearly the same is the same.
    return abs(time.milliseconds(since: now)) < Self.clockTolerance ? now : time
  }

  private static var clockTolerance: Int64 { 2000 }

  // MARK: Greeting

  func greet(_ hello: ClientMessage.Hello, id commandID: Int64?, from id: SlotID) {
    var guestToken: String?
    var identity: Identity
    do throws(ProtocolError) {
      (identity, guestToken) = try holder(of: hello)
    } catch {
      complain(error, id: commandID, to: id)
      close(id, for: error.code == .unavailable ? .tryAgainLater : .badToken)
      return
    }
    guard let connection = connections.pointer(to: id) else { return }
    connection.pointee.webSocket?.identity = identity
    connection.pointee.webSocket?.userRate = context.userRates.enter(identity.user, at: microsecondsNow)
    connection.pointee.deadline = monotonicNow + silence
    watchToken(of: id)
    say(to: id) {
      ServerMessage.ready(
        id: commandID, identity: identity, connection: "c\(Identifiers.random(bits: 80))", guestToken: guestToken,
        at: now, into: &$0)
    }
  }

  private func holder(of hello: ClientMessage.Hello) throws(ProtocolError) -> (Identity, guestToken: String?) {
    switch hello {
    case .token(let token): return guest(try open(token))
    case .ticket(let ticket):
      guard let identity = context.tickets.redeem(ticket, at: now) else {
        throw refused(TokenRefusal(.ticket, "The ticket is unknown, used or too old."))
      }
      return guest(TokenAuthority.Verified(identity: identity, isOwn: false))
    case .guest(let name):
      let identity = Identity(
        user: "guest-\(Identifiers.random(bits: 80))", name: name, role: .participant, session: nil, isGuest: true,
        expiresAt: now)
      return guest(TokenAuthority.Verified(identity: identity, isOwn: true))
    }
  }

  /// Gives a guest the token to come back with. Our own guests stay the same as long as they keep coming back; those of a
  /// platform as long as it says.
  private func guest(_ verified: TokenAuthority.Verified) -> (Identity, guestToken: String?) {
    var identity = verified.identity
    guard identity.isGuest else { return (identity, nil) }
    let isBounded = !verified.isOwn || identity.session != nil
    if !isBounded {
      identity.expiresAt = now.advanced(byMilliseconds: context.configuration.guestTokenMilliseconds)
    }
    var claimed = identity
    claimed.expiresAt = claimed.expiresAt.advanced(byMilliseconds: timeOfDay.milliseconds(since: now))
    return (identity, context.authority.issue(claimed, isBounded: isBounded, at: timeOfDay))
  }

  // MARK: Renewing

  /// A client brings a new token of the same user. What it gives is judged anew, as for a join.
  func renew(_ token: String, id commandID: Int64?, from id: SlotID) {
    guard let current = connections.pointer(to: id)?.pointee.webSocket?.identity else { return }
    var identity: Identity
    var guestToken: String?
    do throws(ProtocolError) {
      let verified = try open(token)
      guard verified.identity.user == current.user, verified.identity.isGuest == current.isGuest else {
        throw refused(TokenRefusal(.user, "The token is of somebody else."))
      }
      (identity, guestToken) = guest(verified)
    } catch {
      complain(error, id: commandID, to: id)
      return
    }
    guard
      shard.renew(
        identity, id: commandID, guestToken: guestToken, from: ConnectionID(rawValue: id.rawValue)),
      let connection = connections.pointer(to: id)
    else { return }
    figures.count(.tokensRenewed)
    connection.pointee.webSocket?.identity = identity
    connection.pointee.webSocket?.isTokenWarned = false
    watchToken(of: id)
  }

  // MARK: Expiring

  /// Has the sweep look at the connection when its token is about to expire, and when it has.
  func watchToken(of id: SlotID) {
    guard let connection = connections.pointer(to: id), let state = connection.pointee.webSocket,
      let identity = state.identity
    else { return }
    let warning = context.configuration.tokenWarningMilliseconds
    let wait = identity.expiresAt.milliseconds(since: now) - (state.isTokenWarned || warning == 0 ? 0 : warning)
    connection.pointee.tokenDeadline = monotonicNow + max(0, wait)
  }

  /// The token of a connection is about to expire, or has.
  func noteTokenDeadline(of id: SlotID) {
    guard let connection = connections.pointer(to: id) else { return }
    connection.pointee.tokenDeadline = .max
    guard let state = connection.pointee.webSocket, let identity = state.identity, state.machine.isOpen,
      !connection.pointee.isLingering
    else { return }
    guard now < identity.expiresAt else {
      close(id, for: .tokenExpired)
      return
    }
    connection.pointee.webSocket?.isTokenWarned = true
    say(to: id) { ServerMessage.tokenExpiring(identity.expiresAt, at: now, into: &$0) }
    watchToken(of: id)
  }
}

extension TokenAuthority {
  /// The id of the session that a user makes with an idempotency key: always the same, and nobody else can tell it.
  func sessionID(user: String, key: String) -> String {
    Identifiers.name(of: sessionCode(user: user, key: key).prefix(26))
  }
}
