/// What somebody asks of a session.
public enum Command: Sendable, Equatable {
  /// Begins the class.
  case start
  /// Ends the class.
  case end
  /// Comes in, or comes in once more with another tab.
  case join
  /// Has lost the last connection, and may come back. `since` is when the person was last heard, `isEstimated` whether that
  /// had to be reconstructed.
  case lose(since: Timestamp, isEstimated: Bool)
  /// Goes. `at` is when the person was last there, `isEstimated` whether that had to be reconstructed.
  case leave(at: Timestamp, isEstimated: Bool)
  /// Says something to everybody, or to the hosts alone. `replyTo` is the number of the event of the message it answers.
  case sendChat(text: String, replyTo: UInt64? = nil, isPrivate: Bool = false)

  /// Changes what the own message says.
  case editChat(message: UInt64, text: String)
  /// Takes a message back: the own one, or by who leads the class any.
  case deleteChat(message: UInt64)
  /// Reacts to a message with an emoji, or takes that back.
  case reactToChat(message: UInt64, emoji: String, isOn: Bool)
  /// Pins a message for everybody, or takes that back.
  case pinChat(message: UInt64, isOn: Bool)
  /// Puts the own hand up.
  case raiseHand
  /// Takes a hand down, or all.
  case lowerHand(HandOwner)
  /// Mutes one person, or allows to speak again.
  case mute(user: String, isOn: Bool)
  /// Mutes everybody but those who lead the class, or ends that.
  case muteAll(isOn: Bool, isUnmuteAllowed: Bool)
  /// Asks somebody to speak, who may do so from then on.
  case askToUnmute(user: String)
  /// Sends somebody out, who may come back.
  case remove(user: String)
  /// Sends somebody out for good, or lets back in.
  case ban(user: String, isOn: Bool)
  /// Lends a host's rights.
  case promote(user: String)
  /// Takes a host's rights back.
  case demote(user: String)
  /// Shows somebody large to everybody, or nobody.
  case spotlight(user: String?)
  /// Changes what holds for everybody.
  case setPolicy(PolicyChange)

  /// Says, without a connection, to be still there.
  case heartbeat
  /// Says to be in the place where the class is held; whoever lets this through has seen the code that is shown there.
  case checkIn
  /// Says of somebody else to be there; after the class, to have been there all the time. `name` is for who is not known here.
  case markPresent(user: String, name: String?)
  /// Says of somebody else to have gone.
  case markGone(user: String)
  /// The host agrees to a session that somebody proposed.
  case approve
  /// The host does not agree.
  case decline(reason: String?)
  /// Who proposed the session takes that back.
  case withdraw(reason: String?)
  /// Another time.
  case reschedule(ScheduleChange, reason: String?)
  /// Calls the session off.
  case cancel(reason: String?)
  /// Says that the class begins now.
  case announce(text: String?)
  /// Changes fields of the session.
  case update(SessionPatch)
  /// Removes a session that was never live, and hides another one.
  case delete
  /// Removes a session for good.
  case purge
  /// Asks to be let in to the session.
  case register
  /// Takes that back.
  case unregister
  /// Puts people on the roster.
  case invite([Roster.Invitation])
  /// Lets in who asked.
  case approveRegistration(user: String)
  /// Turns down who asked, or takes somebody off the roster.
  case rejectRegistration(user: String)
  /// Comes to wait. `isApproved`: whether the person may come in when the session lets people in.
  case wait(isApproved: Bool)
  /// Waits no longer. `at` is when the person was last there.
  case stopWaiting(at: Timestamp)
  /// Lets in people who wait; nobody in particular means all.
  case admit(users: [String])
  /// Turns away somebody who waits.
  case deny(user: String)

  /// Has read what the person was told.
  case readNotices([UInt64])

  /// Changes who may send sound and pictures.
  case setStage(StageChange)
  /// Lets somebody onto the stage, for as long as that is not taken back.
  case inviteToStage(user: String)
  /// Takes somebody off the stage.
  case removeFromStage(user: String)
  /// Steps off the stage.
  case leaveStage

