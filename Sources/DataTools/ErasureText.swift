import Classroom

/// What there is of a user, for a person.
public enum ErasureText {
  /// The sessions and files.
  public static func lines(_ findings: ErasureFindings) -> [String] {
    var lines: [String] = []
    if !findings.sessions.isEmpty {
      let head = ["SESSION", "STATUS", "HOST", "MINUTES", "MESSAGES", "TITLE"]
      let rows = findings.sessions.map { session in
        [
          PrintableText.escaped(session.id), session.status.rawValue, session.isHost ? "yes" : "no",
          Figures.minutes(session.attendanceMilliseconds), "\(session.messages)", PrintableText.escaped(session.title),
        ]
      }
      lines += Figures.table([head] + rows, indentation: "", rightAligned: [3, 4])
    } else if !findings.files.isEmpty {
      lines.append("no session, but files that an interrupted erasure has left:")
      lines += findings.files.map { "  " + PrintableText.escaped($0) }
    }
    return lines
  }
}
