import Classroom
import JSON
import RoomShard
import SignalingClient

// What people do with their hands, their messages and each other.
extension Tab {
  /// Something that somebody could ask for now: by who may, and now and then by who may not.
  func conductRequest(_ random: inout Randomness) -> ConductRequest? {
    let leads = view.conduct.hosts != nil
    return leads && random.chance(0.6) || random.chance(0.05) ? decision(&random) : remark(&random)
  }

  private func remark(_ random: inout Randomness) -> ConductRequest? {
    let messages = view.conduct.texts.keys.sorted()
    switch random.int(0...9) {
    case 0, 1: return .raiseHand
    case 2: return .lowerHand()
    case 3, 4:
      guard let message = random.pick(messages) else { return nil }
      return .react(to: message, emoji: random.pick(["👍", "❤️", "🇩🇪", "👩‍🏫"]) ?? "👍", on: random.chance(0.7))
    case 5:
      // Mostly the own ones; of others it is refused.
      let own = messages.filter { view.conduct.texts[$0]?.contains("/\(name)/") == true }
      guard let message = random.pick(random.chance(0.9) ? own : messages) else { return nil }
      return .edit(message, text: "\(view.session)/\(name)/changed \(world.nextText())")
    case 6:
      let own = messages.filter { view.conduct.texts[$0]?.contains("/\(name)/") == true }
      return random.pick(random.chance(0.9) ? own : messages).map { .delete($0) }
    case 7: return .tellHosts("\(view.session)/\(name)/private \(world.nextText())")
    case 8 where random.chance(0.2): return .leaveStage
    case 8: return .typing(on: random.chance(0.7))
    default: return .away(on: random.chance(0.5))
    }
  }

  private func decision(_ random: inout Randomness) -> ConductRequest? {
    let people = view.participants.keys.sorted()
    guard let user = random.pick(people.isEmpty ? world.people.map(\.user) : people) else { return nil }
    if random.chance(0.2) { return stageDecision(about: user, &random) }
    switch random.int(0...19) {
    case 0..<3: return .mute(user, on: random.chance(0.6))
    case 3..<5: return .muteAll(on: random.chance(0.4), unmuteAllowed: random.chance(0.3))
    case 5..<7: return .askToUnmute(user)
    case 7: return .remove(user)
    case 8: return random.chance(0.4) ? .ban(user) : .remove(user)
    case 9, 10: return random.pick(world.people).map { .unban($0.user) }
    case 11: return .promote(user)
    case 12: return .demote(user)
    case 13: return .spotlight(random.chance(0.8) ? user : nil)
    case 14: return .lowerAllHands
    case 15: return .lowerHand(of: user)
    case 16: return .lock(on: random.chance(0.3))
    case 17:
      return .policy(
        chat: random.pick(["open", "open", "open", "hosts", "off"]), slowModeSeconds: random.chance(0.3) ? 2 : 0)
    default:
      return random.pick(view.conduct.texts.keys.sorted()).map { .pin($0, on: random.chance(0.6)) }
    }
  }

  /// Does something of that by hand.
  func conduct(_ random: inout Randomness) {
    guard let request = conductRequest(&random) else { return }
    var sent = Sent(type: "\(request.type)", time: world.serverNow)
    // What it asks for is read as a server would, so that the checks know of it.
    var writer = JSONWriter()
    writer.object { request.write(&$0) }
    var reader = JSONReader()
    do {
      try reader.read(writer.bytes) { note("\(request.type)", $0, &sent) }
    } catch {
      world.fail("client machine", "\(name): writes what cannot be read: \(error)")
    }
    send("\(request.type)", sent) { request.write(&$0) }
  }

  private func note(_ type: String, _ fields: JSONView, _ sent: inout Sent) {
    switch type {
    case "chat.send": sent.type = "private chat"
    case "chat.edit":
      world.history.willEdit(fields["message"]?.string ?? "", text: fields["text"]?.string ?? "", session: view.session)
    case "chat.delete": world.history.willDelete(fields["message"]?.string ?? "", session: view.session)
    default: world.willDecide(type, about: fields["user"]?.string ?? "", in: view.session, &sent)
    }
  }
}