  /// A digest of the command, to tell whether an idempotency key comes with the same one.
  var digest: UInt64 {
    switch self {
    case .start: Self.digest("start", "")
    case .end: Self.digest("end", "")
    case .join: Self.digest("join", "")
    case .lose: Self.digest("lose", "")
    case .leave: Self.digest("leave", "")
    case .sendChat(let text, nil, false): Self.digest("chat", text)
    case .sendChat(let text, let replyTo, let isPrivate):
      Self.digest("chat", [replyTo.map { "\($0)" } ?? "", isPrivate ? "hosts" : "", text])
    case .editChat(let message, let text): Self.digest("chat.edit", ["\(message)", text])
    case .deleteChat(let message): Self.digest("chat.delete", ["\(message)"])
    case .reactToChat(let message, let emoji, let isOn): Self.digest("chat.react", ["\(message)", emoji, "\(isOn)"])
    case .pinChat(let message, let isOn): Self.digest("chat.pin", ["\(message)", "\(isOn)"])
    case .raiseHand: Self.digest("hand.raise", "")
    case .lowerHand(.own): Self.digest("hand.lower", "")
    case .lowerHand(.user(let user)): Self.digest("hand.lower", [user])
    case .lowerHand(.all): Self.digest("hand.lower", [])
    case .mute(let user, let isOn): Self.digest("participant.mute", [user, "\(isOn)"])
    case .muteAll(let isOn, let isUnmuteAllowed): Self.digest("room.mute_all", ["\(isOn)", "\(isUnmuteAllowed)"])
    case .askToUnmute(let user): Self.digest("participant.ask_unmute", [user])
    case .remove(let user): Self.digest("participant.remove", [user])
    case .ban(let user, let isOn): Self.digest("participant.ban", [user, "\(isOn)"])
    case .promote(let user): Self.digest("participant.promote", [user])
    case .demote(let user): Self.digest("participant.demote", [user])
    case .spotlight(let user): Self.digest("participant.spotlight", user.map { [$0] } ?? [])
    case .setPolicy(let change): Self.digest("room.policy", change.digestFields)
    case .heartbeat: Self.digest("heartbeat", "")
    case .checkIn: Self.digest("check_in", "")
    case .markPresent(let user, let name): Self.digest("mark_present", "\(user.utf8.count):\(user)\(name ?? "")")
    case .markGone(let user): Self.digest("mark_gone", user)
    case .approve: Self.digest("approve")
    case .decline(let reason): Self.digest("decline", [reason ?? ""])
    case .withdraw(let reason): Self.digest("withdraw", [reason ?? ""])
    case .reschedule(let change, let reason):
      Self.digest(
        "reschedule",
        [
          change.start.digestText, change.timeZone ?? "", change.durationMinutes.map { "\($0)" } ?? "", reason ?? "",
        ])
    case .cancel(let reason): Self.digest("cancel", [reason ?? ""])
    case .announce(let text): Self.digest("announce", [text ?? ""])
    case .update(let patch): Self.digest("update", patch.digestFields.flatMap { [$0.0, $0.1] })
    case .delete: Self.digest("delete")
    case .purge: Self.digest("purge")
    case .register: Self.digest("register")
    case .unregister: Self.digest("unregister")
    case .invite(let people): Self.digest("invite", people.flatMap { [$0.user, $0.name, $0.email ?? ""] })
    case .approveRegistration(let user): Self.digest("approve registration", [user])
    case .rejectRegistration(let user): Self.digest("reject registration", [user])
    case .wait: Self.digest("wait")
    case .stopWaiting: Self.digest("stop waiting")
    case .admit(let users): Self.digest("admit", users)
    case .deny(let user): Self.digest("deny", [user])
    case .readNotices(let numbers): Self.digest("read", numbers.map { "\($0)" })
    case .setStage(let change): Self.digest("stage.set", change.digestFields)
    case .inviteToStage(let user): Self.digest("stage.invite", [user])
    case .removeFromStage(let user): Self.digest("stage.remove", [user])
    case .leaveStage: Self.digest("stage.leave", [])
    }
  }

  static func digest(_ kind: String, _ fields: [String] = []) -> UInt64 {
    var digest = StableDigest()
    digest.mix(field: kind)
    for field in fields { digest.mix(field: field) }
    return digest.value
  }

  private static func digest(_ kind: String, _ content: String) -> UInt64 {
    var digest = StableDigest()
    digest.mix(kind)
    digest.mix(0)
    digest.mix(content)
    return digest.value
  }
}

/// Whose hand is meant.
public enum HandOwner: Sendable, Equatable {
  /// That of who says so.
  case own
  case user(String)
  case all
}

/// Who gives a command, and in which role.
public struct Actor: Sendable, Equatable {
  public var user: String
  public var name: String
  public var role: Role
  /// The address that the token tells; it is shown to who leads a class, and in reports, alone.
  public var email: String?

  /// An actor with these facts.
  public init(user: String, name: String, role: Role, email: String? = nil) {
    self.user = user
    self.name = name
    self.role = role
    self.email = email
  }
}

/// What a command is answered with.
public enum Answer: Sendable, Equatable {
  /// It is done, and there is nothing to tell.
  case done
  /// The chat message is in: its numbers and time.
  case chat(streamSequence: UInt64, sequence: UInt64, at: Timestamp)
  /// The session is in this state now.
  case status(StatusChange)

  /// Where somebody's registration stands now.
  case registration(Roster.State)
  /// How many it was about.
  case count(Int)
}
