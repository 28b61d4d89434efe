import Classroom
import EventLoop
import Synchronization

/// The list of all sessions: a read model that the loops feed, behind the same barrier as everything else.
final class Catalog: Sendable {
  struct Page: Sendable {
    var sessions: [SessionView] = []
    /// Where the next page begins; nil when there is none.
    var next: SlotPosition?
  }

  private let index = Locked(SessionIndex())
  /// How many connections of all loops follow the list.
  let watcherCount = Atomic<Int>(0)

  /// How many sessions there are.
  var count: Int { index.withLock { $0.count } }

  /// Takes in how a session looks now.
  /// - Returns: how it looked before; nil when it was not in the list.
  @discardableResult
  func publish(_ view: SessionView) -> SessionView? {
    // Its host and administrators know where it is.
    index.withLock { view.isHidden ? $0.remove(view.details.id) : $0.update(view) }
  }

  /// A session does not exist any more.
  /// - Returns: how it looked before; nil when it was not in the list.
  @discardableResult
  func retract(_ session: String) -> SessionView? { index.withLock { $0.remove(session) } }

  /// Somebody has this to do with a session from now on, and nothing else.
  func relate(_ user: String, to session: String, _ relation: Relation) {
    index.withLock { $0.relate(user, to: session, relation) }
  }

  /// What a user was told of all sessions, the newest first.
  func notifications(for identity: Identity) -> [Notification] { index.withLock { $0.notifications(for: identity) } }

  /// The sessions that fit and that this identity may know of.
  func page(_ filter: SessionFilter, for identity: Identity) -> Page {
    var sessions = index.withLock { $0.sessions(filter, for: identity) }
    guard sessions.count > filter.limit else { return Page(sessions: sessions) }
    sessions.removeLast()
    return Page(sessions: sessions, next: sessions.last.map(SlotPosition.init))
  }
}

extension SlotPosition {
  init(_ view: SessionView) {
    self.init(time: view.details.scheduledAt.milliseconds, id: view.details.id)
  }
}
