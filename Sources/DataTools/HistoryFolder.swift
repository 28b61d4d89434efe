/// The folder inside a data folder with one file for each session that is over and no longer in memory.
public enum HistoryFolder {
  /// Its name.
  public static let name = "history"
}
