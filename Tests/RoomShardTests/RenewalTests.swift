import Classroom
import RoomShard
import Testing

/// New tokens of those who are connected, as a room judges them.
@Suite("Renewing")
struct RenewalTests {
  private let fixture = ShardFixture()

  private func renew(_ identity: Identity, on connection: ConnectionID, id: Int64? = 7) -> Bool {
    fixture.shard.renew(identity, id: id, guestToken: nil, from: connection)
  }

  private func start() throws {
    fixture.create()
    fixture.request(.start(key: nil), by: ShardFixture.identity("emmy", .host))
    try fixture.sync()
  }

  @Test("who has the same role goes on, and the answer waits for nothing but its turn")
  func sameRole() throws {
    try start()
    let ada = fixture.join("ada")
    try fixture.sync()
    #expect(renew(ShardFixture.identity("ada"), on: ada))
    try fixture.release()
    #expect(fixture.closed[ada] == nil)
  }

  @Test("who has another role is answered, then sent away to resume with it")
  func otherRole() throws {
    try start()
    let ada = fixture.join(ShardFixture.identity("ada", .participant, session: "algebra"))
    try fixture.sync()
    #expect(renew(ShardFixture.identity("ada", .cohost, session: "algebra"), on: ada))
    try fixture.release()
    #expect(fixture.closed[ada] == .roleChanged)
    #expect(!renew(ShardFixture.identity("ada"), on: ada), "it is on its way out")
  }

  @Test("who may not be in the session any more keeps the earlier token")
  func otherSession() throws {
    try start()
    let ada = fixture.join(ShardFixture.identity("ada", .participant, session: "algebra"))
    try fixture.sync()
    #expect(!renew(ShardFixture.identity("ada", .participant, session: "biology"), on: ada))
    try fixture.release()
    #expect(fixture.closed[ada] == nil)
  }

  @Test("who knocks goes on knocking, and comes back to wait when the new token lets in")
  func knocking() throws {
    fixture.create(admission: .approval, hasWaitingRoom: true)
    try fixture.sync()
    let bo = fixture.join("bo")
    try fixture.sync()
    #expect(renew(ShardFixture.identity("bo"), on: bo))
    try fixture.release()
    #expect(fixture.closed[bo] == nil)
    #expect(renew(ShardFixture.identity("bo", .participant, session: "algebra"), on: bo))
    try fixture.release()
    #expect(fixture.closed[bo] == .roleChanged)
  }

  @Test("who is in by a token for the session is not put out to knock by one without it: that one is refused")
  func insideWithoutGrant() throws {
    fixture.create(admission: .approval, hasWaitingRoom: true)
    fixture.request(.start(key: nil), by: ShardFixture.identity("emmy", .host))
    try fixture.sync()
    let bo = fixture.join(ShardFixture.identity("bo", .participant, session: "algebra"))
    try fixture.sync()
    #expect(!renew(ShardFixture.identity("bo"), on: bo))
    try fixture.release()
    #expect(fixture.closed[bo] == nil)
  }

  @Test("who is in no session renews too")
  func outside() throws {
    #expect(renew(ShardFixture.identity("ada"), on: fixture.newConnection()))
  }

  @Test("while the disk has failed a token can be renewed: nobody is put out for that")
  func storageTrouble() throws {
    try start()
    let ada = fixture.join("ada")
    try fixture.sync()
    let bo = fixture.join("bo")
    try fixture.failStorage()
    #expect(renew(ShardFixture.identity("ada"), on: ada) && fixture.closed[ada] == nil)
    _ = bo
  }
}
