import Classroom
import JSON
import Persistence

/// The records of a journal, one on each line.
public struct RecordListing: JournalConsumer {
  private let asJSON: Bool
  private let last: UInt64
  private let emit: (String) -> Void

  /// Gives `emit` a line for each record whose LSN is in `range`, as far as the journal still has them.
  ///
  /// Of a running server the records may end a moment ago. When this throws, the records before the damage have been given.
  public static func list<S: Storage>(
    _ storage: S, in range: ClosedRange<UInt64>, asJSON: Bool, emit: @escaping (String) -> Void
  ) throws(RecoveryError) {
    let first: UInt64?
    let covered: UInt64
    do throws(StorageError) {
      first = try storage.list().compactMap { name in
        if case .segment(let lsn) = FolderFile(name) { lsn } else { nil }
      }.min()
    } catch {
      throw .storage(error)
    }
    covered = try SnapshotStore(storage).newestWhole().whole?.coveredLSN ?? 0
    guard let first else { return }
    var listing = RecordListing(asJSON: asJSON, last: range.upperBound, emit: emit)
    var reader = JournalReader(storage)
    _ = try reader.read(after: max(first, range.lowerBound) - 1, coveredLSN: covered, into: &listing)
  }

  private init(asJSON: Bool, last: UInt64, emit: @escaping (String) -> Void) {
    self.asJSON = asJSON
    self.last = last
    self.emit = emit
  }

  public mutating func replay(_ record: RecordHeader, payload: RawSpan) {
    guard record.lsn <= last else { return }
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
