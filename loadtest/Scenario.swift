import SignalingProtocol

/// What a run is about.
enum Scenario: String, CaseIterable, Sendable {
  /// Chat and signals as the options say: what no other scenario covers.
  case mix
  case fanout
  case storm
  case classroom = "class"
  case relay
  case idle
  case churn
  case slowReaders = "slow-readers"
  case herd

  /// The name for people.
  var title: String {
    switch self {
    case .mix: "Chat and signals"
    case .fanout: "Fan-out"
    case .storm: "Join storm"
    case .classroom: "A class"
    case .relay: "Signal relay"
    case .idle: "Idle connections"
    case .churn: "Coming and going"
    case .slowReaders: "Slow readers"
    case .herd: "A herd that comes back"
    }
  }

  /// What the scenario does when the options say nothing else.
  var defaults: ScenarioDefaults {
    switch self {
    case .mix: ScenarioDefaults(signalRate: nil)
    case .fanout: ScenarioDefaults(attendees: 500, seconds: 20, chatRate: 20, chatBytes: 128)
    case .storm: ScenarioDefaults(attendees: 1000, seconds: 5, handshakesInFlight: 1000)
    case .classroom:
      ScenarioDefaults(attendees: 200, seconds: 60, chatRate: 2, signalRate: 5, presence: .mixed, probeRate: 5)
    case .relay:
      ScenarioDefaults(
        sessions: 10, attendees: 20, seconds: 20, chatRate: 0, signalRate: 50, presence: .one(.full))
    case .idle:
      ScenarioDefaults(
        sessions: 10, attendees: 200, seconds: 60, chatRate: 0, presence: .one(.none), isRampQuiet: true,
        handshakesInFlight: 200, probeRate: 0.2)
    case .churn: ScenarioDefaults(sessions: 4, attendees: 100, seconds: 30, churnRate: 50)
    case .slowReaders:
      ScenarioDefaults(
        attendees: 50, seconds: 30, chatRate: 100, chatBytes: 4096, isRampQuiet: true, probeRate: 10,
        faults: FaultShares(slow: 0.2, slowSeconds: 10))
    case .herd:
      ScenarioDefaults(
        sessions: 4, attendees: 250, seconds: 5, presence: .one(.count), isRampQuiet: true, handshakesInFlight: 200)
    }
  }
}

/// The options of a scenario that were not given.
struct ScenarioDefaults {
  var sessions = 1
  var attendees = 50
  var seconds = 10.0
  /// Messages per second in each session.
  var chatRate = 1.0
  var chatBytes = 64
  /// Signals per second in each session; nil means 1 where there are pairs.
  var signalRate: Double? = 0
  /// Nil means by the size of the sessions.
  var presence: PresenceChoice?
  var isRampQuiet = false
  var handshakesInFlight = 64
  var probeRate = 0.0
  var churnRate = 0.0
  var faults = FaultShares()
}

/// How much of presence the attendees ask for.
enum PresenceChoice: Equatable, Sendable {
  case one(PresenceMode)
  /// Half of them everything, the others the hosts or the count in turn.
  case mixed

  var name: String {
    switch self {
    case .one(let mode): mode.rawValue
    case .mixed: "mixed"
    }
  }

  /// What the attendee at a place asks for.
  func mode(at place: Int) -> PresenceMode {
    switch self {
    case .one(let mode): mode
    case .mixed: [.full, .count, .full, .hosts][place % 4]
    }
  }
}

/// What the tester breaks itself: for each kind, which share of the attendees it befalls once.
struct FaultShares: Equatable, Sendable {
  /// The connection is reset (RST), what was under way is lost.
  var reset = 0.0
  /// The connection ends in the middle of a frame.
  var cut = 0.0
  /// The attendee vanishes without a word and comes back over another connection; the old one stays open, and nobody reads it.
  var halfOpen = 0.0
  /// The attendee stops reading for a while.
  var slow = 0.0
  /// How long somebody slow reads nothing.
  var slowSeconds = 5.0

  var isEmpty: Bool { reset + cut + halfOpen + slow == 0 }

  init(reset: Double = 0, cut: Double = 0, halfOpen: Double = 0, slow: Double = 0, slowSeconds: Double = 5) {
    (self.reset, self.cut, self.halfOpen, self.slow) = (reset, cut, halfOpen, slow)
    self.slowSeconds = slowSeconds
  }

  /// Reads `reset=0.1,cut=5%,half-open=0.1,slow=0.2`; nil when it is something else or more than everybody.
  init?(_ text: String) {
    self.init()
    if text == "none" { return }
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let words = part.split(separator: "=", omittingEmptySubsequences: false)
      guard words.count == 2, let share = Self.share(words[1]) else { return nil }
      switch words[0] {
      case "reset": reset = share
      case "cut": cut = share
      case "half-open": halfOpen = share
      case "slow": slow = share
      default: return nil
      }
    }
    guard reset + cut + halfOpen + slow <= 1 else { return nil }
  }

  private static func share(_ text: Substring) -> Double? {
    let value = text.hasSuffix("%") ? Double(text.dropLast()).map { $0 / 100 } : Double(text)
    return value.flatMap { (0...1).contains($0) ? $0 : nil }
  }
}
