/// Who was in a session, when, and for how long: a pure reading of its ``Classroom``, the same whenever it is made from the
/// same facts for the same time.
public struct AttendanceReport: Sendable, Equatable {
  /// From where on somebody counts as late, as gone early, and as there at all.
  public struct Thresholds: Sendable, Hashable {
    /// Who first comes more than so long after the class began is late.
    public var lateAfterMilliseconds: Int64 = 5 * 60_000
    /// Who is last seen more than so long before the class ended has left early.
    public var leftEarlyBeforeMilliseconds: Int64 = 5 * 60_000
    /// Who was there for less has not attended. In a short class a tenth of its length is enough.
    public var minimumMilliseconds: Int64 = 60_000

    /// The defaults.
    public init() {}

    /// What is enough in a class that was live for so long.
    func minimum(ofLive milliseconds: Int64) -> Int64 { min(minimumMilliseconds, milliseconds / 10) }
  }

  /// Whose figures are asked for.
  public enum Scope: Sendable, Equatable {
    /// Everybody's, for who leads the class.
    case everybody
    /// Those of one person: a certificate. Nothing in it tells of anybody else.
    case only(String)
  }

  /// Somebody in the report.
  public struct Person: Sendable, Equatable {
    public var user: String
    public var name: String
    /// Set for who leads the class to see, and only where it is known.
    public var email: String?
    public var role: Role
    /// Whether the person was invited, or let in by the host beforehand.
    public var isInvited: Bool
    /// Whether the person is one of those that ``Totals`` count: who leads the class is not.
    public var isCounted: Bool
    /// Whether the person was there for long enough, or is there now.
    public var hasAttended: Bool
    public var isLate: Bool
    /// Never while the session is live: who has gone may come back.
    public var hasLeftEarly: Bool
    public var isActive: Bool
    /// When the person was in, in order of time.
    public var segments: [Attendance.Segment]
    /// The time in class, in milliseconds.
    public var liveMilliseconds: Int64
    /// The time in smaller rooms of the class.
    public var breakoutMilliseconds: Int64
    /// The time spent waiting to be let in. It is not attendance.
    public var waitingMilliseconds: Int64

    /// The attendance: the time in class and in its smaller rooms.
    public var milliseconds: Int64 { liveMilliseconds + breakoutMilliseconds }
    /// The attendance in minutes, for people.
    public var minutes: Int64 { AttendanceReport.minutes(milliseconds) }
    /// Everything from knocking to leaving that was spent here: waiting, in class, in smaller rooms.
    public var totalMilliseconds: Int64 { milliseconds + waitingMilliseconds }
    public var firstJoin: Timestamp? { segments.first?.from }
    /// When the person last left, or nil while here.
    public var lastLeave: Timestamp? { segments.last?.to }
  }

  /// The figures of all together; who leads the class is left out of them.
  public struct Totals: Sendable, Equatable {
    /// Who was invited, or let in by the host beforehand.
    public var invited = 0
    /// Who was invited or came.
    public var people = 0
    public var attended = 0
    public var absent: Int { people - attended }
    public var late = 0
    public var leftEarly = 0
    /// How many are in now.
    public var present = 0
    /// The attendance of all together.
    public var milliseconds: Int64 = 0
    /// The most that were in at once, and when that was first so.
    public var peak = 0
    public var peakAt: Timestamp?
    /// How many were in on average while the session was live, in hundredths.
    public var averageHundredths: Int64 = 0

    /// Of 100 people, how many attended; nil when there are none.
    public var percent: Int? { people == 0 ? nil : (200 * attended + people) / (2 * people) }
    /// The attendance of one who attended, on average.
    public var averageMilliseconds: Int64 { attended == 0 ? 0 : milliseconds / Int64(attended) }
  }

  /// How many were in over time. Who leads the class is left out.
  public struct Series: Sendable, Equatable {
    /// The most points there are, however long the session was.
    public static let maximumPoints = 240

    public var from: Timestamp
    public var stepMilliseconds: Int64
    /// For each step the most that were in at once in it.
    public var counts: [Int]
  }

  public var view: SessionView
  /// The time for which the report is made: what is open counts until then.
  public var at: Timestamp
  public var scope: Scope
  public var thresholds: Thresholds
  /// When the session was live.
  public var spans: [Attendance.Span]
  /// How long the session was live.
  public var liveMilliseconds: Int64
  /// Who came, in the order in which they first came, and then who was invited and did not.
  public var people: [Person]
  /// Nil in a certificate.
  public var totals: Totals?
  /// Nil in a certificate, and for a session that was never live.
  public var series: Series?

  /// Milliseconds in minutes, rounded, for people.
  public static func minutes(_ milliseconds: Int64) -> Int64 {
    milliseconds / 60_000 + (milliseconds % 60_000 >= 30_000 ? 1 : 0)
  }
}
