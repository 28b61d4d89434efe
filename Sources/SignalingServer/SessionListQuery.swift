import Classroom
import HTTPCore
import SignalingProtocol

/// The query of a list of sessions: what is asked for, and under which name its cursors are sealed.
struct SessionListQuery {
  /// The entries of a page when the client names no number, and the most.
  static let defaultLimit = 50
  static let maximumLimit = 100
  /// The bytes of a text to search for, and of the name of a course or tag.
  private static let maximumTextBytes = 200

  private(set) var filter = SessionFilter()
  let list: String
  /// Whether the page before was past the sessions that are live, where those come first.
  private(set) var isBehindLive = false

  private static let behindLive = "\0behind"

  /// - Parameters:
  ///   - defaults: what the list shows when nothing is asked for; the query narrows it.
  ///   - name: tells lists apart whose cursors are of different kinds.
  init(
    _ request: HTTPRequest, defaults: SessionFilter = SessionFilter(), name: String, for identity: Identity,
    cursors: PageCursors
  ) throws(ProtocolError) {
    filter = defaults
    list = "\(name)\0\(identity.user)\0\(identity.session ?? "")"
    var seen: Set<String> = []
    for item in request.target.queryItems {
      guard !item.value.isEmpty else { continue }
      guard seen.insert(item.name).inserted else {
        throw Self.invalid(item.name, "The parameter \(item.name) is given twice.")
      }
      try take(item, cursors)
    }
    if let from = filter.from, let to = filter.to, to < from {
      throw Self.invalid("to", "The end of the time lies before its beginning.")
    }
  }

  /// The cursor of the next page.
  func seal(_ position: SlotPosition, _ cursors: PageCursors) -> String { cursors.seal(position, of: list) }

  /// The cursor of the next page, past the sessions that are live.
  func sealBehindLive(_ position: SlotPosition, _ cursors: PageCursors) -> String {
    cursors.seal(position, of: list + Self.behindLive)
  }

  private static func invalid(_ name: String, _ sentence: String) -> ProtocolError {
    ProtocolError(.invalidField, sentence, field: name)
  }

  private mutating func take(_ item: HTTPTarget.QueryItem, _ cursors: PageCursors) throws(ProtocolError) {
    switch item.name {
    case "status": filter.statuses = filter.statuses.intersection(try Self.statuses(item.value))
    case "mine": filter.mine = try Self.choice(item)
    case "kind": filter.kind = try Self.choice(item)
    case "course": filter.course = try Self.text(item)
    case "tag": filter.tag = try Self.text(item)
    case "q":
      filter.words = SearchWords.words(of: [try Self.text(item)])
      guard !filter.words.isEmpty else { throw Self.invalid("q", "There is no word to search for.") }
    case "from": filter.from = try Self.time(item)
    case "to": filter.to = try Self.time(item)
    case "limit": filter.limit = try Self.limit(item.value)
    case "cursor":
      filter.after = cursors.open(item.value, of: list)
      if filter.after == nil, let position = cursors.open(item.value, of: list + Self.behindLive) {
        (filter.after, isBehindLive) = (position, true)
      }
      guard filter.after != nil else {
        throw Self.invalid("cursor", "The cursor is not one that a page of this list gave.")
      }
    // What is not known here may be for a proxy, or for a cache to be gone around.
    default: break
    }
  }

  /// Some states, with commas between them.
  private static func statuses(_ text: String) throws(ProtocolError) -> SessionStatusSet {
    var statuses: SessionStatusSet = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let name = ["live", "in-progress"].contains(part) ? SessionStatus.ongoing.rawValue : String(part)
      guard let status = SessionStatus(rawValue: name) else {
        let names = SessionStatus.allCases.map(\.rawValue).joined(separator: ", ")
        throw invalid("status", "The status is one of live, \(names).")
      }
      statuses.insert(SessionStatusSet(status))
    }
    return statuses
  }

  private static func choice<Choice: RawRepresentable & CaseIterable>(
    _ item: HTTPTarget.QueryItem
  ) throws(ProtocolError) -> Choice where Choice.RawValue == String {
    guard let choice = Choice(rawValue: item.value) else {
      let names = Choice.allCases.map(\.rawValue).joined(separator: ", ")
      throw invalid(item.name, "The parameter \(item.name) is one of \(names).")
    }
    return choice
  }

  private static func text(_ item: HTTPTarget.QueryItem) throws(ProtocolError) -> String {
    guard item.value.utf8.count <= maximumTextBytes else {
      throw invalid(item.name, "The parameter \(item.name) has at most \(maximumTextBytes) bytes.")
    }
    return item.value
  }

  /// A time, or a day, which begins at midnight UTC.
  private static func time(_ item: HTTPTarget.QueryItem) throws(ProtocolError) -> Timestamp {
    guard let time = RFC3339.parse(item.value) ?? RFC3339.parse(item.value + "T00:00:00Z") else {
      throw invalid(item.name, "The parameter \(item.name) is a time such as 2026-01-01T09:00:00Z, or a day.")
    }
    return time
  }

  /// The entries of one page.
  static func limit(_ text: String, maximum: Int = maximumLimit) throws(ProtocolError) -> Int {
    guard let number = Int(text), (1...maximum).contains(number) else {
      throw invalid("limit", "The limit is 1 to \(maximum).")
    }
    return number
  }
}
