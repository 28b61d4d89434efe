import Classroom
import SignalingProtocol
import Testing

@testable import RoomShard

/// What a client says that has got `joined` and what came after it.
func resume(
  _ joined: Message, room: Int64? = nil, signals: Int64? = nil, epoch: String? = nil, token: String? = nil
) throws -> ClientMessage.Resume {
  ClientMessage.Resume(
    token: try token ?? #require(joined.text("resume_token")), epoch: try epoch ?? #require(joined.text("epoch")),
    room: UInt64(try room ?? #require(joined.int("streams.room"))),
    signalSequence: UInt64(signals ?? joined.int("signal_seq") ?? 0))
}

extension ShardFixture {
  func takeJoined(_ connection: ConnectionID) throws -> Message {
    try #require(take(connection, "session.joined").last)
  }

  func say(_ connection: ConnectionID, _ texts: some Sequence<String>) throws {
    for text in texts { try send(connection, #"{"type":"chat.send","text":"\#(text)"}"#) }
    try sync()
  }

  func signal(_ connection: ConnectionID, to peer: String, _ numbers: some Sequence<Int>) throws {
    for number in numbers {
      try send(connection, #"{"type":"signal","to":"\#(peer)","kind":"candidate","payload":\#(number)}"#)
    }
    try release()
  }

  func resume(
    _ user: String, _ resume: ClientMessage.Resume, mode: PresenceMode = .full, on connection: ConnectionID? = nil
  ) -> ConnectionID {
    join(Self.identity(user), mode: mode, on: connection, resume: resume)
  }
}