extension World {
  /// A command about somebody goes out that may change what that person is, or is allowed to.
  func willDecide(_ type: String, about user: String, in session: String, _ sent: inout Tab.Sent) {
    switch type {
    case "participant.remove": sent.expulsion = willExpel(user, from: session)
    case "participant.ban":
      sent.expulsion = willExpel(user, from: session)
      sent.demoted = user
    case "participant.promote": sent.promotion = promotions.asked(for: user, in: session)
    case "participant.demote": sent.demoted = user
    default: break
    }
  }

  /// Somebody is asked to be sent out: attendance may end, and the address with it.
  func willExpel(
    _ user: String, from session: String, isOwnWish: Bool = false
  ) -> AttendanceModel.Expulsion {
    disturb()
    let expulsion = AttendanceModel.Expulsion(
      user: user, session: session, asked: serverNow, isOwnWish: isOwnWish)
    attendance.add(expulsion)
    return expulsion
  }

  /// Nobody who is banned is in, and nobody is heard who may not speak.
  func checkConduct(of loop: SimulatedLoop) {
    for session in loop.shard.sessions {
      loop.shard.withConduct(of: session) { conduct, presence in
        for person in conduct.banCount > 0 ? Array(conduct.people.values) : [] where person.ban != nil {
          // Who owns the session or manages all may have been banned before anybody knew that.
          guard let role = presence[person.user]?.role, role != .host, role != .admin else { continue }
          fail("banned", "\(person.user) is banned from \(session) and in it")
        }
        checkStage(of: session, conduct.stage, presence)
        for user in presence.speakers {
          guard let role = presence[user]?.role else { continue }
          if !conduct.maySpeak(user, role: role) { fail("muted", "\(user) in \(session) may not speak and is heard") }
        }
      }
    }
  }

  /// When nothing goes wrong any more, everybody comes to see the same of how people behave.
  func checkConduct(of classroom: Classroom, seenBy tab: Tab) {
    let view = tab.view
    func expect(_ condition: Bool, _ detail: String) {
      if !condition { fail("convergence", "\(tab.name) in \(classroom.id): \(detail)") }
    }
    let conduct = classroom.conduct
    let owns = classroom.details.host == view.user || tab.person.identity?.role == .admin
    expect(!conduct.isBanned(view.user) || owns, "is banned and in")
    if let hosts = view.conduct.hosts {
      expect(hosts == Int64(conduct.hosts.last), "has \(hosts) of the hosts' \(conduct.hosts.last)")
    }
    let own = conduct.stream(.user(view.user)).last
    expect(view.conduct.own == Int64(own), "has \(view.conduct.own) of the own \(own)")
    let policy = conduct.policy
    let flags = [policy.isMuted, policy.isUnmuteAllowed, policy.isLocked].map { $0 ? "1" : "0" }.joined()
    expect(
      view.conduct.policy == "\(flags) \(policy.chat.rawValue) \(policy.slowModeSeconds)",
      "sees the policy \(view.conduct.policy), it is \(policy)")
    expect(view.conduct.stage == ConductView.text(of: conduct.stage), "sees the stage \(view.conduct.stage)")
    expect(view.conduct.pins == classroom.chat.pins.map { "m\($0)" }, "sees the pins \(view.conduct.pins)")
    for (id, text) in view.conduct.texts {
      guard let sequence = UInt64(id.dropFirst()), let message = classroom.chat.message(sequence) else { continue }
      expect(message.text == text, "sees \(id) as \(text), it is \(message.text)")
      let counts = Dictionary(uniqueKeysWithValues: message.reactions.map { ($0.emoji, Int64($0.users.count)) })
      expect((view.conduct.reactions[id] ?? [:]) == counts, "sees other reactions to \(id)")
    }
    guard view.state == .present else { return }
    expect(view.conduct.spotlight == conduct.spotlight, "sees \(view.conduct.spotlight ?? "nobody") large")
    guard view.mode == "full" else { return }
    let present = Set(view.participants.keys)
    expect(view.hands == conduct.hands.users.filter(present.contains), "sees the hands \(view.hands)")
    for (user, participant) in view.participants {
      expect(participant.isMuted == conduct.isMuted(user), "sees \(user) muted: \(participant.isMuted)")
    }
  }
}
