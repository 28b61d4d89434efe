import Classroom
import JSON

/// An attendance report as JSON.
///
/// The bytes are in canonical form (RFC 8785): the names of each object in order, no space, only integers, so that a
/// signature can be made of them as they are.
public enum AttendanceDocument {
  /// What a document says it is.
  public enum Kind: String, Sendable {
    /// Everybody's attendance.
    case report = "attendance_report"
    /// That of one person.
    case certificate = "attendance_certificate"
  }

  /// The number of the form that documents have.
  public static let format = 1

  /// The whole report.
  public static func write(_ report: AttendanceReport, into writer: inout JSONWriter) {
    write(report, participants: report.people[...], into: &writer)
  }

  /// The report with some of the people; nil leaves the member `participants` out.
  static func write(
    _ report: AttendanceReport, participants: ArraySlice<AttendanceReport.Person>?, into writer: inout JSONWriter
  ) {
    let details = report.view.details
    let showsEmail = report.scope == .everybody
    writer.beginObject()
    if let totals = report.totals { writer.field("attended", totals.attended) }
    writer.field("document", (showsEmail ? Kind.report : Kind.certificate).rawValue)
    writer.field("duration_minutes", details.durationMinutes)
    writer.field("ended_at", report.view.endedAt.map(RFC3339.format))
    writer.field("format", format)
    writer.field("generated_at", RFC3339.format(report.at))
    writer.field("host", details.host)
    writer.field("instructor", details.instructor)
    writer.field("kind", details.kind.rawValue)
    writer.field("live_milliseconds", report.liveMilliseconds)
    writer.array("live_spans") { writer in
      for span in report.spans {
        writer.beginObject()
        writer.field("from", RFC3339.format(span.from))
        writer.field("to", span.to.map(RFC3339.format))
        writer.endObject()
      }
    }
    if let participants {
      writer.array("participants") { writer in
        for person in participants { write(person, showsEmail: showsEmail, into: &writer) }
      }
    }
    writer.field("scheduled_at", RFC3339.format(details.scheduledAt))
    if let series = report.series { write(series, into: &writer) }
    writer.field("session", details.id)
    writer.field("started_at", report.view.startedAt.map(RFC3339.format))
    writer.field("status", report.view.status.rawValue)
    writer.object("thresholds") { writer in
      writer.field("late_after_milliseconds", report.thresholds.lateAfterMilliseconds)
      writer.field("left_early_before_milliseconds", report.thresholds.leftEarlyBeforeMilliseconds)
      writer.field("minimum_milliseconds", report.thresholds.minimumMilliseconds)
    }
    writer.field("time_zone", details.timeZone)
    writer.field("title", details.title)
    if let totals = report.totals { writer.object("totals") { write(totals, into: &$0) } }
    writer.endObject()
  }

  private static func write(_ series: AttendanceReport.Series, into writer: inout JSONWriter) {
    writer.object("series") { writer in
      writer.array("counts") { writer in
        for count in series.counts { writer.integer(count) }
      }
      writer.field("from", RFC3339.format(series.from))
      writer.field("step_milliseconds", series.stepMilliseconds)
    }
  }

  /// The members of an object with the figures of all together.
  static func write(_ totals: AttendanceReport.Totals, into writer: inout JSONWriter) {
    writer.field("absent", totals.absent)
    writer.field("attended", totals.attended)
    writer.field("average_milliseconds", totals.averageMilliseconds)
    writer.field("average_minutes", AttendanceReport.minutes(totals.averageMilliseconds))
    writer.field("average_present_hundredths", totals.averageHundredths)
    writer.field("invited", totals.invited)
    writer.field("late", totals.late)
    writer.field("left_early", totals.leftEarly)
    writer.field("milliseconds", totals.milliseconds)
    writer.field("peak", totals.peak)
    writer.field("peak_at", totals.peakAt.map(RFC3339.format))
    writer.field("percent", totals.percent)
    writer.field("present", totals.present)
    writer.field("total", totals.people)
  }

  /// A row of the report.
  static func write(_ person: AttendanceReport.Person, showsEmail: Bool, into writer: inout JSONWriter) {
    writer.beginObject()
    writer.field("counted", person.isCounted)
    if showsEmail { writer.field("email", person.email) }
    writer.field("first_join", person.firstJoin.map(RFC3339.format))
    writer.field("invited", person.isInvited)
    writer.field("is_active", person.isActive)
    writer.field("last_leave", person.lastLeave.map(RFC3339.format))
    writer.field("late", person.isLate)
    writer.field("left_early", person.hasLeftEarly)
    writer.field("milliseconds", person.milliseconds)
    writer.field("minutes", person.minutes)
    writer.field("name", person.name)
    writer.field("role", person.role.rawValue)
    writer.array("segments") { writer in
      for segment in person.segments {
        writer.beginObject()
        writer.field("checked_in", segment.isCheckedIn)
        writer.field("estimated", segment.isEstimated)
        writer.field("from", RFC3339.format(segment.from))
        writer.field("to", segment.to.map(RFC3339.format))
        writer.endObject()
      }
    }
    writer.field("state", person.hasAttended ? "attended" : "absent")
    writer.object("states") { writer in
      writer.field("breakout_milliseconds", person.breakoutMilliseconds)
      writer.field("live_milliseconds", person.liveMilliseconds)
      writer.field("total_milliseconds", person.totalMilliseconds)
      writer.field("waiting_milliseconds", person.waitingMilliseconds)
    }
    writer.field("user", person.user)
    writer.endObject()
  }
}

extension ServerMessage {
  /// A page of the report, the answer to `attendance.get`.
  /// - Parameter after: how many people the pages before it had.
  public static func attendancePage(
    _ report: AttendanceReport, after: Int, limit: Int, id: Int64, into writer: inout JSONWriter
  ) {
    let begin = min(max(0, after), report.people.count)
    let end = min(begin + max(1, limit), report.people.count)
    self.begin("ok", id: id, into: &writer)
    writer.key("report")
    AttendanceDocument.write(report, participants: nil, into: &writer)
    writer.array("participants") { writer in
      for person in report.people[begin..<end] {
        AttendanceDocument.write(person, showsEmail: report.scope == .everybody, into: &writer)
      }
    }
    writer.field("next", end < report.people.count ? end : nil)
    writer.endObject()
  }

  /// How attendance stands, for those who lead the class.
  public static func attendanceSummary(
    _ totals: AttendanceReport.Totals, session: String, at time: Timestamp, into writer: inout JSONWriter
  ) {
    beginEvent("attendance.summary", at: time, into: &writer)
    writer.field("session", session)
    writer.object("totals") { AttendanceDocument.write(totals, into: &$0) }
    writer.endObject()
  }
}
