/// The version of this server.
public enum RollcallVersion {
  /// As `welcome` and `--version` show it.
  public static let current = "0.1.0"
}
