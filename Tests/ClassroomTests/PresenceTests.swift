import Testing

@testable import Classroom

@Suite("Presence")
struct PresenceTests {
  /// What a client holds that follows the rules of `protocol/README.md`, section 5.
  private struct Reader {
    var entries: [String: Presence.Participant] = [:]

    mutating func apply(_ difference: Presence.Difference, where isIncluded: (Role) -> Bool) {
      let changes = difference.changes(where: isIncluded)
      for participant in changes.joined + changes.updated { entries[participant.user] = participant }
      for user in changes.left { entries[user] = nil }
    }
  }

  private func everybody(in presence: Presence, where isIncluded: (Presence.Participant) -> Bool = { _ in true })
    -> [String: Presence.Participant]
  {
    let page = presence.page(limit: .max, where: isIncluded)
    return Dictionary(uniqueKeysWithValues: page.participants.map { ($0.user, $0) })
  }

  private static func change(_ presence: inout Presence, _ random: inout SeededGenerator) {
    let user = "u\(Int.random(in: 0..<12, using: &random))"
    let peer = "\(user)-\(Int.random(in: 0..<3, using: &random))"
    switch Int.random(in: 0..<10, using: &random) {
    case 0..<3:
      let role = Role.allCases[Int.random(in: 0..<Role.allCases.count, using: &random)]
      presence.enter(user: user, name: "N\(Int.random(in: 0..<3, using: &random))", role: role, at: .after(0))
    case 3..<5: presence.leave(user: user)
    case 5..<7:
      if presence[user]?.peers.contains(where: { $0.id == peer }) == false { presence.addPeer(peer, of: user) }
    case 7: presence.removePeer(peer, of: user)
    default:
      var media = Presence.Media()
      media.audio = .random(using: &random)
      media.video = .random(using: &random)
      presence.setMedia(media, of: peer, user: user)
    }
  }

  @Test("a snapshot at any moment and the later differences are the set at each difference", arguments: 0..<40)
  func snapshotAndDifferences(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var presence = Presence()
    var readers: [(full: Reader, hosts: Reader)] = []
    var last: UInt64 = 0
    for _ in 0..<400 {
      Self.change(&presence, &random)
      if Int.random(in: 0..<8, using: &random) == 0 {
        readers.append(
          (Reader(entries: everybody(in: presence)), Reader(entries: everybody(in: presence) { $0.role.isHosting })))
      }
      guard Int.random(in: 0..<6, using: &random) == 0, let difference = presence.takeDifference() else { continue }
      #expect(difference.sequence == last + 1)
      last = difference.sequence
      let all = everybody(in: presence)
      #expect(difference.count == all.count && presence.count == all.count)
      let hosts = everybody(in: presence) { $0.role.isHosting }
      for index in readers.indices {
        readers[index].full.apply(difference) { _ in true }
        readers[index].hosts.apply(difference, where: \.isHosting)
        #expect(readers[index].full.entries == all)
        #expect(readers[index].hosts.entries == hosts)
      }
      #expect(!presence.hasChanges)
      #expect(presence.takeDifference() == nil)
    }
  }

  @Test("who stops hosting goes from the readers of hosts")
  func roleChange() throws {
    var presence = Presence()
    presence.enter(user: "ada", name: "Ada", role: .host, at: .after(0))
    _ = presence.takeDifference()
    presence.enter(user: "ada", name: "Ada", role: .participant, at: .after(1))
    let taken = presence.takeDifference()
    let difference = try #require(taken)
    #expect(difference.changes(where: \.isHosting).left == ["ada"])
    #expect(difference.changes(where: { _ in true }).left == [])
    #expect(difference.changes(where: { _ in true }).updated.map(\.user) == ["ada"])
  }

  @Test("who came and went within one interval is told as gone, for those whose snapshot had them")
  func blink() throws {
    var presence = Presence()
    presence.enter(user: "ada", name: "Ada", role: .participant, at: .after(0))
    presence.enter(user: "ada", name: "Ada", role: .host, at: .after(0))
    presence.leave(user: "ada")
    let taken = presence.takeDifference()
    let difference = try #require(taken)
    #expect(difference.count == 0)
    #expect(difference.changes(where: { _ in true }).left == ["ada"])
    #expect(difference.changes(where: \.isHosting).left == ["ada"])
    #expect(difference.changes(where: { _ in true }).joined.isEmpty)
  }

