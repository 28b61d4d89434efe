import Classroom
import Testing

@testable import RoomShard

/// Rooms that trouble comes to.
protocol StorageTroubleSetting {}

extension StorageTroubleSetting {
  func isRefused(_ message: Message?, outcome: String = "not_done") -> Bool {
    message?.type == "error" && message?.text("code") == "storage_unavailable"
      && message?.text("details.outcome") == outcome && message?.flag("retryable") == true
  }

  func isRefused(_ result: Result<RoomAnswer, Refusal>?) -> Bool {
    if case .failure(.storageUnavailable(isCertain: true))? = result { true } else { false }
  }

  /// A fixture with ada and bob present beside the host, all quiet.
  func populated() throws -> (ShardFixture, host: ConnectionID, ada: ConnectionID, bob: ConnectionID) {
    let (fixture, host) = try ShardFixture.live()
    let (ada, bob) = (fixture.join("ada"), fixture.join("bob"))
    try fixture.settle()
    for connection in [host, ada, bob] { _ = fixture.take(connection) }
    return (fixture, host, ada, bob)
  }

  /// A fixture like ``populated()`` whose room is frozen by a message of the host that was not synced.
  func frozen(
    isCertain: Bool = true, surviving: Int = 0
  ) throws -> (ShardFixture, host: ConnectionID, ada: ConnectionID, bob: ConnectionID) {
    let (fixture, host, ada, bob) = try populated()
    try fixture.send(host, #"{"type":"chat.send","text":"void"}"#)
    try fixture.failStorage(isCertain: isCertain, surviving: surviving)
    #expect(fixture.shard.frozenSessions == ["algebra"])
    for connection in [host, ada, bob] { _ = fixture.take(connection) }
    return (fixture, host, ada, bob)
  }
}
