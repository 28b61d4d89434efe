#if PLANTED_BUGS
  import PlantedBugs
#endif

// What is said in a class, and what becomes of it: answers, changes, reactions, pins, and messages to the hosts alone.
extension Classroom {
  /// Decides on a command about the chat.
  func decideOnChat(
    _ command: Command, by actor: Actor, at now: Timestamp, rules: ConductRules
  ) throws(Refusal) -> [Event] {
    switch command {
    case .sendChat(let text, let replyTo, let isPrivate):
      try require(.sendChat, of: actor)
      guard attendance.isActive(actor.user) else { throw .notPresent }
      try checkText(text)
      try checkMayWrite(actor, isPrivate: isPrivate)
      if let replyTo { try checkMayAnswer(replyTo, actor, isPrivate: isPrivate) }
      try checkSlowMode(actor, at: now)
      if isPrivate {
        return [.privateChatSent(user: actor.user, name: actor.name, role: actor.role, text: text, replyTo: replyTo)]
      }
      return [.chatSent(user: actor.user, name: actor.name, role: actor.role, text: text, replyTo: replyTo)]

    case .editChat(let sequence, let text):
      try require(.editChat, of: actor)
      guard attendance.isActive(actor.user) else { throw .notPresent }
      let message = try message(sequence)
      guard message.user == actor.user, now.milliseconds(since: message.at) <= rules.editMilliseconds else {
        throw .forbidden
      }
      try checkText(text)
      try checkMayWrite(actor, isPrivate: false)
      return message.text == text ? [] : [.chatEdited(message: sequence, text: text)]

    case .deleteChat(let sequence):
      let isAuthor = chat.message(sequence)?.user == actor.user
      if isAuthor, !actor.role.isModerating {
        try require(.deleteChat, of: actor)
        guard attendance.isActive(actor.user) else { throw .notPresent }
      } else {
        try require(.moderateChat, of: actor)
      }
      // What is gone already is as it was asked to be.
      if chat.message(sequence)?.isDeleted == true { return [] }
      _ = try message(sequence)
      return [.chatDeleted(message: sequence)]

    case .reactToChat(let sequence, let emoji, let isOn):
      try require(.reactToChat, of: actor)
      guard attendance.isActive(actor.user) else { throw .notPresent }
      guard Self.isEmoji(emoji) else {
        throw .invalidField("emoji", "A reaction is one character of at most \(Limits.emojiScalars) code points.")
      }
      let message = try message(sequence)
      guard message.hasReaction(emoji, of: actor.user) != isOn else { return [] }
      guard isOn else { return [.chatReacted(message: sequence, user: actor.user, emoji: emoji, isOn: false)] }
      if conduct.policy.chat == .off { throw .chatClosed }
      guard message.reactions.count < rules.reactionKinds || message.reactions.contains(where: { $0.emoji == emoji })
      else {
        throw .limitReached("A message has at most \(rules.reactionKinds) kinds of reaction.")
      }
      return [.chatReacted(message: sequence, user: actor.user, emoji: emoji, isOn: true)]

    case .pinChat(let sequence, let isOn):
      try require(.pinChat, of: actor)
      let isPinned = chat.pins.contains(sequence)
      if !isPinned { _ = try message(sequence) }
      guard isPinned != isOn else { return [] }
      guard !isOn || chat.pins.count < rules.pins else {
        throw .limitReached("At most \(rules.pins) messages can be pinned.")
      }
      return [.chatPinned(message: sequence, isOn: isOn)]

    default: preconditionFailure("the other commands are not about chat")
    }
  }

  private func checkText(_ text: String) throws(Refusal) {
    guard Limits.chatTextBytes.contains(text.utf8.count), !text.allSatisfy(\.isWhitespace) else {
      throw .invalidField("text", "A message has 1 to \(Limits.chatTextBytes.upperBound) bytes and is not empty.")
    }
  }

  private func checkMayWrite(_ actor: Actor, isPrivate: Bool) throws(Refusal) {
    guard conduct.mayWrite(actor.role, isPrivate: isPrivate) else { throw .chatClosed }
  }

  /// Who answers must be able to read what is answered, and everybody who reads the answer, too.
  private func checkMayAnswer(_ sequence: UInt64, _ actor: Actor, isPrivate: Bool) throws(Refusal) {
    if let message = chat.message(sequence), !message.isDeleted { return }
    guard isPrivate, let message = conduct.privateChat.message(sequence),
      actor.role.isModerating || message.user == actor.user
    else { throw .noSuchMessage }
  }