  @Test("who leaves and comes back within one interval is updated, not joined")
  func backAtOnce() throws {
    var presence = Presence()
    presence.enter(user: "ada", name: "Ada", role: .participant, at: .after(0))
    _ = presence.takeDifference()
    presence.leave(user: "ada")
    presence.enter(user: "ada", name: "Ada", role: .participant, at: .after(9))
    let taken = presence.takeDifference()
    let changes = try #require(taken).changes(where: { _ in true })
    #expect(changes.updated.map(\.joinedAt) == [.after(9)])
    #expect(changes.joined.isEmpty && changes.left.isEmpty)
  }

  @Test("a participant sends what any of the tabs sends")
  func media() {
    var presence = Presence()
    presence.enter(user: "ada", name: "Ada", role: .participant, at: .after(0))
    presence.addPeer("p1", of: "ada")
    presence.addPeer("p2", of: "ada")
    #expect(presence["ada"]?.media == Presence.Media())
    var media = Presence.Media()
    media.audio = true
    presence.setMedia(media, of: "p1", user: "ada")
    media = Presence.Media()
    media.screen = true
    presence.setMedia(media, of: "p2", user: "ada")
    var both = Presence.Media()
    both.audio = true
    both.screen = true
    #expect(presence["ada"]?.media == both)
    #expect(presence.removePeer("p1", of: "ada") == 1)
    #expect(presence["ada"]?.media == media)
    #expect(presence.removePeer("p2", of: "ada") == 0)
    #expect(presence["ada"]?.peers == [])
    #expect(presence.count == 1, "a lost connection is not a leave")
  }

  @Test("changes of somebody who is not here are nothing")
  func unknownUser() {
    var presence = Presence()
    presence.addPeer("p", of: "ghost")
    presence.setMedia(Presence.Media(), of: "p", user: "ghost")
    #expect(presence.removePeer("p", of: "ghost") == 0)
    presence.leave(user: "ghost")
    #expect(!presence.hasChanges)
  }

  @Test("pages while people come and go neither lose nor double who is there all the time", arguments: 0..<30)
  func paging(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var presence = Presence()
    for number in 0..<100 { presence.enter(user: "s\(number)", name: "S", role: .participant, at: .after(0)) }
    var constant = Set((0..<100).map { "s\($0)" })
    var seen: [String] = []
    var cursor: UInt64 = 0
    while true {
      let page = presence.page(after: cursor, limit: 7)
      #expect(page.participants.count <= 7)
      seen += page.participants.map(\.user)
      guard let next = page.next else { break }
      #expect(page.participants.count == 7 && next > cursor)
      cursor = next
      for _ in 0..<6 {
        let user = "s\(Int.random(in: 0..<100, using: &random))"
        constant.remove(user)
        presence.leave(user: user)
        if Bool.random(using: &random) { presence.enter(user: user, name: "S", role: .participant, at: .after(1)) }
      }
      if seen.count > 400 { break }
    }
    let counts = Dictionary(seen.map { ($0, 1) }, uniquingKeysWith: +)
    for user in constant { #expect(counts[user] == 1) }
  }

  @Test("a page of exactly the limit is the last one")
  func exactPage() {
    var presence = Presence()
    for number in 0..<10 {
      presence.enter(user: "u\(number)", name: "U", role: number < 4 ? .host : .participant, at: .after(0))
    }
    #expect(presence.page(limit: 10).next == nil)
    #expect(presence.page(limit: 9).next == 9)
    #expect(presence.page(after: 9, limit: 9).participants.map(\.user) == ["u9"])
    #expect(presence.page(limit: 4, where: \.role.isHosting).next == nil, "nobody who is shown follows")
    #expect(presence.page(after: .max, limit: 4).participants.isEmpty)
  }

  @Test("a room that many passed through keeps no trace of them")
  func compaction() throws {
    var presence = Presence()
    presence.enter(user: "host", name: "H", role: .host, at: .after(0))
    for number in 0..<5000 {
      presence.enter(user: "u\(number)", name: "U", role: .participant, at: .after(0))
      presence.leave(user: "u\(number)")
    }
    let order =
      Mirror(reflecting: presence).children.first { $0.label == "order" }?.value as? [(ordinal: UInt64, user: String)]
    #expect(try #require(order).count < 100)
    #expect(presence.page(limit: 10).participants.map(\.user) == ["host"])
  }
}
