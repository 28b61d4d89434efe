import RoomShard
import SignalingProtocol

/// What was exercised. The switches name every case there is: a new command does not compile until it is named here, and
/// the suite fails as long as no seed exercises it.
struct Coverage {
  private(set) var counts: [String: Int] = [:]

  private mutating func count(_ name: String) { counts[name, default: 0] += 1 }

  /// A command that reached the server.
  mutating func note(_ message: ClientMessage) { count(Self.exercise(of: message).rawValue) }
  /// A request that reached a room.
  mutating func note(_ request: RoomRequest) { count(Self.exercise(of: request).rawValue) }
  mutating func note(_ reason: CloseReason) { count("close \(reason)") }
  mutating func note(fault: Fault) { count("fault \(fault.rawValue)") }
  mutating func note(error: String) { count("error \(error)") }
  mutating func note(_ name: String) { count(name) }

  mutating func merge(_ other: Coverage) { counts.merge(other.counts, uniquingKeysWith: +) }

  /// What a sufficient number of seeds must have exercised.
  static var required: [String] {
    Exercise.allCases.map(\.rawValue) + Fault.allCases.map { "fault \($0.rawValue)" } + closes + errors
  }

  var missing: [String] { Self.required.filter { counts[$0] == nil } }

  /// A command or a request, each required.
  private enum Exercise: String, CaseIterable {
    case helloToken = "hello token"
    case helloTicket = "hello ticket"
    case helloGuest = "hello guest"
    case sessionJoin = "session.join"
    case sessionJoinResuming = "session.join with resume"
    case sessionLeave = "session.leave"
    case sessionStart = "session.start"
    case sessionEnd = "session.end"
    case presenceSubscribe = "presence.subscribe"
    case presencePage = "presence.page"
    case mediaSet = "media.set"
    case chatSend = "chat.send"
    case chatHistory = "chat.history"
    case signal
    case ping
    case tokenRenew = "token.renew"
    case create = "request create"
    case read = "request read"
    case start = "request start"
    case end = "request end"
    case join = "request join"
    case attendance = "request attendance"
  }

  private static func exercise(of message: ClientMessage) -> Exercise {
    switch message {
    case .hello(.token): .helloToken
    case .hello(.ticket): .helloTicket
    case .hello(.guest): .helloGuest
    case .sessionJoin(_, _, nil): .sessionJoin
    case .sessionJoin: .sessionJoinResuming
    case .sessionLeave: .sessionLeave
    case .sessionStart: .sessionStart
    case .sessionEnd: .sessionEnd
    case .presenceSubscribe: .presenceSubscribe
    case .presencePage: .presencePage
    case .mediaSet: .mediaSet
    case .chatSend: .chatSend
    case .chatHistory: .chatHistory
    case .signal: .signal
    case .ping: .ping
    case .tokenRenew: .tokenRenew
    }
  }

  private static func exercise(of request: RoomRequest) -> Exercise {
    switch request {
    case .create: .create
    case .read: .read
    case .start: .start
    case .end: .end
    case .join: .join
    case .attendance: .attendance
    }
  }

  private static var closes: [String] {
    CloseReason.allCases.filter(isExpected).map { "close \($0)" }
  }

  /// Whether a run can see this close.
  private static func isExpected(_ reason: CloseReason) -> Bool {
    switch reason {
    case .unsupportedData, .serviceRestart, .slowConsumer, .noPong, .helloTimeout, .badToken, .resumedElsewhere: true
    case .tokenExpired, .roleChanged: true
    case .internalError, .tryAgainLater, .rateLimited: false
    }
  }

  private static let errors = [
    "error malformed_json", "error missing_field", "error invalid_field", "error unknown_type", "error hello_expected",
    "error already_greeted", "error not_joined", "error already_joined", "error forbidden", "error not_found",
    "error wrong_state", "error session_full", "error key_conflict", "error peer_unavailable",
    "error storage_unavailable",
    "error bad_token", "error token_expired",
    "error key_expired", "snapshot", "storage failed, certain", "storage failed, uncertain", "archived",
    "loaded from the history",
  ]
}

/// What goes wrong in a simulated world.
enum Fault: String, CaseIterable {
  case processKilled = "process killed"
  case powerLost = "power lost"
  case killedWhileWriting = "stopped in the middle of a write"
  case gracefulStop = "graceful stop"
  case clockJump = "clock jump"
  case connectionCut = "connection cut"
  case connectionLost = "connection half open"
  case connectionStalled = "connection stalled"
  case slowReader = "slow reader"
  case bytewise = "single bytes"
  case pieces
  case diskError = "disk error"
  case diskFull = "disk full"
  case slowDisk = "slow disk"
}
