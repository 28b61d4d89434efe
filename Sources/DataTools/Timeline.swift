import Classroom

/// What happened in a session, in the order of time, as its state tells it: so it is the same before and after the journal's
/// records have gone into a snapshot.
public struct Timeline: Sendable, Equatable {
  /// Something that happened.
  public struct Moment: Sendable, Equatable {
    public var at: Timestamp
    public var fact: Fact
  }

  /// What happened.
  public enum Fact: Sendable, Equatable {
    case created
    case started(by: String?)
    case joined(user: String, name: String, role: Role)
    /// `isEstimated` when a crash hid the exact time.
    case left(user: String, name: String, isEstimated: Bool)
    /// The connection is lost, and the time to come back is not over.
    case lost(user: String, name: String, isEstimated: Bool)
    case said(ChatMessage)
    case ended
  }

  /// Ascending by time.
  public private(set) var moments: [Moment] = []

  /// The history of a session.
  public init(of classroom: Classroom) {
    var moments = [Moment(at: classroom.details.createdAt, fact: .created)]
    for span in classroom.attendance.spans {
      moments.append(Moment(at: span.from, fact: .started(by: classroom.startedBy)))
    }
    for row in classroom.attendance.rows.values {
      for segment in row.segments {
        moments.append(Moment(at: segment.from, fact: .joined(user: row.user, name: row.name, role: row.role)))
        if let end = segment.to {
          moments.append(
            Moment(at: end, fact: .left(user: row.user, name: row.name, isEstimated: segment.isEstimated)))
        }
      }
      if let absence = row.absence, !absence.isBetweenHeartbeats {
        moments.append(
          Moment(at: absence.since, fact: .lost(user: row.user, name: row.name, isEstimated: absence.isEstimated)))
      }
    }
    for message in classroom.chat.messages { moments.append(Moment(at: message.at, fact: .said(message))) }
    for span in classroom.attendance.spans {
      if let end = span.to { moments.append(Moment(at: end, fact: .ended)) }
    }
    // What happened at one time stays in the order above: nobody speaks before having come.
    self.moments = moments.enumerated().sorted { ($0.element.at, $0.offset) < ($1.element.at, $1.offset) }
      .map(\.element)
  }
}
