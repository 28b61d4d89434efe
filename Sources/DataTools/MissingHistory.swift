/// A session of the history whose file is not there.
enum MissingHistory {
  static func sentence(_ session: String) -> String {
    "session \(PrintableText.escaped(session)) has no history file: its time to be kept is over, or the file was lost"
  }
}
