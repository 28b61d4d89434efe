/// One session under load: its people, and what is known of its truth.
final class ClassSession {
  let id: String
  /// The host first.
  var people: [Attendee] = []
  var roster = Roster()
  var chat = ChatLedger()
  var signals = SignalLedger()
  /// The place of each address for signals.
  var places: [String: Int] = [:]
  /// Bearer of the host's rights, for HTTP.
  let hostToken: String

  /// When the next message and the next signal are due, in nanoseconds of the monotonic clock.
  var nextChat: Int64 = .max
  var nextSignal: Int64 = .max
  private var lastSpeaker = 0
  private var lastInitiator = 0

  /// A broadcast has the same bytes for everybody, so that it is enough to read them once.
  private var lastDelta: (bytes: [UInt8], delta: PresenceDelta)?

  init(id: String, hostToken: String) {
    self.id = id
    self.hostToken = hostToken
  }

  /// The difference in these bytes if they are those of the last one.
  func knownDelta(_ bytes: UnsafeRawBufferPointer) -> PresenceDelta? {
    guard let lastDelta, lastDelta.bytes.count == bytes.count, lastDelta.bytes.elementsEqual(bytes) else { return nil }
    return lastDelta.delta
  }

  func remember(_ delta: PresenceDelta, bytes: UnsafeRawBufferPointer) { lastDelta = (Array(bytes), delta) }

  /// Who speaks next: everybody in turn.
  func nextSpeaker() -> Attendee? {
    for step in 1...max(1, people.count) {
      let place = (lastSpeaker + step) % people.count
      if people[place].state == .present {
        lastSpeaker = place
        return people[place]
      }
    }
    return nil
  }

  /// Which pair signals next: attendees 1 and 2, 3 and 4, …, in turn.
  func nextPair() -> (initiator: Attendee, partner: Attendee)? {
    let pairs = (people.count - 1) / 2
    guard pairs > 0 else { return nil }
    for step in 1...pairs {
      let pair = (lastInitiator + step) % pairs
      let initiator = people[2 * pair + 1]
      let partner = people[2 * pair + 2]
      if initiator.state == .present, partner.state == .present {
        lastInitiator = pair
        return (initiator, partner)
      }
    }
    return nil
  }
}
