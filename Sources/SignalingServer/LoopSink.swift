import Bytes
import Classroom
import RoomShard
import SignalingProtocol

/// Takes what the shard releases into the loop's tick.
struct LoopSink: ShardSink {
  let loop: ServerLoop

  mutating func send(_ message: UnsafeRawBufferPointer, to connection: ConnectionID) {
    loop.finishRun()
    loop.sendText(message, to: SlotID(rawValue: connection.rawValue))
  }

  mutating func broadcast(_ message: UnsafeRawBufferPointer, to connections: [ConnectionID]) {
    loop.broadcastText(message, to: connections)
  }

  mutating func broadcastLatest(_ message: UnsafeRawBufferPointer, to connections: [ConnectionID]) {
    loop.broadcastLatest(message, to: connections)
  }

  mutating func respond(to request: RequestID, with result: Result<RoomAnswer, Refusal>) {
    loop.finishRun()
    loop.deliver(result, of: request)
  }

  mutating func publish(_ view: SessionView) {
    let old = loop.context.catalog.publish(view)
    loop.passNotices(of: view, after: old)
    loop.noteListChange(.changed(view.details.id, old: old, view: view.isHidden ? nil : view))
  }

  mutating func notify(_ notice: SessionNotice, of view: SessionView) {
    loop.noteListChange(.notice(notice, view))
  }

  mutating func relate(_ user: String, to session: String, _ relation: Relation) {
    loop.context.catalog.relate(user, to: session, relation)
  }

  mutating func retract(_ session: String) {
    let old = loop.context.catalog.retract(session)
    loop.noteListChange(.changed(session, old: old, view: nil))
    // What was deleted leaves nothing behind; of most sessions there is no file.
    loop.context.history.mailbox.post(.remove(session))
  }

  mutating func handOver(_ connection: ConnectionID) {
    loop.finishRun()
    loop.handOver(SlotID(rawValue: connection.rawValue))
  }

  mutating func close(_ connection: ConnectionID, for reason: CloseReason) {
    loop.finishRun()
    loop.close(SlotID(rawValue: connection.rawValue), for: reason)
  }
}
