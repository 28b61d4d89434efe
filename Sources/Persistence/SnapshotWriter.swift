import Classroom

/// Why a snapshot was not written. The snapshots before it are untouched.
public enum SnapshotError: Error, Sendable, Equatable {
  /// The storage failed.
  case storage(StorageError)
  /// An entry takes more than 1 GiB, or its session id more than 65,535 bytes.
  case tooLarge
  /// What was written does not read back.
  case notWhole(RecoveryError)
}

/// Writes a snapshot entry by entry under a temporary name; it comes into being with ``finish()``.
///
/// Everything in it must rest on records that are durable in the journal already.
public struct SnapshotWriter<S: Storage>: ~Copyable, Sendable {
  private static var flushSize: Int { 1 << 20 }

  private let storage: S
  private let name: String
  private let file: S.File
  private let lsn: UInt64
  private var crc: UInt32
  private var entries: UInt64 = 0
  private var flushed: UInt64 = 0
  private var buffer: [UInt8]

  /// Begins a snapshot.
  /// - Parameters:
  ///   - lsn: the LSN up to which every session is covered, those without an entry too.
  ///   - now: Unix milliseconds.
  public init(_ storage: S, lsn: UInt64, now: Int64) throws(SnapshotError) {
    try self.init(storage, name: FileName.snapshot(lsn: lsn), lsn: lsn, now: now)
  }

  /// Begins a snapshot in a file of this name.
  init(_ storage: S, name: String, lsn: UInt64, now: Int64) throws(SnapshotError) {
    self.storage = storage
    self.lsn = lsn
    self.name = name
    (buffer, crc) = SnapshotHeader(lsn: lsn, createdAt: now).encoded()
    do throws(StorageError) {
      file = try storage.open(name + FileName.temporarySuffix, .replace)
    } catch {
      throw .storage(error)
    }
  }

  /// Appends one entry. `header.lsn` is the LSN up to which *this* entry covers its session, at least the snapshot's.
  public mutating func append(_ header: RecordHeader, payload: RawSpan) throws(SnapshotError) {
    guard RecordCoding.size(sessionBytes: header.session.utf8.count, payloadBytes: payload.byteCount) != nil
    else { throw .tooLarge }
    var header = header
    header.lsn = max(header.lsn, lsn)
    crc = RecordCoding.append(header, payload: payload, continuing: crc, to: &buffer)
    entries += 1
    if buffer.count >= Self.flushSize { try flush() }
  }

  /// Appends the entries of a session, one by one as they are encoded.
  mutating func append(_ classroom: Classroom) throws(SnapshotError) {
    var failure: SnapshotError?
    SnapshotCodec.encode(classroom) { kind, payload in
      guard failure == nil else { return }
      do throws(SnapshotError) {
        let header = RecordHeader(
          lsn: lsn, session: classroom.id, sequence: classroom.sequence, kind: kind.rawValue)
        try append(header, payload: payload.span.bytes)
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
  }

  /// Syncs the snapshot, reads it back, and gives it its name durably. When this throws, its temporary
  /// file is gone; a snapshot that has its name already, but perhaps not durably, is whole.
  public consuming func finish() throws(SnapshotError) {
    do throws(SnapshotError) {
      try complete()
    } catch {
      discard()
      throw error
    }
  }

  private mutating func complete() throws(SnapshotError) {
    buffer.append(contentsOf: SnapshotHeader.footer(entries: entries, continuing: crc))
    try flush()
    let temporary = name + FileName.temporarySuffix
    do throws(StorageError) {
      try storage.sync(file)
    } catch {
      throw .storage(error)
    }
    do throws(RecoveryError) {
      _ = try SnapshotReader(storage, file: temporary, expecting: lsn).verify()
    } catch {
      throw .notWhole(error)
    }
    do throws(StorageError) {
      try storage.rename(temporary, to: name)
      try storage.syncDirectory()
    } catch {
      throw .storage(error)
    }
  }

  /// Removes what was written; a failure does not matter, since temporary files are removed when the folder is opened.
  public consuming func discard() {
    try? storage.remove(name + FileName.temporarySuffix)
  }

  private mutating func flush() throws(SnapshotError) {
    do throws(StorageError) {
      try storage.write(buffer.span.bytes, to: file, at: flushed)
    } catch {
      throw .storage(error)
    }
    flushed += UInt64(buffer.count)
    buffer.removeAll(keepingCapacity: true)
  }
}
