/// Something that somebody may ask of a session: the raw value is the name of the command on the wire.
public enum Action: String, Sendable, CaseIterable {
  // The life of the session.
  case join = "session.join"
  case approve = "session.approve"
  case decline = "session.decline"
  case withdraw = "session.withdraw"
  case reschedule = "session.reschedule"
  case start = "session.start"
  case end = "session.end"
  case cancel = "session.cancel"
  case announce = "session.announce"
  case update = "session.update"
  case delete = "session.delete"
  case purge = "session.purge"

  // Who may come in.
  case register = "registration.request"
  case unregister = "registration.withdraw"
  case readRegistrations = "registration.list"
  case invite = "registration.invite"
  case approveRegistration = "registration.approve"
  case rejectRegistration = "registration.reject"
  case admitWaiting = "waiting.admit"
  case denyWaiting = "waiting.deny"

  // Roles, moderation and policies.
  case muteParticipant = "participant.mute"
  case askToUnmute = "participant.ask_unmute"
  case removeParticipant = "participant.remove"
  case banParticipant = "participant.ban"
  case unbanParticipant = "participant.unban"
  case promoteParticipant = "participant.promote"
  case demoteParticipant = "participant.demote"
  case spotlight = "participant.spotlight"
  case lowerHands = "participant.lower_hand"
  case muteAll = "room.mute_all"
  case lock = "room.lock"
  case setPolicy = "room.policy"
  case raiseHand = "hand.raise"
  case lowerHand = "hand.lower"
  case setMedia = "media.set"
  case setAway = "presence.away"
  case signal = "signal"
  case takeStage = "stage.take"
  case manageStage = "stage.manage"

  // Chat.
  case sendChat = "chat.send"
  case editChat = "chat.edit"
  case deleteChat = "chat.delete"
  case moderateChat = "chat.moderate"
  case reactToChat = "chat.react"
  case pinChat = "chat.pin"
  case type = "chat.typing"

  // Attendance.
  case readAttendance = "attendance.read"
  case heartbeat = "attendance.heartbeat"
  case checkIn = "attendance.check_in"
  case markPresent = "attendance.mark"
}

/// Some of the roles.
public struct RoleSet: OptionSet, Sendable, Hashable {
  public let rawValue: UInt8

  /// The roles of these bits, in the order of ``Role/allCases``.
  public init(rawValue: UInt8) {
    self.rawValue = rawValue
  }

  /// One role.
  public init(_ role: Role) {
    rawValue =
      switch role {
      case .host: 1
      case .cohost: 2
      case .participant: 4
      case .observer: 8
      case .admin: 16
      }
  }

  public static let host = RoleSet(.host)
  public static let cohost = RoleSet(.cohost)
  public static let participant = RoleSet(.participant)
  public static let observer = RoleSet(.observer)
  public static let admin = RoleSet(.admin)
  /// Every role.
  public static let all = RoleSet(rawValue: 31)
  /// Who owns the session, and administrators.
  public static let owners: RoleSet = [.host, .admin]
  /// Who leads the class: hosts, those with a host's rights on loan, and administrators.
  public static let moderators: RoleSet = [.host, .cohost, .admin]
  /// Who is seen in the class.
  public static let visible: RoleSet = [.host, .cohost, .participant, .admin]

  /// Whether a role is one of them.
  public func contains(_ role: Role) -> Bool { contains(RoleSet(role)) }
}

/// Who may do what, and when: the one table of it.
public enum Permissions {
  /// The cells of one action that say yes: these roles, in these states.
  public struct Rule: Sendable, Hashable {
    public var roles: RoleSet
    public var statuses: SessionStatusSet

    /// A rule of these cells.
    public init(_ roles: RoleSet, _ statuses: SessionStatusSet) {
      self.roles = roles
      self.statuses = statuses
    }
  }

  /// The rule of an action. What depends on more than role and state (whose message it is, who asked for the session) is
  /// decided where the command is.
  public static func rule(for action: Action) -> Rule {
    switch action {
    case .join: Rule(.all, [.approved, .scheduled, .ongoing, .completed])
    case .approve, .decline: Rule(.owners, .pendingApproval)
    case .withdraw: Rule(.participant, [.pendingApproval, .approved])
    case .reschedule: Rule([.host, .admin, .participant], [.pendingApproval, .approved, .scheduled, .expired])
    case .start: Rule(.owners, [.approved, .scheduled, .completed])
    case .end: Rule(.owners, .ongoing)
    case .cancel: Rule(.owners, .ahead)
    case .announce: Rule(.moderators, [.approved, .scheduled, .ongoing])
    case .update: Rule(.owners, [.pendingApproval, .approved, .scheduled, .ongoing, .completed])
    case .delete: Rule(.owners, SessionStatusSet.all.subtracting(.ongoing))
    case .purge: Rule(.admin, SessionStatusSet.all.subtracting(.ongoing))

    case .register, .unregister: Rule([.participant, .observer], [.approved, .scheduled, .ongoing])
    case .readRegistrations: Rule(.moderators, .all)
    case .invite: Rule(.moderators, [.pendingApproval, .approved, .scheduled, .ongoing])
    case .approveRegistration, .rejectRegistration: Rule(.moderators, [.approved, .scheduled, .ongoing])
    case .admitWaiting, .denyWaiting: Rule(.moderators, [.approved, .scheduled, .ongoing])

    case .muteParticipant, .askToUnmute, .removeParticipant, .spotlight, .lowerHands, .muteAll:
      Rule(.moderators, .ongoing)
    case .banParticipant, .unbanParticipant: Rule(.moderators, [.approved, .scheduled, .ongoing])
    case .promoteParticipant, .demoteParticipant: Rule(.owners, [.approved, .scheduled, .ongoing])
    case .lock, .setPolicy: Rule(.moderators, [.approved, .scheduled, .ongoing])
    case .raiseHand, .lowerHand, .setMedia, .setAway, .signal, .takeStage: Rule(.visible, .ongoing)
    case .manageStage: Rule(.moderators, .ongoing)

    case .sendChat, .reactToChat, .type: Rule(.visible, .ongoing)
    case .editChat, .deleteChat: Rule(.visible, .ongoing)
    case .moderateChat, .pinChat: Rule(.moderators, [.ongoing, .completed])

    case .readAttendance: Rule(.all, .all)
    case .heartbeat, .checkIn: Rule(.visible, .ongoing)
    case .markPresent: Rule(.moderators, [.ongoing, .completed])
    }
  }
}

extension Classroom {
  /// Checks that a role may do this in the state that the session is in.
  /// - Throws: ``Refusal/forbidden`` for the role first, then ``Refusal/wrongState(_:)``.
  public func require(_ action: Action, of role: Role) throws(Refusal) {
    let rule = Permissions.rule(for: action)
    guard rule.roles.contains(role) else { throw .forbidden }
    guard rule.statuses.contains(status) else { throw .wrongState(status) }
  }

  /// Checks that somebody may do this in the state that the session is in.
  /// - Throws: ``Refusal/forbidden`` for the role first, then ``Refusal/wrongState(_:)``.
  public func require(_ action: Action, of actor: Actor) throws(Refusal) { try require(action, of: actor.role) }
}