  private func checkSlowMode(_ actor: Actor, at now: Timestamp) throws(Refusal) {
    #if PLANTED_BUGS
      if PlantedBugs.isActive(.slowModeIgnored) { return }
    #endif
    guard conduct.policy.slowModeSeconds > 0, !actor.role.isModerating, let last = conduct[actor.user]?.lastSaid
    else { return }
    let wait = Int64(conduct.policy.slowModeSeconds) * 1000 - now.milliseconds(since: last)
    if wait > 0 { throw .slowMode(wait) }
  }

  /// A message that is there.
  private func message(_ sequence: UInt64) throws(Refusal) -> ChatMessage {
    guard let message = chat.message(sequence), !message.isDeleted, !message.isErased else { throw .noSuchMessage }
    return message
  }

  /// Whether a text is one character, as people see it, with something to see.
  static func isEmoji(_ text: String) -> Bool {
    let scalars = text.unicodeScalars
    guard (1...Limits.emojiScalars).contains(scalars.count), text.count == 1, let character = text.first else {
      return false
    }
    return !character.isWhitespace
      && !scalars.contains { $0.properties.generalCategory == .control || $0.properties.generalCategory == .unassigned }
  }

  /// Takes in an event about the chat.
  mutating func applyChat(_ recorded: RecordedEvent) {
    let next = stream.last + 1
    func append(_ content: StreamEvent.Content) {
      stream.append(StreamEvent(sequence: next, at: recorded.at, by: recorded.by, content: content))
    }
    switch recorded.event {
    case .chatSent(let user, let name, let role, let text, let replyTo):
      let message = ChatMessage(
        streamSequence: next, sequence: recorded.sequence, at: recorded.at, user: user, name: name, role: role,
        text: text, replyTo: replyTo)
      noteSpoke(user, at: recorded.at)
      chat.append(message)
      append(.chat(message))
    case .privateChatSent(let user, let name, let role, let text, let replyTo):
      var message = ChatMessage(
        streamSequence: conduct.hosts.last + 1, sequence: recorded.sequence, at: recorded.at, user: user, name: name,
        role: role, text: text, replyTo: replyTo)
      message.ownSequence = role.isModerating ? 0 : conduct.stream(.user(user)).last + 1
      noteSpoke(user, at: recorded.at)
      conduct.privateChat.append(message)
      conduct.append(.chat(message), to: .hosts, at: recorded.at, by: recorded.by)
      // Who leads the class has it from the stream of the hosts.
      if !role.isModerating { conduct.append(.chat(message), to: .user(user), at: recorded.at, by: recorded.by) }
    case .chatEdited(let sequence, let text):
      _ = chat.update(sequence) { message in
        message.text = text
        message.editedAt = recorded.at
      }
      append(.edited(message: sequence, text: text))
    case .chatDeleted(let sequence):
      let number = chat.message(sequence)?.streamSequence ?? 0
      chat.pin(sequence, isOn: false)
      _ = chat.update(sequence) { $0.delete() }
      #if PLANTED_BUGS
        if PlantedBugs.isActive(.deletedMessageReturns) { return append(.deleted(message: sequence)) }
      #endif
      // What was taken back is not said again to those who come back.
      stream.update(number) { content in
        if case .chat(var message) = content {
          message.delete()
          content = .chat(message)
        }
      }
      stream.forgetEdits(of: sequence, after: number)
      append(.deleted(message: sequence))
    case .chatReacted(let sequence, let user, let emoji, let isOn):
      let count = chat.update(sequence) { $0.react(user, emoji: emoji, isOn: isOn) } ?? 0
      append(.reaction(message: sequence, emoji: emoji, count: count, user: user, isOn: isOn))
    case .chatPinned(let sequence, let isOn):
      chat.pin(sequence, isOn: isOn)
      append(.pinned(message: sequence, isOn: isOn))
    default: preconditionFailure("the other events are not about chat")
    }
  }

  /// The number of a message to the hosts in the stream from which its author gets it.
  func privateSequence(_ event: RecordedEvent) -> UInt64 {
    guard let message = conduct.privateChat.message(event.sequence), let own = message.ownSequence else { return 0 }
    return own > 0 ? own : message.streamSequence
  }

  private mutating func noteSpoke(_ user: String, at time: Timestamp) {
    if conduct.policy.slowModeSeconds > 0 { conduct.update(user) { $0.lastSaid = time } }
  }
}
