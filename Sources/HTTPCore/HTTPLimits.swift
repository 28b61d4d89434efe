/// What one request may cost. Beyond a limit the parser fails with the status named beside it.
public struct HTTPLimits: Sendable, Equatable {
  /// The request line without its line end: 414.
  public var maximumRequestLineBytes: Int
  /// All field lines of the head together with their line ends; trailers and chunk extensions have the same budget
  /// each: 431 (chunk extensions: 400).
  public var maximumHeaderBytes: Int
  /// The number of field lines: 431.
  public var maximumHeaderCount: Int
  /// The body after decoding of chunks: 413.
  public var maximumBodyBytes: Int
  /// The same of a body that is a form with files (`multipart/form-data`): 413.
  public var maximumFormBytes: Int

  public init(
    maximumRequestLineBytes: Int = 8_192, maximumHeaderBytes: Int = 16_384, maximumHeaderCount: Int = 100,
    maximumBodyBytes: Int = 1_048_576, maximumFormBytes: Int = 1_048_576
  ) {
    self.maximumRequestLineBytes = max(0, maximumRequestLineBytes)
    self.maximumHeaderBytes = max(0, maximumHeaderBytes)
    self.maximumHeaderCount = max(0, maximumHeaderCount)
    self.maximumBodyBytes = max(0, maximumBodyBytes)
    self.maximumFormBytes = max(0, maximumFormBytes)
  }
}

/// Why a request cannot be understood: the status to answer with before the connection is closed, and a code for the
/// body and the log.
public struct HTTPParseFailure: Error, Equatable, Sendable {
  /// 400, 413, 414, 431, 501 or 505.
  public let status: Int
  /// Names the rule in snake case, such as `bare_line_feed`.
  public let code: String

  public init(status: Int, code: String) {
    self.status = status
    self.code = code
  }

  init(_ code: String, status: Int = 400) {
    self.init(status: status, code: code)
  }
}
