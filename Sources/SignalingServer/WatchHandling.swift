import Bytes
import Classroom
import RoomShard
import SignalingProtocol

// How clients follow the list of sessions.
extension ServerLoop {
  /// A client wants to follow the list, or does no longer.
  func watchSessions(_ isOn: Bool, as identity: Identity, id commandID: Int64?, from id: SlotID) {
    let name = ConnectionID(rawValue: id.rawValue)
    let wasOn = watch.contains(name)
    if isOn {
      watch.watch(name, as: identity)
      if !wasOn { context.catalog.watcherCount.add(1, ordering: .sequentiallyConsistent) }
    } else {
      endWatching(id)
    }
    if let commandID { say(to: id) { ServerMessage.ok(id: commandID, into: &$0) } }
  }

  /// The connection is gone, or goes into a session.
  func endWatching(_ id: SlotID) {
    guard !watch.isEmpty, watch.unwatch(ConnectionID(rawValue: id.rawValue)) else { return }
    context.catalog.watcherCount.subtract(1, ordering: .sequentiallyConsistent)
  }

  /// Something in the list changed by a session of this loop.
  func noteListChange(_ change: ListChange) {
    if context.catalog.watcherCount.load(ordering: .sequentiallyConsistent) > 0 { listChanges.append(change) }
  }

  /// Tells every loop what changed in the list.
  func passListChanges() {
    guard !listChanges.isEmpty else { return }
    let changes = listChanges
    listChanges.removeAll(keepingCapacity: true)
    for (index, mailbox) in context.mailboxes.enumerated() where index != context.index {
      mailbox.post(.listChanged(changes))
    }
    takeListChanges(changes)
  }

  func takeListChanges(_ changes: [ListChange]) {
    for change in changes {
      if let message = watch.take(change, at: now) { tellWatchers(message) }
    }
  }

  /// Tells those who follow the list what changed in an interval.
  func tellListChanges() {
    for message in watch.advance(to: now) { tellWatchers(message) }
  }

  private func tellWatchers(_ message: SessionWatch.Message) {
    message.bytes.withUnsafeBytes { bytes in
      for connection in message.to { sendText(bytes, to: SlotID(rawValue: connection.rawValue)) }
    }
  }
}
