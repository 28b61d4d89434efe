import JSON

/// Something that a client asks for about people, the room or messages, and that is answered with no more than `ok`.
public struct ConductRequest {
  /// The type of the message.
  public let type: StaticString
  let isPrivateChat: Bool
  /// Writes its other fields, without an id and a key.
  public let write: (inout JSONWriter) -> Void

  private init(
    _ type: StaticString, isPrivateChat: Bool = false, _ write: @escaping (inout JSONWriter) -> Void = { _ in }
  ) {
    self.type = type
    self.isPrivateChat = isPrivateChat
    self.write = write
  }

  private static func about(_ user: String, _ type: StaticString) -> ConductRequest {
    ConductRequest(type) { $0.field("user", user) }
  }

  public static var raiseHand: ConductRequest { ConductRequest("hand.raise") }
  /// Takes down the own hand, or that of a user.
  public static func lowerHand(of user: String? = nil) -> ConductRequest {
    ConductRequest("hand.lower") { if let user { $0.field("user", user) } }
  }
  public static var lowerAllHands: ConductRequest { ConductRequest("hand.lower") { $0.field("all", true) } }

  public static func mute(_ user: String, on: Bool) -> ConductRequest {
    ConductRequest("participant.mute") { writer in
      writer.field("user", user)
      writer.field("on", on)
    }
  }
  public static func askToUnmute(_ user: String) -> ConductRequest { about(user, "participant.ask_unmute") }
  public static func remove(_ user: String) -> ConductRequest { about(user, "participant.remove") }
  public static func ban(_ user: String) -> ConductRequest { about(user, "participant.ban") }
  public static func unban(_ user: String) -> ConductRequest { about(user, "participant.unban") }
  public static func promote(_ user: String) -> ConductRequest { about(user, "participant.promote") }
  public static func demote(_ user: String) -> ConductRequest { about(user, "participant.demote") }
  /// Shows a user large to everybody; nil nobody.
  public static func spotlight(_ user: String?) -> ConductRequest {
    ConductRequest("participant.spotlight") { writer in
      if let user { writer.field("user", user) } else { writer.field("on", false) }
    }
  }
  public static func muteAll(on: Bool, unmuteAllowed: Bool = false) -> ConductRequest {
    ConductRequest("room.mute_all") { writer in
      writer.field("on", on)
      writer.field("unmute_allowed", unmuteAllowed)
    }
  }
  public static func lock(on: Bool) -> ConductRequest { ConductRequest("room.lock") { $0.field("on", on) } }
  /// Changes parts of the policy; nil leaves a part as it is.
  public static func policy(chat: String? = nil, slowModeSeconds: Int? = nil) -> ConductRequest {
    ConductRequest("room.policy") { writer in
      if let chat { writer.field("chat", chat) }
      if let slowModeSeconds { writer.field("slow_mode_seconds", slowModeSeconds) }
    }
  }

  /// Changes who may send sound and pictures; nil leaves a part as it is.
  public static func setStage(mode: String? = nil, places: Int? = nil) -> ConductRequest {
    ConductRequest("stage.set") { writer in
      if let mode { writer.field("mode", mode) }
      if let places { writer.field("places", places) }
    }
  }
  public static func inviteToStage(_ user: String) -> ConductRequest { about(user, "stage.invite") }
  public static func removeFromStage(_ user: String) -> ConductRequest { about(user, "stage.remove") }
  public static var leaveStage: ConductRequest { ConductRequest("stage.leave") }

  public static func edit(_ message: String, text: String) -> ConductRequest {
    ConductRequest("chat.edit") { writer in
      writer.field("message", message)
      writer.field("text", text)
    }
  }
  public static func delete(_ message: String) -> ConductRequest {
    ConductRequest("chat.delete") { $0.field("message", message) }
  }
  public static func react(to message: String, emoji: String, on: Bool) -> ConductRequest {
    ConductRequest("chat.react") { writer in
      writer.field("message", message)
      writer.field("emoji", emoji)
      writer.field("on", on)
    }
  }
  public static func pin(_ message: String, on: Bool) -> ConductRequest {
    ConductRequest("chat.pin") { writer in
      writer.field("message", message)
      writer.field("on", on)
    }
  }
  /// Says something to the hosts alone.
  public static func tellHosts(_ text: String) -> ConductRequest {
    ConductRequest("chat.send", isPrivateChat: true) { writer in
      writer.field("text", text)
      writer.field("to", "hosts")
    }
  }
  public static func typing(on: Bool) -> ConductRequest { ConductRequest("chat.typing") { $0.field("on", on) } }
  public static func away(on: Bool) -> ConductRequest { ConductRequest("presence.away") { $0.field("on", on) } }
}
