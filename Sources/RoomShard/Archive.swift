import Classroom
import SignalingProtocol

/// What stays in memory of a session that is over and lies in the archive.
public struct ArchiveStub: Sendable, Equatable {
  public var view: SessionView
  /// The number of the session's last event.
  public var sequence: UInt64

  /// A stub of these facts.
  public init(view: SessionView, sequence: UInt64) {
    self.view = view
    self.sequence = sequence
  }
}

// Sessions that are over leave memory, and come back when somebody asks.
extension RoomShard {
  /// The sessions that may be moved to the archive, sorted: over for a while, nobody connected, everything synced.
  public func archivable(at now: Timestamp) -> [String] { [] }

  /// The archive has this session up to the event of that number. It leaves memory, unless somebody came or something
  /// happened meanwhile.
  public func didArchive(_ session: String, sequence: UInt64) {}

  /// The sessions in the archive, loaded for a while or not, sorted by id.
  public var archived: [ArchiveStub] { stubs.values.sorted { $0.view.details.id < $1.view.details.id } }

  /// The stub of a session in the archive, loaded for a while or not.
  public func archived(_ session: String) -> ArchiveStub? { stubs[session] }

  /// Puts the stub of an archived session back as the snapshot kept it.
  public func restoreArchived(_ stub: ArchiveStub) { stubs[stub.view.details.id] = stub }

  /// The archived sessions that somebody has asked for since the last call, in order; each is to be answered with
  /// ``didLoad(_:at:)`` or ``didFailToLoad(_:at:)``.
  public func takeLoads() -> [String] { [] }

  /// A session is back from the archive: what was asked of it is done now.
  public func didLoad(_ classroom: Classroom, at now: Timestamp) {}

  /// A session cannot be read from the archive: who asked for it is told that the storage is unavailable.
  public func didFailToLoad(_ session: String, at now: Timestamp) {}

  /// The archive no longer has the session: it does not exist any more, and the catalog hears so.
  /// - Returns: whether it is forgotten: false for one that is not in the archive, or that somebody is in.
  @discardableResult
  public func forget(_ session: String, at now: Timestamp) -> Bool { false }
}
