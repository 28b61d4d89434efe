import EventLoop
import Logging
import TLS

/// The certificate that new connections are greeted with. All loops share it.
final class TLSCredentials: Sendable {
  private let files: TLSFiles
  private let current: Locked<TLSServerContext>

  /// Reads the files, or makes them.
  init(_ files: TLSFiles, logger: Logger) throws(TLSFileError) {
    self.files = files
    current = Locked(try Self.load(files, logger: logger))
  }

  /// For a new connection. Connections keep what they were greeted with.
  var context: TLSServerContext { current.withLock { $0 } }

  /// Reads the files anew. When they are no good, what there is stays.
  ///
  /// The keys of session tickets are made anew with it: whoever comes back then is greeted in full, once.
  func reload(logger: Logger) throws(TLSFileError) {
    let context = try Self.load(files, logger: logger)
    current.withLock { $0 = context }
  }

  private static func load(_ files: TLSFiles, logger: Logger) throws(TLSFileError) -> TLSServerContext {
    let loaded = try files.load(atUnixSeconds: WallClock.milliseconds() / 1000)
    if !loaded.isValidNow { logger.warning("the certificate is not valid now: clients will refuse it") }
    return loaded.context
  }
}
