import Classroom
import JSON
import SignalingProtocol

/// What happened to the list of sessions, as the loops tell each other.
public enum ListChange: Sendable {
  /// The session looks like `view` now, and the list showed it as `old`; nil when it is not in the list.
  case changed(String, old: SessionView?, view: SessionView?)
  /// Something that is told at once.
  case notice(SessionNotice, SessionView)
}

/// Those who follow the list of sessions without being in one: the connections of one loop.
///
/// How sessions look is told once in an interval, the newest state of each; what happens to them (a start, a reminder) at once.
/// Everybody is told of those sessions only that the list shows them.
public struct SessionWatch {
  /// How long changes are collected.
  public static let intervalMilliseconds: Int64 = 1000

  private struct Change {
    /// As the list showed it when the changes were told last.
    var old: SessionView?
    var view: SessionView?
  }

  private var watchers: [ConnectionID: Identity] = [:]
  /// In the order in which they came.
  private var order = ConnectionGroup()
  /// By id, in the order of ``changeOrder``.
  private var changes: [String: Change] = [:]
  private var changeOrder: [String] = []
  /// When the changes are told.
  public private(set) var nextDeadline: Timestamp?
  private var writer = JSONWriter(reserving: 2048)

  /// Nobody.
  public init() {}

  /// Whether nobody follows.
  public var isEmpty: Bool { watchers.isEmpty }
  public var count: Int { watchers.count }

  /// Somebody follows from here on.
  public mutating func watch(_ connection: ConnectionID, as identity: Identity) {
    watchers[connection] = identity
    order.insert(connection)
  }

  /// Somebody follows no longer, or is gone.
  /// - Returns: whether that was one who did.
  @discardableResult
  public mutating func unwatch(_ connection: ConnectionID) -> Bool {
    guard watchers.removeValue(forKey: connection) != nil else { return false }
    order.remove(connection)
    if watchers.isEmpty {
      changes = [:]
      changeOrder = []
      nextDeadline = nil
    }
    return true
  }

  /// Whether somebody follows.
  public func contains(_ connection: ConnectionID) -> Bool { watchers[connection] != nil }

  /// A message, and those who are told it.
  public typealias Message = (bytes: [UInt8], to: [ConnectionID])

  /// Takes in what happened.
  /// - Returns: what is to be told at once.
  public mutating func take(_ change: ListChange, at now: Timestamp) -> Message? {
    guard !watchers.isEmpty else { return nil }
    switch change {
    case .changed(let session, let old, let view):
      if changes[session] == nil {
        changes[session] = Change(old: old)
        changeOrder.append(session)
      }
      changes[session]?.view = view
      if nextDeadline == nil { nextDeadline = now.advanced(byMilliseconds: Self.intervalMilliseconds) }
      return nil
    case .notice(let notice, let view): return message(of: notice, of: view)
    }
  }

  private mutating func message(of notice: SessionNotice, of view: SessionView) -> Message? {
    let session = view.details.id
    writer.removeAll()
    var isForMembers = false
    switch notice {
    case .status(let change, let user, let time):
      ServerMessage.sessionStatus(change, session: session, by: user, sequence: nil, at: time, into: &writer)
    case .starting(let text, let user, let time):
      ServerMessage.starting(text: text, session: session, by: user, sequence: nil, at: time, into: &writer)
    case .reminder(let minutes, let time):
      isForMembers = true
      ServerMessage.reminder(minutes: minutes, of: view, at: time, into: &writer)
    }
    let receivers = order.members.filter { connection in
      watchers[connection].map { view.isListed(for: $0) && (!isForMembers || view.concerns($0)) } ?? false
    }
    return receivers.isEmpty ? nil : (writer.bytes, receivers)
  }

  /// Tells what has changed, when it is time: to each one message with all of it.
  public mutating func advance(to now: Timestamp) -> [Message] {
    guard let deadline = nextDeadline, deadline <= now else { return [] }
    nextDeadline = nil
    let pieces = changeOrder.compactMap { session in
      changes[session].map { change in
        writer.removeAll()
        if let view = change.view { ServerMessage.writeListed(view, into: &writer) }
        return Piece(id: session, change: change, bytes: writer.bytes)
      }
    }
    changes.removeAll(keepingCapacity: true)
    changeOrder.removeAll(keepingCapacity: true)
    return order.members.compactMap { connection in
      watchers[connection].flatMap { message(of: pieces, to: $0, at: now) }.map { ($0, [connection]) }
    }
  }

  /// A change with the session as it is written for everybody.
  private struct Piece {
    var id: String
    var change: Change
    var bytes: [UInt8]
  }

  private mutating func message(of pieces: [Piece], to identity: Identity, at now: Timestamp) -> [UInt8]? {
    let shown = pieces.filter { $0.change.view?.isListed(for: identity) ?? false }
    // Nobody learns of what was never shown.
    let gone = pieces.filter { piece in
      piece.change.view?.isListed(for: identity) != true && piece.change.old?.isListed(for: identity) ?? false
    }
    guard !shown.isEmpty || !gone.isEmpty else { return nil }
    writer.removeAll()
    ServerMessage.beginEvent("sessions.changed", at: now, into: &writer)
    writer.array("sessions") { writer in
      for piece in shown { writer.raw(piece.bytes) }
    }
    writer.array("removed") { writer in
      for piece in gone { writer.string(piece.id) }
    }
    writer.endObject()
    return writer.bytes
  }
}
