import Testing

@testable import Classroom

@Suite("The draft of a session")
struct SessionDraftTests {
  private func refusedField(
    id: String = "algebra", title: String = "Algebra", _ change: (inout SessionDraft) -> Void = { _ in }
  ) -> String? {
    var draft = SessionDraft(title: title)
    change(&draft)
    do throws(Refusal) {
      _ = try draft.validated(id: id, roomName: "r", host: "emmy", at: .after(0))
      return nil
    } catch {
      guard case .invalidField(let field, let sentence) = error else { return "\(error)" }
      #expect(sentence.hasSuffix("."))
      return field
    }
  }

  private func text(_ count: Int, of character: Character = "x") -> String {
    String(repeating: character, count: count)
  }

  @Test("defaults")
  func defaults() throws {
    let details = try SessionDraft(title: "Algebra").validated(id: "a", roomName: "r", host: "emmy", at: .after(7))
    #expect(
      details
        == SessionDetails(
          id: "a", title: "Algebra", description: "", instructor: "", kind: .video, host: "emmy",
          scheduledAt: .after(7), timeZone: "UTC", durationMinutes: 60, capacity: nil, admission: .approval,
          visibility: .listed, allowsGuests: false, roomName: "r", createdAt: .after(7)))
  }

  @Test("everything that was asked for arrives")
  func everything() throws {
    var draft = SessionDraft(title: "T")
    draft.description = "D"
    draft.instructor = "I"
    draft.kind = .inPerson
    draft.scheduledAt = .after(1000)
    draft.timeZone = "Asia/Kolkata"
    draft.durationMinutes = 90
    draft.capacity = 30
    draft.admission = .open
    draft.visibility = .members
    draft.allowsGuests = true
    let details = try draft.validated(id: "x", roomName: "r", host: "h", at: .after(0))
    #expect(
      details
        == SessionDetails(
          id: "x", title: "T", description: "D", instructor: "I", kind: .inPerson, host: "h", scheduledAt: .after(1000),
          timeZone: "Asia/Kolkata", durationMinutes: 90, capacity: 30, admission: .open, visibility: .members,
          allowsGuests: true, roomName: "r", createdAt: .after(0)))
  }

  @Test("the id")
  func id() {
    for id in ["a", "A-Z_09", text(64)] { #expect(refusedField(id: id) == nil, "\(id)") }
    for id in ["", text(65), "a b", "a/b", "ä", "a.b", "a\u{0}", "é"] { #expect(refusedField(id: id) == "id", "\(id)") }
  }

  @Test("the title")
  func title() {
    for title in ["x", text(200), text(200, of: "é"), text(66, of: "👩‍🏫"), " x "] {
      #expect(refusedField(title: title) == nil)
    }
    for title in ["", "   ", "\n", text(201)] { #expect(refusedField(title: title) == "title") }
  }

  @Test("what is stacked on one letter counts towards the length")
  func graphemes() {
    let letter = "e" + String(repeating: "\u{301}", count: 10_000)
    #expect(letter.count == 1)
    #expect(refusedField(title: letter) == "title")
    #expect(refusedField { $0.instructor = letter } == "instructor")
    #expect(refusedField { $0.description = letter } == "description")
    #expect(refusedField(title: text(67, of: "👩‍🏫")) == "title")
  }

  @Test("description and instructor")
  func texts() {
    #expect(refusedField { $0.description = text(10_000) } == nil)
    #expect(refusedField { $0.description = text(10_001) } == "description")
    #expect(refusedField { $0.instructor = text(200) } == nil)
    #expect(refusedField { $0.instructor = text(201) } == "instructor")
  }

  @Test(
    "the duration",
    arguments: [
      (1, nil), (1440, nil), (0, "duration_minutes"), (1441, "duration_minutes"), (.min, "duration_minutes"),
      (.max, "duration_minutes"),
    ] as [(Int, String?)])
  func duration(minutes: Int, field: String?) {
    #expect(refusedField { $0.durationMinutes = minutes } == field)
  }

  @Test(
    "the capacity",
    arguments: [(nil, nil), (1, nil), (1_000_000, nil), (0, "capacity"), (-1, "capacity"), (1_000_001, "capacity")]
      as [(Int?, String?)])
  func capacity(capacity: Int?, field: String?) {
    #expect(refusedField { $0.capacity = capacity } == field)
  }

  @Test("the time zone")
  func timeZone() {
    for zone in ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+5", "Etc/GMT-14", text(64)] {
      #expect(refusedField { $0.timeZone = zone } == nil, "\(zone)")
    }
    for zone in ["", text(65), "Europe Berlin", "Zürich", "a;b"] {
      #expect(refusedField { $0.timeZone = zone } == "time_zone", "\(zone)")
    }
  }

  @Test("the start: a little in the past, at most ten years ahead")
  func start() {
    let past = SessionDraft.Limits.pastToleranceMilliseconds
    let future = SessionDraft.Limits.futureMilliseconds
    #expect(past == 300_000)
    #expect(refusedField { $0.scheduledAt = .after(-past) } == nil)
    #expect(refusedField { $0.scheduledAt = .after(-past - 1) } == "scheduled_at")
    #expect(refusedField { $0.scheduledAt = .after(future) } == nil)
    #expect(refusedField { $0.scheduledAt = .after(future + 1) } == "scheduled_at")
    #expect(refusedField { $0.scheduledAt = Timestamp(milliseconds: .max) } == "scheduled_at")
    #expect(refusedField { $0.scheduledAt = Timestamp(milliseconds: .min) } == "scheduled_at")
  }
}
