import SignalingClient

/// One session under load: its people, and what is known of its truth.
final class ClassSession {
  let id: String
  /// The host first.
  var people: [Attendee] = []
  var chat = ChatLedger()
  var signals = SignalLedger()
  /// The place of each address for signals.
  var places: [String: Int] = [:]
  /// Bearer of the host's rights, for HTTP.
  let hostToken: String

  /// When the next message, signal and ping are due, in nanoseconds of the monotonic clock.
  var nextChat: Int64 = .max
  var nextSignal: Int64 = .max
  var nextProbe: Int64 = .max
  /// The pings without a pong, and when they were sent.
  var probes: [CommandID: Int64] = [:]
  private var lastSpeaker = 0
  private var lastInitiator = 0

  /// The user of each place, once known.
  private var users: [String?] = []
  private var knownUsers = 0
  /// Who has to be shown when everybody is in; nil before everybody is known.
  private(set) var truth: PresenceTruth?

  init(id: String, hostToken: String) {
    self.id = id
    self.hostToken = hostToken
  }

  /// The server has said who sits at a place.
  func note(_ user: String, at place: Int) {
    if users.isEmpty { users = Array(repeating: nil, count: people.count) }
    guard users[place] == nil else { return }
    users[place] = user
    knownUsers += 1
    if knownUsers == users.count { truth = PresenceTruth(users: users.compactMap { $0 }) }
  }

  /// Who speaks next: everybody in turn.
  func nextSpeaker() -> Attendee? {
    for step in 1...max(1, people.count) {
      let place = (lastSpeaker + step) % people.count
      if people[place].isPresent {
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
      if initiator.isPresent, partner.isPresent {
        lastInitiator = pair
        return (initiator, partner)
      }
    }
    return nil
  }
}
