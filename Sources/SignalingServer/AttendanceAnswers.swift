import Classroom
import HTTPCore
import JSON
import RoomShard
import SignalingProtocol

/// How what a room says of attendance is shown over HTTP.
enum AttendanceShape: Sendable {
  /// The signed report.
  case report
  /// The report for spreadsheets.
  case table
  /// Somebody has left.
  case departure
  /// Somebody is still there.
  case heartbeat
  /// Somebody was found to be there, or to have gone.
  case checkIn
  /// The code for checking in.
  case code
}

extension HTTPAnswer {
  /// What a room answered, as the route shows it.
  static func attendance(
    _ answer: RoomAnswer, as shape: AttendanceShape, in context: LoopContext, at now: Timestamp
  ) -> HTTPAnswer {
    switch (answer, shape) {
    case (.attendance(let report), .table):
      return HTTPAnswer(
        status: 200,
        headers: [
          // RFC 4180, 3.
          "Content-Type": "text/csv; charset=utf-8; header=present", "Cache-Control": "no-store",
          "Content-Disposition": "attachment; filename=\"attendance-\(report.view.details.id).csv\"",
        ], body: AttendanceCSV.text(report))
    case (.attendance(let report), _):
      return HTTPAnswer(
        status: 200, headers: ["Content-Type": "application/json", "Cache-Control": "no-store"],
        body: SignedReport.make(report, by: context.reportKey))
    case (.checkInCode(let session), _):
      return code(for: session, in: context, at: now)
    case (.performed(_, let view, let participants), _):
      return HTTPAnswer(status: 200) { writer in
        writer.beginObject()
        writer.field("message", sentence(shape))
        writer.key("session")
        writer.beginObject()
        writer.field("id", view.details.id)
        writer.field("status", view.status.rawValue)
        writer.field("participants", participants)
        writer.endObject()
        if shape == .heartbeat {
          writer.field("next_within_ms", context.configuration.shard.heartbeatTimeoutMilliseconds)
        }
        writer.endObject()
      }
    default:
      return error(ProtocolError(.internalError, "The server has mistaken itself."))
    }
  }

  private static func sentence(_ shape: AttendanceShape) -> StaticString {
    switch shape {
    case .departure: "You have left."
    case .heartbeat: "You are there."
    case .report, .table, .checkIn, .code: "It is noted."
    }
  }

  private static func code(for session: String, in context: LoopContext, at now: Timestamp) -> HTTPAnswer {
    let change = context.checkInCodes.nextChange(after: now)
    return HTTPAnswer(status: 200) { writer in
      writer.beginObject()
      writer.field("session", session)
      writer.field("code", context.checkInCodes.code(for: session, at: now))
      writer.field("changes_at", RFC3339.format(change))
      writer.field("changes_in_ms", change.milliseconds(since: now))
      writer.endObject()
    }
  }

  /// The key that attendance reports are signed with, for who is to check one.
  static func reportKeys(_ key: ReportPublicKey) -> HTTPAnswer {
    HTTPAnswer(
      status: 200,
      headers: [
        "Content-Type": "application/jwk-set+json", "Cache-Control": "public, max-age=3600",
        // Public, and of use to pages everywhere.
        "Access-Control-Allow-Origin": "*",
      ], body: key.set)
  }
}
