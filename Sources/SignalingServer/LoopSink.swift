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
    loop.context.catalog.publish(view)
  }

  mutating func retract(_ session: String) {
    loop.context.catalog.retract(session)
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
