import Classroom
import JSON
import Persistence

/// The records of a journal, one on each line.
public struct RecordListing: JournalConsumer {
  private let asJSON: Bool
  private var next: UInt64
  private let last: UInt64
  private let emit: (String) -> Void

  /// How often the reading is begun anew when a running server removes a segment meanwhile.
  private static let attempts = 5

  /// Gives `emit` a line for each record whose LSN is in `range`, as far as the journal still has them.
  ///
  /// Of a running server the records may end a moment ago. When this throws, the records before the damage have been given.
  public static func list<S: Storage>(
    _ storage: S, in range: ClosedRange<UInt64>, asJSON: Bool, emit: @escaping (String) -> Void
  ) throws(RecoveryError) {
    var next = range.lowerBound
    for attempt in 1...attempts {
      var listing = RecordListing(asJSON: asJSON, next: next, last: range.upperBound, emit: emit)
      do throws(RecoveryError) {
        return try listing.read(storage)
      } catch {
        guard attempt < attempts, error.mayBeRemoval else { throw error }
        next = listing.next
      }
    }
  }

  private mutating func read<S: Storage>(_ storage: S) throws(RecoveryError) {
    let first: UInt64?
    do throws(StorageError) {
      first = try storage.list().compactMap { name in
        if case .segment(let lsn) = FolderFile(name) { lsn } else { nil }
      }.min()
    } catch {
      throw .storage(error)
    }
    guard let first else { return }
    let covered = try SnapshotStore(storage).newestWhole().whole?.coveredLSN ?? 0
    var reader = JournalReader(storage)
    _ = try reader.read(after: max(first, next) - 1, coveredLSN: covered, into: &self)
  }

  private init(asJSON: Bool, next: UInt64, last: UInt64, emit: @escaping (String) -> Void) {
    self.asJSON = asJSON
    self.next = next
    self.last = last
    self.emit = emit
  }

  public mutating func replay(_ record: RecordHeader, payload: RawSpan) {
    guard (next...).contains(record.lsn), record.lsn <= last else { return }
    next = record.lsn + 1
    let kind = RecordKind(rawValue: record.kind).map { "\($0)" } ?? "kind \(record.kind)"
    var reader = JSONReader()
    payload.withUnsafeBytes { bytes in
      let view: JSONView?
      do throws(JSONError) {
        view = try reader.read(bytes)
      } catch {
        view = nil
      }
      let time = view?["at"]?.integer.map(Figures.time)
      if asJSON {
        emit(
          InspectionLines.line("record") {
            $0.field("lsn", record.lsn)
            $0.field("session", record.session)
            $0.field("seq", record.sequence)
            $0.field("kind", kind)
            $0.field("at", time)
            if let view { $0.field("payload", raw: view.raw) } else { $0.field("payload_bytes", bytes.count) }
          })
      } else {
        let place = record.session.isEmpty ? "" : "\(PrintableText.escaped(record.session))#\(record.sequence)  "
        let content =
          view.map { PrintableText.escaped(json: Array($0.raw)) } ?? "\(bytes.count) bytes that are not JSON"
        emit("\(record.lsn)  \(time ?? "-")  \(place)\(kind)  \(content)")
      }
    }
  }
}

extension RecoveryError {
  /// Whether a running server that removes what it needs no more can be the cause.
  fileprivate var mayBeRemoval: Bool {
    switch self {
    case .storage(let error): error.isNotFound
    case .missingRecords, .missingJournal: true
    default: false
    }
  }
}
