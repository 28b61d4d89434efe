import Classroom
import JSON
import Persistence

/// A folder of any bytes is read or refused; a damaged journal gives a beginning of what was written, or is refused;
/// records that are whole and mean nothing are refused, and what means something means the same when written again.
@Sendable func fuzzJournal(_ bytes: UnsafeRawBufferPointer) throws(BrokenInvariant) {
  var choices = Choices(bytes)
  switch choices.byte() % 3 {
  case 0: try readAnything(&choices)
  case 1: try readDamaged(&choices)
  default: try readMeaning(&choices)
  }
}

private struct Collector: RecoveryConsumer {
  var records: [PendingRecord] = []

  mutating func restore(_ entry: RecordHeader, payload: RawSpan) throws(PayloadError) { add(entry, payload) }

  mutating func replay(_ record: RecordHeader, payload: RawSpan) throws(PayloadError) { add(record, payload) }

  private mutating func add(_ header: RecordHeader, _ payload: RawSpan) {
    let bytes = payload.withUnsafeBytes { Array($0) }
    records.append(
      PendingRecord(session: header.session, sequence: header.sequence, kind: header.kind, payload: bytes))
  }
}

private let segment = "journal-00000000000000000001.rcj"

private func readAnything(_ choices: inout Choices) throws(BrokenInvariant) {
  let names = [segment, "journal-00000000000000000002.rcj", "snapshot-00000000000000000000.rcs"]
  let name = names[Int(choices.byte()) % names.count]
  var found = Collector()
  _ = try? Recovery.read(MemoryStorage([name: Array(choices.rest)]), into: &found)
}

/// Opens the folder for writing.
private func open(
  _ storage: MemoryStorage, _ durability: Durability, into consumer: inout some RecoveryConsumer
) throws(RecoveryError) -> JournalWriter<MemoryStorage> {
  try Recovery.open(
    storage, segmentID: SegmentID(7, 9), now: 1_700_000_000_000, clock: { 0 }, mode: JournalMode(durability, boot: 1),
    into: &consumer
  ).takeWriter()
}

private func write(
  _ records: [PendingRecord], _ durability: Durability, batch: Int
) throws(BrokenInvariant) -> MemoryStorage {
  let storage = MemoryStorage()
  do {
    var nothing = Collector()
    var writer = try open(storage, durability, into: &nothing)
    var rest = records[...]
    while !rest.isEmpty {
      _ = try writer.append(Array(rest.prefix(batch)))
      rest = rest.dropFirst(batch)
    }
  } catch {
    throw BrokenInvariant("writing failed: \(error)")
  }
  return storage
}

private func readDamaged(_ choices: inout Choices) throws(BrokenInvariant) {
  let setting = choices.byte()
  let durability: Durability = setting & 1 == 0 ? .strict : .relaxed
  let records = (0..<Int(setting >> 4) + 1).map { index in
    PendingRecord(
      session: "s\(index % 3)", sequence: UInt64(index), kind: UInt8(index),
      payload: Array(repeating: choices.byte(), count: index * 5))
  }
  let storage = try write(records, durability, batch: 1 + Int(setting >> 1) % 4)
  var whole = Collector()
  guard (try? Recovery.read(storage, into: &whole)) != nil, whole.records == records else {
    throw BrokenInvariant("what was written was not read: \(whole.records)")
  }

  guard let file = storage.files[segment], let damaged = damage(file.bytes, &choices) else { return }
  let folder = MemoryStorage([segment: damaged])
  var read = Collector()
  guard (try? Recovery.read(folder, into: &read)) != nil else { return }
  try hold(records.starts(with: read.records), "\(read.records) is no beginning of \(records)")
  var opened = Collector()
  let isWritable = (try? open(folder, durability, into: &opened)) != nil
  var again = Collector()
  let isReadable = (try? Recovery.read(folder, into: &again)) != nil
  try hold(isWritable && isReadable, "it can be read and not opened")
  try hold(opened.records == read.records && again.records == read.records, "opening it changed it")
}

/// Changes up to eight bytes, and perhaps cuts the end off.
private func damage(_ bytes: [UInt8], _ choices: inout Choices) -> [UInt8]? {
  guard !choices.rest.isEmpty else { return nil }
  var damaged = bytes
  let cut = Int(choices.byte()) << 8 | Int(choices.byte())
  if cut % 2 == 1 { damaged.removeLast(cut / 2 % damaged.count) }
  for _ in 0..<8 where !choices.rest.isEmpty {
    let place = Int(choices.byte()) << 8 | Int(choices.byte())
    damaged[place % damaged.count] ^= choices.byte()
  }
  return damaged
}

private func readMeaning(_ choices: inout Choices) throws(BrokenInvariant) {
  var records: [PendingRecord] = []
  let lines = choices.rest.split(separator: UInt8(ascii: "\n"), maxSplits: 15, omittingEmptySubsequences: true)
  for (index, line) in lines.enumerated() {
    let record = PendingRecord(
      session: "class", sequence: UInt64(index + 1), kind: line.first.map { $0 &- UInt8(ascii: "A") } ?? 0,
      payload: Array(line.dropFirst()))
    records.append(record)
    try checkEvent(record)
  }
  guard !records.isEmpty else { return }
  let storage = try write(records, .strict, batch: 4)
  var state = RecoveredState<MemoryStorage>()
  _ = try? Recovery.read(storage, into: &state)
  for classroom in state.classrooms.values { _ = classroom.details }
}

private func checkEvent(_ record: PendingRecord) throws(BrokenInvariant) {
  guard let event = decode(record.payload, record) else { return }
  var writer = JSONWriter()
  let kind = EventCodec.encode(event, into: &writer)
  try hold(kind.rawValue == record.kind, "kind \(record.kind) became \(kind)")
  try hold(decode(writer.bytes, record) == event, "\(event) is not what was written of it")
}

private func decode(_ payload: [UInt8], _ record: PendingRecord) -> RecordedEvent? {
  var reader = JSONReader()
  return payload.withUnsafeBytes { bytes in
    guard let view = try? reader.read(bytes) else { return nil }
    return try? EventCodec.decode(view, kind: record.kind, session: record.session, sequence: record.sequence)
  }
}
