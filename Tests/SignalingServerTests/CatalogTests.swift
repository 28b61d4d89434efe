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
    ids(catalog.page(for: identity, status: status, after: nil, limit: 1000))
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
    var cursor: Catalog.Cursor?
    var added = 0
    repeat {
      let page = catalog.page(for: identity("u"), status: nil, after: cursor, limit: 4)
      seen += ids(page)
      cursor = page.next.flatMap { Catalog.Cursor($0.text) }
      // One before what was read, one behind it.
      catalog.publish(try view("new\(added)", minutes: 1000))
      catalog.publish(try view("old\(added)", minutes: -4))
      added += 1
    } while cursor != nil && added < 100
    let expected = before.sorted { Catalog.Cursor($0) < Catalog.Cursor($1) }.map(\.details.id)
    #expect(seen.filter { $0.hasPrefix("s") } == expected)
    #expect(Set(seen).count == seen.count)
    #expect(!seen.contains { $0.hasPrefix("new") })
  }

  @Test("there is a next page only when something is on it", arguments: [3, 4, 5])
  func lastPage(_ limit: Int) throws {
    let catalog = Catalog()
    for id in ["a", "b", "c", "d"] { catalog.publish(try view(id)) }
    catalog.publish(try view("e", visibility: .members))
    let page = catalog.page(for: identity("u"), status: nil, after: nil, limit: limit)
    #expect((page.next != nil) == (limit < 4))
  }

  @Test("a cursor of a session that has moved away still leads on")
  func staleCursor() throws {
    let catalog = Catalog()
    for id in ["a", "c", "e"] { catalog.publish(try view(id)) }
    let cursor = Catalog.Cursor("\(now.milliseconds).b")
    #expect(ids(catalog.page(for: identity("u"), status: nil, after: cursor, limit: 10)) == ["c", "e"])
  }

  @Test(
    "what no page gave is no cursor",
    arguments: ["", ".", "x", "1", "1.", ".a", "x.a", "1.a/b", "99999999999999999999.a"])
  func cursors(_ text: String) { #expect(Catalog.Cursor(text) == nil) }
}
