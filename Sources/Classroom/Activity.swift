/// What a session has from when people come, or something about it changes: most sessions wait for their time, with none
/// of it.
struct Activity: Sendable, Equatable {
  var startedAt: Timestamp?
  var endedAt: Timestamp?
  var startedBy: String?
  var reason: String?
  var stream = StreamTail()
  var attendance = Attendance()
  var chat = ChatLog()
  var conduct = Conduct()
  var lobby = Lobby()

  /// What all sessions share of which nothing is known yet.
  static let none = Shared(Activity())
}
