import Testing

@testable import Classroom
@testable import SignalingServer

@Suite("The list of sessions")
struct CatalogTests {
  private let now = Timestamp(milliseconds: 1_767_225_600_000)

  private func identity(
    _ user: String, role: Role = .participant, session: String? = nil, isGuest: Bool = false
  ) -> Identity {
    Identity(user: user, name: user, role: role, session: session, isGuest: isGuest, expiresAt: now)
  }

  private func view(
    _ id: String, minutes: Int64 = 0, host: String = "teacher", visibility: SessionDetails.Visibility = .listed,
    status: SessionStatus = .scheduled
  ) throws -> SessionView {
    var draft = SessionDraft(title: id)
    draft.scheduledAt = now.advanced(byMilliseconds: minutes * 60_000)
    draft.visibility = visibility
    let details = try draft.validated(id: id, roomName: id, host: host, at: now)
    var view = try #require(Classroom(Classroom.creation(details, epoch: "e", by: host))).view
    view.status = status
    return view
  }

  private func ids(_ page: Catalog.Page) -> [String] { page.sessions.map(\.details.id) }

  private func all(_ catalog: Catalog, _ identity: Identity, status: SessionStatus? = nil) -> [String] {
    all(catalog, identity) { if let status { $0.statuses = SessionStatusSet(status) } }
  }

  private func all(
    _ catalog: Catalog, _ identity: Identity, _ change: (inout SessionFilter) -> Void
  ) -> [String] {
    var filter = SessionFilter()
    filter.limit = 1000
    change(&filter)
    return ids(catalog.page(filter, for: identity))
  }

  @Test("the newest start comes first, equal starts go by id")
  func order() throws {
    let catalog = Catalog()
    for (id, minutes) in [("b", 10), ("d", 30), ("a", 10), ("c", 20)] as [(String, Int64)] {
      catalog.publish(try view(id, minutes: minutes))
    }
    #expect(all(catalog, identity("u")) == ["d", "c", "a", "b"])
  }

  @Test("a session that changes stays one entry in its place")
  func changes() throws {
    let catalog = Catalog()
    for id in ["a", "b", "c"] { catalog.publish(try view(id)) }
    catalog.publish(try view("b", status: .ongoing))
    #expect(all(catalog, identity("u")) == ["a", "b", "c"])
    #expect(all(catalog, identity("u"), status: .ongoing) == ["b"])
    #expect(all(catalog, identity("u"), status: .scheduled) == ["a", "c"])
    #expect(all(catalog, identity("u"), status: .completed) == [])
  }

  @Test("hidden sessions are shown to their host and to admins only")
  func visibility() throws {
    let catalog = Catalog()
    catalog.publish(try view("open"))
    catalog.publish(try view("secret", visibility: .members))
    #expect(all(catalog, identity("u")) == ["open"])
    #expect(all(catalog, identity("u", role: .host)) == ["open"])
    #expect(all(catalog, identity("teacher")) == ["open", "secret"])
    #expect(all(catalog, identity("root", role: .admin)) == ["open", "secret"])
    #expect(all(catalog, identity("g", isGuest: true)) == [])
    #expect(all(catalog, identity("teacher", isGuest: true)) == [], "a guest who calls himself like the host")
    #expect(all(catalog, identity("u", session: "secret")) == ["secret"])
    #expect(all(catalog, identity("root", role: .admin, session: "open")) == ["open"])
  }

  @Test("pages follow each other without a gap or an overlap, also while sessions are added")
  func pages() throws {
    let catalog = Catalog()
    let before = try (0..<25).map { try view("s\($0)", minutes: Int64($0 / 3)) }
    for view in before { catalog.publish(view) }
    var seen: [String] = []
    var filter = SessionFilter()
    filter.limit = 4
    var added = 0
    repeat {
      let page = catalog.page(filter, for: identity("u"))
      seen += ids(page)
      filter.after = page.next
      // One before what was read, one behind it.
      catalog.publish(try view("new\(added)", minutes: 1000))
      catalog.publish(try view("old\(added)", minutes: -4))
      added += 1
    } while filter.after != nil && added < 100
    let expected = before.sorted {
      ($1.details.scheduledAt, $0.details.id) < ($0.details.scheduledAt, $1.details.id)
    }.map(\.details.id)
    #expect(seen.filter { $0.hasPrefix("s") } == expected)
    #expect(Set(seen).count == seen.count)
    #expect(!seen.contains { $0.hasPrefix("new") })
  }

