import Classroom
import DequeModule

/// The records that are not synced, as long as that is so: when the storage fails, they tell what has to be taken back.
struct UnsyncedRecords {
  /// In order; the last one has the position ``position``.
  private var events: Deque<RecordedEvent> = []
  private var position: UInt64 = 0
  /// Who was present when a session ended.
  private var ends: Deque<(position: UInt64, session: String, presence: Presence)> = []
  /// How people behaved in a session before the records that end at the position.
  private var conducts: Deque<(position: UInt64, session: String, conduct: Conduct)> = []

  mutating func note(_ new: [RecordedEvent], through position: UInt64) {
    events.append(contentsOf: new)
    self.position = position
  }

  mutating func noteEnd(of session: String, presence: Presence) {
    ends.append((position, session, presence))
  }

  mutating func note(_ conduct: Conduct, of session: String, through position: UInt64) {
    conducts.append((position, session, conduct))
  }

  /// What is synced up to there need not be remembered.
  mutating func forget(through synced: UInt64) {
    let kept = Int(clamping: position - min(synced, position))
    if events.count > kept { events.removeFirst(events.count - kept) }
    while let end = ends.first, end.position <= synced { ends.removeFirst() }
    while let first = conducts.first, first.position <= synced { conducts.removeFirst() }
  }

  /// Takes everything out.
  mutating func takeAll() -> (
    events: [String: [RecordedEvent]], presenceAtEnd: [String: Presence], conducts: [String: Conduct]
  ) {
    var bySession: [String: [RecordedEvent]] = [:]
    for event in events { bySession[event.session, default: []].append(event) }
    let presence = Dictionary(ends.map { ($0.session, $0.presence) }) { first, _ in first }
    events.removeAll()
    let before = Dictionary(conducts.map { ($0.session, $0.conduct) }) { first, _ in first }
    ends.removeAll()
    conducts.removeAll()
    return (bySession, presence, before)
  }
}
