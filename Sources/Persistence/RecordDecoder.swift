import Classroom
import JSON

/// What a journal record says.
enum DecodedRecord: Sendable {
  /// The server was alive.
  struct Alive: Sendable {
    var at: Timestamp
    var isGoodbye: Bool
  }

  /// Nil is a record that says nothing.
  case alive(Alive?)
  case event(RecordedEvent)
}

/// Makes events of the payloads of records, with a JSON reader whose memory is allocated once.
final class RecordDecoder {
  /// Payloads are at most this deep.
  private static let maximumDepth = 8

  private var reader = JSONReader()

  /// Reads one payload; `body` must not let the view escape.
  func read(_ payload: RawSpan, _ body: (JSONView) throws(PayloadError) -> Void) throws(PayloadError) {
    try payload.withUnsafeBytes { bytes throws(PayloadError) in
      let view: JSONView
      do throws(JSONError) {
        view = try reader.read(bytes, maximumDepth: Self.maximumDepth)
      } catch {
        throw PayloadError("not JSON")
      }
      try body(view)
    }
  }

  /// Reads a record of the journal.
  func decode(_ record: RecordHeader, payload: RawSpan) throws(PayloadError) -> DecodedRecord {
    var decoded: DecodedRecord?
    try read(payload) { view throws(PayloadError) in
      if record.kind == RecordKind.alive.rawValue {
        decoded = .alive(Self.alive(view))
        return
      }
      do throws(UnreadableRecord) {
        decoded = .event(
          try EventCodec.decode(view, kind: record.kind, session: record.session, sequence: record.sequence))
      } catch {
        throw PayloadError("field \(error.field)")
      }
    }
    guard let decoded else { throw PayloadError("not read") }
    return decoded
  }

  static func alive(_ view: JSONView) -> DecodedRecord.Alive? {
    guard let milliseconds = view["at"]?.integer else { return nil }
    return DecodedRecord.Alive(
      at: Timestamp(milliseconds: milliseconds), isGoodbye: view["clean"]?.boolean ?? false)
  }
}
