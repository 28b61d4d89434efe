import Logging
import Testing

@testable import Classroom
@testable import EventLoop
@testable import Persistence
@testable import SignalingServer

@Suite("Writing snapshots")
struct SnapshotThreadTests {
  private let folder: TemporaryFolder
  private let journal: Mailbox<JournalMessage>
  private let snapshots: SnapshotThread

  init() throws {
    folder = try TemporaryFolder()
    journal = try Mailbox()
    snapshots = SnapshotThread(
      storage: try FileStorage(path: folder.path), journal: journal, logger: TestServer.silence)
  }

  /// Writes a snapshot with an entry of this session, and waits until it is done with.
  private func write(session: String) {
    snapshots.begin(coveredLSN: 7, at: Timestamp(milliseconds: 1_767_225_600_000))
    snapshots.add([
      SnapshotEntry(session: session, sequence: 1, kind: RecordKind.snapshotCore.rawValue, payload: [0x7B, 0x7D])
    ])
    snapshots.finish()
    var messages: [JournalMessage] = []
    while messages.isEmpty { _ = journal.waitAndDrain(into: &messages) }
    snapshots.didFinish()
  }

  @Test("a snapshot gets its name when it is whole")
  func whole() {
    write(session: "algebra")
    #expect(folder.names == ["snapshot-00000000000000000007.rcs"])
    #expect(!snapshots.isBusy)
  }

  @Test("a snapshot that cannot be written leaves nothing behind that takes the journal's room")
  func failed() {
    write(session: String(repeating: "x", count: 70_000))
    #expect(folder.names.isEmpty)
    #expect(!snapshots.isBusy)
  }
}
