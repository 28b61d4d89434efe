import Classroom

/// What a backup holds, for a person.
public enum BackupText {
  /// The summary.
  public static func lines(_ summary: BackupSummary, target: String) -> [String] {
    Figures.table(
      [
        ["backup", PrintableText.escaped(target)],
        ["holds", "everything up to LSN \(summary.lastLSN)"],
        ["until", summary.until.milliseconds > 0 ? RFC3339.format(summary.until) : "nothing has happened yet"],
        ["sessions", "\(summary.sessions), \(summary.archived) of them in history files"],
        ["size", "\(Figures.bytes(summary.bytes)) in \(Figures.count(summary.files, "file"))"],
      ], indentation: "") + summary.missing.map { MissingHistory.sentence($0) }
  }
}
