import COpenSSL

/// OpenSSL's queue of errors, which belongs to the thread: emptied before each call, and read right after one that failed.
public enum OpenSSLErrors {
  /// Empties the queue.
  public static func clear() { ERR_clear_error() }

  /// The first error in words, without the place in OpenSSL's sources; the queue is empty afterwards.
  public static func takeReason() -> String {
    let code = ERR_get_error()
    defer { clear() }
    guard code != 0, let reason = ERR_reason_error_string(code) else { return "unknown error" }
    return String(cString: reason)
  }

  /// Whether the last error is that a PEM text has no such part.
  public static var lastIsNoPEM: Bool {
    let code = ERR_peek_last_error()
    return copenssl_error_library(code) == ERR_LIB_PEM && copenssl_error_reason(code) == PEM_R_NO_START_LINE
  }
}
