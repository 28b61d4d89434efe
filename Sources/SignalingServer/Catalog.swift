import Classroom
import EventLoop

/// The list of all sessions: a read model that the loops feed, behind the same barrier as everything else.
final class Catalog: Sendable {
  /// Where a page begins: after this entry.
  struct Cursor: Comparable, Sendable {
    var scheduledAt: Timestamp
    var id: String

    /// Newest first, then by id.
    static func < (left: Cursor, right: Cursor) -> Bool {
      left.scheduledAt != right.scheduledAt ? left.scheduledAt > right.scheduledAt : left.id < right.id
    }

    init(_ view: SessionView) {
      scheduledAt = view.details.scheduledAt
      id = view.details.id
    }

    /// Reads a cursor that ``text`` wrote.
    init?(_ text: String) {
      guard let dot = text.firstIndex(of: "."), let milliseconds = Int64(text[..<dot]) else { return nil }
      id = String(text[text.index(after: dot)...])
      guard SessionID.isValid(id) else { return nil }
      scheduledAt = Timestamp(milliseconds: milliseconds)
    }

    var text: String { "\(scheduledAt.milliseconds).\(id)" }
  }

  struct Page: Sendable {
    var sessions: [SessionView] = []
    var next: Cursor?
  }

  private struct State {
    var views: [String: SessionView] = [:]
    var order: [Cursor] = []

    func position(of cursor: Cursor) -> Int {
      var low = 0
      var high = order.count
      while low < high {
        let middle = low + (high - low) / 2
        if order[middle] < cursor { low = middle + 1 } else { high = middle }
      }
      return low
    }
  }

  private let state = Locked(State())

  /// Takes in how a session looks now.
  func publish(_ view: SessionView) {
    state.withLock { state in
      let cursor = Cursor(view)
      if let old = state.views[cursor.id].map(Cursor.init), old != cursor {
        state.order.remove(at: state.position(of: old))
        state.views[cursor.id] = nil
      }
      if state.views.updateValue(view, forKey: cursor.id) == nil {
        state.order.insert(cursor, at: state.position(of: cursor))
      }
    }
  }

  /// A session does not exist any more.
  func retract(_ session: String) {
    state.withLock { state in
      guard let view = state.views.removeValue(forKey: session) else { return }
      state.order.remove(at: state.position(of: Cursor(view)))
    }
  }

  /// The sessions that this identity may know of, in this state if one is named, after the cursor.
  func page(for identity: Identity, status: SessionStatus?, after cursor: Cursor?, limit: Int) -> Page {
    state.withLock { state in
      var page = Page()
      var index = cursor.map(state.position(of:)) ?? 0
      if let cursor, index < state.order.count, state.order[index] == cursor { index += 1 }
      while index < state.order.count {
        let entry = state.order[index]
        index += 1
        guard let view = state.views[entry.id], status == nil || view.status == status,
          Self.isListed(view, for: identity)
        else { continue }
        if page.sessions.count == limit {
          page.next = page.sessions.last.map(Cursor.init)
          break
        }
        page.sessions.append(view)
      }
      return page
    }
  }

  private static func isListed(_ view: SessionView, for identity: Identity) -> Bool {
    if let granted = identity.session { return granted == view.details.id }
    return identity.isAdministrator || identity.user == view.details.host && !identity.isGuest
      || view.details.visibility == .listed && !identity.isGuest
  }
}
