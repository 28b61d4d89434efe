import Classroom
import JSON

// The fields of a session as clients write them, over WebSocket and HTTP alike.

extension SessionDraft {
  /// Reads the fields of a new session. Those that are null count as absent.
  public init(reading view: JSONView) throws(ProtocolError) {
    guard view.kind == .object else { throw ProtocolError(.malformedJSON, "The body is not a JSON object.") }
    let fields = CommandFields(view)
    guard let title = try fields.text("title") else {
      throw ProtocolError(.missingField, "The field title is missing.", field: "title")
    }
    self.init(title: title)
    id = try fields.text("id")
    description = try fields.text("description") ?? description
    instructor = try fields.text("instructor") ?? instructor
    kind = try fields.optionalChoice("kind", SessionDetails.Kind.self) ?? kind
    host = try fields.text("host")
    start = try fields.start()
    timeZone = try fields.text("time_zone") ?? timeZone
    durationMinutes = try fields.number("duration_minutes") ?? durationMinutes
    capacity = try fields.number("capacity")
    admission = try fields.optionalChoice("admission", SessionDetails.Admission.self) ?? admission
    visibility = try fields.optionalChoice("visibility", SessionDetails.Visibility.self) ?? visibility
    allowsGuests = try fields.optionalBoolean("guests") ?? allowsGuests
    materials = try fields.materials() ?? materials
    meetingURL = try fields.text("meeting_url")
    videoURL = try fields.text("video_url")
    thumbnailURL = try fields.text("thumbnail")
    recordingURL = try fields.text("recording_url")
    reminders = try fields.numbers("reminders") ?? reminders
    hasWaitingRoom = try fields.optionalBoolean("waiting_room") ?? hasWaitingRoom
    course = try fields.text("course") ?? course
    tags = try fields.texts("tags") ?? tags
    invited = try fields.invitations("invited") ?? invited
  }
}

extension SessionPatch {
  /// Reads the fields that are to change: an optional one that is null is cleared, any other one that is null stays.
  public init(reading view: JSONView) throws(ProtocolError) {
    guard view.kind == .object else { throw ProtocolError(.malformedJSON, "The body is not a JSON object.") }
    let fields = CommandFields(view)
    self.init()
    title = try fields.text("title")
    description = try fields.text("description")
    instructor = try fields.text("instructor")
    kind = try fields.optionalChoice("kind", SessionDetails.Kind.self)
    start = try fields.start()
    timeZone = try fields.text("time_zone")
    durationMinutes = try fields.number("duration_minutes")
    capacity = view["capacity"]?.isNull == true ? .clear : try fields.number("capacity").map { .set($0) } ?? .keep
    admission = try fields.optionalChoice("admission", SessionDetails.Admission.self)
    visibility = try fields.optionalChoice("visibility", SessionDetails.Visibility.self)
    allowsGuests = try fields.optionalBoolean("guests")
    materials = try fields.materials()
    meetingURL = try fields.clearable("meeting_url")
    videoURL = try fields.clearable("video_url")
    thumbnailURL = try fields.clearable("thumbnail")
    recordingURL = try fields.clearable("recording_url")
    reminders = try fields.numbers("reminders")
    hasWaitingRoom = try fields.optionalBoolean("waiting_room")
    course = try fields.text("course")
    tags = try fields.texts("tags")
  }
}

extension ScheduleChange {
  /// Reads `scheduled_at`, and if any `time_zone` and `duration_minutes`.
  public init(reading view: JSONView) throws(ProtocolError) {
    guard view.kind == .object else { throw ProtocolError(.malformedJSON, "The body is not a JSON object.") }
    let fields = CommandFields(view)
    guard let start = try fields.start() else {
      throw ProtocolError(.missingField, "The field scheduled_at is missing.", field: "scheduled_at")
    }
    self.init(
      start: start, timeZone: try fields.text("time_zone"), durationMinutes: try fields.number("duration_minutes"))
  }
}

extension Roster.Invitation {
  /// Reads a list of people: each an object with `user`, and if any `name` and `email`.
  public static func list(reading view: JSONView, field: StaticString) throws(ProtocolError) -> [Roster.Invitation]? {
    guard view.kind == .object else { throw ProtocolError(.malformedJSON, "The body is not a JSON object.") }
    return try CommandFields(view).invitations(field)
  }
}

extension CommandFields {
  /// A text of any length: the domain says what is too long.
  func text(_ name: StaticString) throws(ProtocolError) -> String? {
    guard let value = value(name) else { return nil }
    guard let text = value.string else { throw invalid(name, "a string") }
    return text
  }

  func number(_ name: StaticString) throws(ProtocolError) -> Int? {
    guard let value = value(name) else { return nil }
    guard let number = value.integer.flatMap(Int.init(exactly:)) else { throw invalid(name, "an integer") }
    return number
  }

  func start() throws(ProtocolError) -> ScheduledTime? {
    guard let text = try text("scheduled_at") else { return nil }
    guard let time = ScheduledTime(text) else {
      throw invalid(
        "scheduled_at", "a time such as 2026-01-01T09:00:00Z, or without the Z one of the time zone's clocks")
    }
    return time
  }

  func clearable(_ name: StaticString) throws(ProtocolError) -> SessionPatch.Clearable<String> {
    if isNull(name) { return .clear }
    return try text(name).map { .set($0) } ?? .keep
  }

  private func elements<Element>(
    _ name: StaticString, _ expectation: String, _ body: (JSONView) -> Element?
  ) throws(ProtocolError) -> [Element]? {
    guard let value = value(name) else { return nil }
    guard value.kind == .array else { throw invalid(name, expectation) }
    var elements: [Element] = []
    for element in value.elements {
      guard let read = body(element) else { throw invalid(name, expectation) }
      elements.append(read)
    }
    return elements
  }

  func texts(_ name: StaticString) throws(ProtocolError) -> [String]? {
    try elements(name, "an array of strings") { $0.string }
  }

  func numbers(_ name: StaticString) throws(ProtocolError) -> [Int]? {
    try elements(name, "an array of integers") { $0.integer.flatMap(Int.init(exactly:)) }
  }

  func materials() throws(ProtocolError) -> [SessionDetails.Material]? {
    try elements("materials", "an array of objects with title and url") { element in
      guard element.kind == .object, let title = element["title"]?.string, let url = element["url"]?.string else {
        return nil
      }
      return SessionDetails.Material(title: title, url: url)
    }
  }

  func invitations(_ name: StaticString) throws(ProtocolError) -> [Roster.Invitation]? {
    try elements(name, "an array of objects with user, and if any name and email") { element in
      guard element.kind == .object, let user = element["user"]?.string else { return nil }
      var person = Roster.Invitation(user: user, name: "")
      if let name = element["name"], !name.isNull {
        guard let text = name.string else { return nil }
        person.name = text
      }
      if let email = element["email"], !email.isNull {
        guard let text = email.string else { return nil }
        person.email = text
      }
      return person
    }
  }
}
