import Classroom
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
  /// Somebody was let into a class again that had ended.
  mutating func noteReopening() { count(Exercise.reopening.rawValue) }
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
    case reopening = "a class that goes on"
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
    case attendanceGet = "attendance.get"
    case bans = "participant.bans"
    case attendanceOf = "request attendance of one"
    case joinLive = "request join_live"
    case leave = "request leave"
    case heartbeat = "request heartbeat"
    case checkIn = "request check_in"
    case checkInCode = "request check_in_code"
    case markPresent = "participant.check_in"
    case markGone = "participant.check_out"
    case readParticipants = "request live_participants"
    case readChat = "request chat"
    case readNotices = "request notifications"
    case sessionsWatch = "sessions.watch"
    case registrations = "request registrations"
    case approve = "session.approve"
    case decline = "session.decline"
    case withdraw = "session.withdraw"
    case reschedule = "session.reschedule"
    case cancel = "session.cancel"
    case announce = "session.announce"
    case update = "session.update"
    case delete = "session.delete"
    case purge = "session.purge"
    case register = "registration.request"
    case unregister = "registration.withdraw"
    case invite = "registration.invite"
    case approveRegistration = "registration.approve"
    case rejectRegistration = "registration.reject"
    case admit = "waiting.admit"
    case deny = "waiting.deny"
    case chatEdit = "chat.edit"
    case chatDelete = "chat.delete"
    case chatReact = "chat.react"
    case chatPin = "chat.pin"
    case chatPrivate = "chat.send to the hosts"
    case chatPrivateHistory = "chat.history of what was said to the hosts"
    case chatTyping = "chat.typing"
    case presenceAway = "presence.away"
    case handRaise = "hand.raise"
    case handLower = "hand.lower"
    case handLowerAll = "hand.lower of all"
    case mute = "participant.mute"
    case muteAll = "room.mute_all"
    case askToUnmute = "participant.ask_unmute"
    case remove = "participant.remove"
    case ban = "participant.ban"
    case unban = "participant.unban"
    case promote = "participant.promote"
    case demote = "participant.demote"
    case spotlight = "participant.spotlight"
    case policy = "room.policy"
    case stageSet = "stage.set"
    case stageInvite = "stage.invite"
    case stageRemove = "stage.remove"
    case stageLeave = "stage.leave"
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
    case .sessionsWatch: .sessionsWatch
    case .perform(let command, _): exercise(of: command)
    case .attendanceGet: .attendanceGet
    case .participantBans: .bans
    case .privateHistory: .chatPrivateHistory
    case .chatTyping: .chatTyping
    case .presenceAway: .presenceAway
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
    case .perform(let command, _): exercise(of: command)
    case .attendanceOf: .attendanceOf
    case .joinLive: .joinLive
    case .leave: .leave
    case .heartbeat: .heartbeat
    case .checkIn: .checkIn
    case .checkInCode: .checkInCode
    case .participants: .readParticipants
    case .chat: .readChat
    case .readNotices: .readNotices
    case .registrations: .registrations
    }
  }

  private static func exercise(of command: Command) -> Exercise {
    switch command {
    case .start: .sessionStart
    case .end: .sessionEnd
    case .join: .sessionJoin
    case .sendChat(_, _, false): .chatSend
    case .lose, .leave: .sessionLeave
    case .heartbeat: .heartbeat
    case .checkIn: .checkIn
    case .markPresent: .markPresent
    case .markGone: .markGone
    case .readNotices: .readNotices
    case .approve: .approve
    case .decline: .decline
    case .withdraw: .withdraw
    case .reschedule: .reschedule
    case .cancel: .cancel
    case .announce: .announce
    case .update: .update
    case .delete: .delete
    case .purge: .purge
    case .register: .register
    case .unregister: .unregister
    case .invite: .invite
    case .approveRegistration: .approveRegistration
    case .rejectRegistration: .rejectRegistration
    case .wait, .stopWaiting: .sessionJoin
    case .admit: .admit
    case .deny: .deny
    case .sendChat(_, _, true): .chatPrivate
    case .editChat: .chatEdit
    case .deleteChat: .chatDelete
    case .reactToChat: .chatReact
    case .pinChat: .chatPin
    case .raiseHand: .handRaise
    case .lowerHand(.all): .handLowerAll
    case .lowerHand: .handLower
    case .mute: .mute
    case .muteAll: .muteAll
    case .askToUnmute: .askToUnmute
    case .remove: .remove
    case .ban(_, true): .ban
    case .ban(_, false): .unban
    case .promote: .promote
    case .demote: .demote
    case .spotlight: .spotlight
    case .setPolicy: .policy

    case .setStage: .stageSet
    case .inviteToStage: .stageInvite
    case .removeFromStage: .stageRemove
    case .leaveStage: .stageLeave
    }
  }

  private static var closes: [String] {
    CloseReason.allCases.filter(isExpected).map { "close \($0)" }
  }

  /// Whether a run can see this close.
  private static func isExpected(_ reason: CloseReason) -> Bool {
    switch reason {
    case .unsupportedData, .serviceRestart, .slowConsumer, .noPong, .helloTimeout, .badToken, .resumedElsewhere: true
    case .tokenExpired, .roleChanged, .removed, .banned: true
    case .internalError, .tryAgainLater, .rateLimited, .leftElsewhere: false
    }
  }

  private static let errors = [
    "error malformed_json", "error missing_field", "error invalid_field", "error unknown_type", "error hello_expected",
    "error already_greeted", "error not_joined", "error already_joined", "error forbidden", "error not_found",
    "error wrong_state", "error session_full", "error key_conflict", "error peer_unavailable",
    "error storage_unavailable",
    "error bad_token", "error token_expired",
    "error key_expired", "snapshot", "storage failed, certain", "storage failed, uncertain", "archived",
    "loaded from the history", "error banned", "error locked", "error muted", "error chat_closed", "error slow_mode",
    "error no_such_participant", "error no_such_message", "error limit_reached", "error stage_full",
    "error stage_closed", "error stale_negotiation",
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