  @Test("there is a next page only when something is on it", arguments: [3, 4, 5])
  func lastPage(_ limit: Int) throws {
    let catalog = Catalog()
    for id in ["a", "b", "c", "d"] { catalog.publish(try view(id)) }
    catalog.publish(try view("e", visibility: .members))
    var filter = SessionFilter()
    filter.limit = limit
    let page = catalog.page(filter, for: identity("u"))
    #expect((page.next != nil) == (limit < 4))
  }

  @Test("a cursor of a session that has moved away still leads on")
  func staleCursor() throws {
    let catalog = Catalog()
    for id in ["a", "c", "e"] { catalog.publish(try view(id)) }
    let after = SlotPosition(time: now.milliseconds, id: "b")
    #expect(all(catalog, identity("u")) { $0.after = after } == ["c", "e"])
    #expect(
      all(catalog, identity("u")) {
        $0.after = after
        $0.order = .soonestFirst
      } == ["a"])
  }

  // MARK: Filters

  @Test("hosted, registered and attended are what somebody has to do with a session")
  func mine() throws {
    let catalog = Catalog()
    for id in ["a", "b", "c"] { catalog.publish(try view(id, host: id == "a" ? "u" : "teacher", visibility: .members)) }
    catalog.relate("u", to: "b", .registered)
    catalog.relate("u", to: "c", [.registered, .attended])
    #expect(all(catalog, identity("u")) { $0.mine = .hosted } == ["a"])
    #expect(all(catalog, identity("u")) { $0.mine = .registered } == ["b", "c"])
    #expect(all(catalog, identity("u")) { $0.mine = .attended } == ["c"])
    #expect(all(catalog, identity("u")) == ["a", "b", "c"], "what is not listed is seen by its people")
    catalog.relate("u", to: "b", [])
    #expect(all(catalog, identity("u")) == ["a", "c"])
  }

  @Test("a place that a session gave up is nobody's: people of the old one do not see the new one")
  func reusedSlots() throws {
    let catalog = Catalog()
    for number in 0..<5000 {
      catalog.publish(try view("s\(number)", visibility: .members))
      catalog.relate("u", to: "s\(number)", [.registered, .attended])
    }
    for number in 0..<5000 { catalog.retract("s\(number)") }
    for number in 0..<5000 { catalog.publish(try view("t\(number)", visibility: .members)) }
    #expect(all(catalog, identity("u")) == [])
    #expect(all(catalog, identity("teacher")) { $0.mine = .attended } == [])
    #expect(all(catalog, identity("root", role: .admin)).count == 1000)
  }

  @Test("a search finds sessions of which some word begins with each word that is given")
  func search() throws {
    let catalog = Catalog()
    for (id, title) in [
      ("a", "Linear Algebra II"), ("b", "Algèbre linéaire"), ("c", "Geometry: lines"), ("d", "日本語 入門"),
    ] {
      var view = try view(id)
      view.details.title = title
      catalog.publish(view)
    }
    func found(_ text: String) -> [String] {
      all(catalog, identity("u")) { $0.words = SearchWords.words(of: [text]) }
    }
    #expect(found("algebra") == ["a"])
    #expect(found("ALG") == ["a", "b"])
    #expect(found("lin alg") == ["a", "b"])
    #expect(found("l") == ["a", "b", "c"])
    #expect(found("日本") == ["d"])
    #expect(found("gebra") == [])
    var changed = try view("a")
    changed.details.title = "Topology"
    catalog.publish(changed)
    #expect(found("alg") == ["b"] && found("topo") == ["a"])
    catalog.retract("b")
    #expect(found("alg") == [])
  }

  @Test("filters in any combination find what a look at every session finds")
  func filters() throws {
    var random = SystemRandomNumberGenerator()
    let catalog = Catalog()
    var views: [String: SessionView] = [:]
    var relations: [String: Relation] = [:]
    func change(_ number: Int) throws {
      let id = "s\(number)"
      var view = try view(
        id, minutes: Int64.random(in: 0...20, using: &random),
        host: ["u", "v", "w"].randomElement(using: &random) ?? "u",
        visibility: Bool.random(using: &random) ? .listed : .members,
        status: SessionStatus.allCases.randomElement(using: &random) ?? .scheduled)
      view.details.title = ["red apple", "green apple", "red pear"].randomElement(using: &random) ?? ""
      view.details.course = ["", "x", "y"].randomElement(using: &random) ?? ""
      view.details.tags = ["p", "q", "r"].filter { _ in Bool.random(using: &random) }
      view.details.kind = SessionDetails.Kind.allCases.randomElement(using: &random) ?? .video
      views[id] = view
      catalog.publish(view)
      let relation = Relation(rawValue: UInt8.random(in: 0...3, using: &random))
      relations[id] = relation
      catalog.relate("u", to: id, relation)
    }
    for number in 0..<300 { try change(number) }
    for round in 0..<300 {
      try change(Int.random(in: 0..<300, using: &random))
      if round % 10 == 0, let id = views.keys.randomElement(using: &random) {
        catalog.retract(id)
        views[id] = nil
      }
      var filter = SessionFilter()
      filter.limit = 1000
      if Bool.random(using: &random) { filter.statuses = SessionStatusSet(rawValue: UInt8.random(in: 0...127)) }
      filter.mine = ([nil, nil] + SessionFilter.Mine.allCases).randomElement(using: &random) ?? nil
      filter.course = [nil, "x", "z"].randomElement(using: &random) ?? nil
      filter.tag = [nil, "p", "z"].randomElement(using: &random) ?? nil
      filter.kind = [nil, .audio].randomElement(using: &random) ?? nil
      filter.words = SearchWords.words(of: [["", "app", "red p", "none"].randomElement(using: &random) ?? ""])
      filter.from = [nil, now.advanced(byMilliseconds: 300_000)].randomElement(using: &random) ?? nil
      filter.to = [nil, now.advanced(byMilliseconds: 900_000)].randomElement(using: &random) ?? nil
      filter.order = Bool.random(using: &random) ? .newestFirst : .soonestFirst
      let isAdmin = Int.random(in: 0...3, using: &random) == 0
      let expected = views.values.filter { view in
        fits(view, filter, relation: relations[view.details.id] ?? [], isAdmin: isAdmin)
      }
      let asked = identity("u", role: isAdmin ? .admin : .participant)
      let found = catalog.page(filter, for: asked).sessions
      #expect(Set(found.map(\.details.id)) == Set(expected.map(\.details.id)), "\(filter)")
      let times = found.map(\.details.scheduledAt)
      #expect(times == (filter.order == .newestFirst ? times.sorted(by: >) : times.sorted()))
    }
  }

  private func fits(_ view: SessionView, _ filter: SessionFilter, relation: Relation, isAdmin: Bool) -> Bool {
    let details = view.details
    let isMine =
      switch filter.mine {
      case nil: true
      case .hosted: details.host == "u"
      case .registered: relation.contains(.registered)
      case .attended: relation.contains(.attended)
      }
    let words = SearchWords.words(of: [details.title, details.course] + details.tags)
    return isMine && (isAdmin || view.isListedForAll || details.host == "u" || relation.contains(.registered))
      && filter.statuses.contains(view.status) && (filter.kind ?? details.kind) == details.kind
      && (filter.course ?? details.course) == details.course
      && (filter.tag.map(details.tags.contains) ?? true)
      && filter.words.allSatisfy { word in words.contains { $0.hasPrefix(word) } }
      && (filter.from.map { details.scheduledAt >= $0 } ?? true) && (filter.to.map { details.scheduledAt < $0 } ?? true)
  }
}

