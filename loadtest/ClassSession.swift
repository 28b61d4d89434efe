import SignalingClient

/// One session under load: its people, and what is known of its truth.
final class ClassSession {
  let id: String
  /// The host first.
  var people: [Attendee] = []
  var chat = ChatLedger()
  var signals = SignalLedger()
  var presence = PresenceLedger()
  var attendance = AttendanceBook()
  /// The place of each address for signals.
  var places: [String: Int] = [:]
  /// Bearer of the host's rights, for HTTP.
  let hostToken: String

  /// When the host asked for the start, and for the end, and when the end was known: milliseconds of the monotonic clock.
  var startAsked: Int64 = 0
  var endAsked: Int64?
  var endAnswered: Int64?

  /// When the next message, signal and ping are due, in nanoseconds of the monotonic clock.
  var nextChat: Int64 = .max
  var nextSignal: Int64 = .max
  var nextProbe: Int64 = .max
  /// The pings without a pong, and when they were sent.
  var probes: [CommandID: Int64] = [:]
  private var lastSpeaker = 0
  private var lastInitiator = 0

  init(id: String, hostToken: String) {
    self.id = id
    self.hostToken = hostToken
  }

  var host: Attendee { people[0] }

  /// Who speaks next: everybody in turn who can be heard.
  func nextSpeaker() -> Attendee? {
    for step in 1...max(1, people.count) {
      let place = (lastSpeaker + step) % people.count
      if people[place].canSpeak {
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
      if initiator.canSpeak, partner.canSpeak {
        lastInitiator = pair
        return (initiator, partner)
      }
    }
    return nil
  }

  /// The other one of somebody's pair.
  func partner(of attendee: Attendee) -> Attendee? {
    guard attendee.place > 0 else { return nil }
    let place = attendee.place % 2 == 1 ? attendee.place + 1 : attendee.place - 1
    return place < people.count ? people[place] : nil
  }

  /// What is on its way between somebody and the partner may be lost now: nobody can say any more whether it arrived.
  func excuseSignals(of attendee: Attendee) {
    signals.excuse(initiator: attendee.place % 2 == 1 ? attendee.place : attendee.place - 1)
  }
}
