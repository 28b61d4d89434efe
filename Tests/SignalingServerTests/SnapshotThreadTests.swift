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
  private let snapshots: SnapshotThread<FailingStorage>
  private let faults = DiskFaults()

  init() throws {
    folder = try TemporaryFolder()
    journal = try Mailbox()
    let storage = FailingStorage(base: try FileStorage(path: folder.path), faults: faults)
    snapshots = SnapshotThread(storage: storage, journal: journal, logger: TestServer.silence)
  }

  private func classroom() throws -> Classroom {
    let now = Timestamp(milliseconds: 1_767_225_600_000)
    let details = try SessionDraft(title: "T").validated(id: "algebra", roomName: "r", host: "h", at: now)
    return try #require(Classroom(Classroom.creation(details, epoch: "e", by: "h")))
  }

  /// Waits until the thread is done.
  /// - Returns: whether it says that the snapshot is there.
  private func end() -> Bool {
    var messages: [JournalMessage] = []
    while messages.isEmpty { _ = journal.waitAndDrain(into: &messages) }
    snapshots.didFinish()
    if case .snapshotFinished(let succeeded, _) = messages[0] { return succeeded }
    return false
  }

  @Test("a snapshot gets its name when it is whole")
  func whole() throws {
    #expect(snapshots.begin(coveredLSN: 7, at: Timestamp(milliseconds: 0)))
    snapshots.add([.classroom(try classroom())])
    snapshots.finish()
    #expect(end())
    #expect(folder.names == ["snapshot-00000000000000000007.rcs"])
    #expect(!snapshots.isBusy)
  }

  @Test("a snapshot that cannot be written leaves nothing behind that takes the journal's room")
  func failed() throws {
    faults.failWrites(28)
    #expect(snapshots.begin(coveredLSN: 7, at: Timestamp(milliseconds: 0)))
    snapshots.add([.classroom(try classroom())])
    snapshots.finish()
    #expect(!end())
    #expect(folder.names.isEmpty)
    #expect(!snapshots.isBusy)
  }

  @Test("a snapshot that is given up leaves nothing behind")
  func abandoned() throws {
    #expect(snapshots.begin(coveredLSN: 7, at: Timestamp(milliseconds: 0)))
    snapshots.add([.classroom(try classroom())])
    snapshots.abandon()
    #expect(!end())
    #expect(folder.names.isEmpty)
  }
}
