import Classroom
import EventLoop

/// One-time tickets: HTTP hands them out, a socket's `hello` takes them.
final class TicketOffice: Sendable {
  /// How long a ticket is good for.
  static let lifetimeMilliseconds: Int64 = 30_000

  private struct Ticket {
    var identity: Identity
    var expiresAt: Timestamp
  }

  private struct State {
    var tickets: [String: Ticket] = [:]
    var nextSweep = Timestamp(milliseconds: 0)
  }

  private let state = Locked(State())

  /// A new ticket for this identity.
  func issue(_ identity: Identity, at now: Timestamp) -> String {
    let name = Identifiers.random(bits: 160)
    let ticket = Ticket(identity: identity, expiresAt: now.advanced(byMilliseconds: Self.lifetimeMilliseconds))
    state.withLock { state in
      if now >= state.nextSweep {
        state.tickets = state.tickets.filter { $0.value.expiresAt > now }
        state.nextSweep = now.advanced(byMilliseconds: Self.lifetimeMilliseconds)
      }
      state.tickets[name] = ticket
    }
    return name
  }

  /// The identity of a ticket, which is then used up; nil for a ticket that is unknown, used or too old. The identity ends
  /// with the token that the ticket was given for, and so does the ticket.
  func redeem(_ name: String, at now: Timestamp) -> Identity? {
    state.withLock { state in
      guard let ticket = state.tickets.removeValue(forKey: name), ticket.expiresAt > now,
        ticket.identity.expiresAt > now
      else { return nil }
      return ticket.identity
    }
  }
}