@Suite("Cursors")
struct PageCursorTests {
  private let cursors = PageCursors(secret: TestServer.secret)
  private let position = SlotPosition(time: 1_767_225_600_000, id: "algebra")

  @Test("a cursor leads back to its place, in its own list only")
  func roundTrip() {
    let text = cursors.seal(position, of: "sessions\0u")
    #expect(cursors.open(text, of: "sessions\0u") == position)
    #expect(cursors.open(text, of: "sessions\0v") == nil)
    #expect(cursors.open(text, of: "upcoming\0u") == nil)
    #expect(PageCursors(secret: Array(TestServer.secret.reversed())).open(text, of: "sessions\0u") == nil)
  }

  @Test("every change of a character makes it another's")
  func forged() {
    let text = Array(cursors.seal(position, of: "l"))
    for index in text.indices {
      for other in "Aa0_-. " where other != text[index] {
        var forged = text
        forged[index] = other
        #expect(cursors.open(String(forged), of: "l") == nil)
      }
      #expect(cursors.open(String(text[..<index]), of: "l") == nil)
    }
  }

  @Test("what no page gave is no cursor", arguments: ["", ".", "x", "1.a", "AAAAAAAAAAAAAAAAAAAAAAAA", "é", "=="])
  func nonsense(_ text: String) { #expect(cursors.open(text, of: "l") == nil) }
}
