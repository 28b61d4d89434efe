import Classroom

/// What somebody wants to see of the list of sessions.
struct SessionFilter: Sendable {
  enum Order: String, Sendable {
    /// The latest start first.
    case newestFirst = "n"
    /// The earliest start first.
    case soonestFirst = "s"
  }

  /// What the sessions have to do with who asks.
  enum Mine: String, Sendable, CaseIterable {
    case hosted
    case registered
    case attended
  }

  var statuses = SessionStatusSet.all
  var mine: Mine?
  var kind: SessionDetails.Kind?
  var course: String?
  var tag: String?
  /// Each is to begin some word of the title, the instructor, the course or a tag.
  var words: [String] = []
  /// The starts from here on, and before there.
  var from: Timestamp?
  var to: Timestamp?
  var order = Order.newestFirst
  /// Where the page before ended.
  var after: SlotPosition?
  var limit = 50
}
