import Classroom
import HTTPCore
import JSON
import SignalingProtocol

extension SessionDraft {
  /// Reads the body of `POST /api/sessions/`.
  init(json body: [UInt8]) throws(ProtocolError) {
    var reader = JSONReader()
    self = try reader.read(
      body, maximumDepth: ProtocolLimits.jsonDepth,
      failure: { _ in ProtocolError(.malformedJSON, "The body is not JSON.") }
    ) { view throws(ProtocolError) in
      guard view.kind == .object else { throw ProtocolError(.malformedJSON, "The body is not a JSON object.") }
      return try SessionDraft(fields: BodyFields(view: view))
    }
  }

  private init(fields: BodyFields) throws(ProtocolError) {
    guard let title = try fields.string("title") else {
      throw ProtocolError(.missingField, "The field title is missing.", field: "title")
    }
    self.init(title: title)
    id = try fields.string("id")
    description = try fields.string("description") ?? description
    instructor = try fields.string("instructor") ?? instructor
    kind = try fields.choice("kind") ?? kind
    if let text = try fields.string("scheduled_at") {
      guard let time = RFC3339.parse(text) else {
        throw fields.invalid("scheduled_at", "a time such as 2026-01-01T09:00:00Z")
      }
      scheduledAt = time
    }
    timeZone = try fields.string("time_zone") ?? timeZone
    durationMinutes = try fields.integer("duration_minutes") ?? durationMinutes
    capacity = try fields.integer("capacity")
    admission = try fields.choice("admission") ?? admission
    visibility = try fields.choice("visibility") ?? visibility
    allowsGuests = try fields.boolean("guests") ?? allowsGuests
  }
}

/// Typed access to the fields of a body; null counts as absent.
private struct BodyFields {
  let view: JSONView

  private func value(_ name: StaticString) -> JSONView? {
    guard let value = view[name], !value.isNull else { return nil }
    return value
  }

  func invalid(_ name: StaticString, _ expectation: String) -> ProtocolError {
    ProtocolError(.invalidField, "The field \(name) is \(expectation).", field: "\(name)")
  }

  func string(_ name: StaticString) throws(ProtocolError) -> String? {
    guard let value = value(name) else { return nil }
    guard let string = value.string else { throw invalid(name, "a string") }
    return string
  }

  func integer(_ name: StaticString) throws(ProtocolError) -> Int? {
    guard let value = value(name) else { return nil }
    guard let integer = value.integer.flatMap(Int.init(exactly:)) else { throw invalid(name, "an integer") }
    return integer
  }

  func boolean(_ name: StaticString) throws(ProtocolError) -> Bool? {
    guard let value = value(name) else { return nil }
    guard let boolean = value.boolean else { throw invalid(name, "true or false") }
    return boolean
  }

  func choice<Choice: RawRepresentable & CaseIterable>(_ name: StaticString) throws(ProtocolError) -> Choice?
  where Choice.RawValue == String {
    guard let string = try string(name) else { return nil }
    guard let choice = Choice(rawValue: string) else {
      throw invalid(name, "one of \(Choice.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    return choice
  }
}

/// What `GET /api/sessions/` may be asked for.
struct SessionListQuery {
  /// The sessions of a page when the client names no number.
  static let defaultLimit = 50
  /// The sessions of one page.
  static let maximumLimit = 100

  var status: SessionStatus?
  var cursor: Catalog.Cursor?
  var limit = Self.defaultLimit

  init(_ request: HTTPRequest) throws(ProtocolError) {
    if let text = request.target.queryValue("status"), !text.isEmpty {
      let name = ["live", "in-progress"].contains(text) ? SessionStatus.ongoing.rawValue : text
      guard let known = SessionStatus(rawValue: name) else {
        let names = SessionStatus.allCases.map(\.rawValue).joined(separator: ", ")
        throw ProtocolError(.invalidField, "The status is one of live, \(names).", field: "status")
      }
      status = known
    }
    if let text = request.target.queryValue("limit") {
      guard let number = Int(text), (1...Self.maximumLimit).contains(number) else {
        throw ProtocolError(.invalidField, "The limit is 1 to \(Self.maximumLimit).", field: "limit")
      }
      limit = number
    }
    if let text = request.target.queryValue("cursor") {
      guard let known = Catalog.Cursor(text) else {
        throw ProtocolError(.invalidField, "The cursor is not one that a page gave.", field: "cursor")
      }
      cursor = known
    }
  }
}
