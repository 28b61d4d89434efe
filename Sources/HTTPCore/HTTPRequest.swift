/// A whole request.
public struct HTTPRequest: Sendable, Equatable {
  /// As sent; methods are case-sensitive (RFC 9110 §9.1).
  public var method: String
  public var target: HTTPTarget
  /// The minor version of HTTP/1.
  public var versionMinor: Int
  public var headers: HTTPHeaders
  /// Chunks are decoded, trailers dropped.
  public var body: [UInt8]
  /// Whether the client lets the connection live on (RFC 9112 §9.3).
  public var keepAlive: Bool
  /// Whether the client waits for `100 Continue` before it sends the body (RFC 9110 §10.1.1).
  public var expectsContinue: Bool

  /// The path as it was sent; its decoded segments are in ``target``.
  public var path: String { target.path }

  /// What follows the `?`, as it was sent.
  public var query: String? { target.query }

  /// The host and port that the request is meant for: of an absolute-form target, else of the Host field.
  public var authority: String? { target.authority ?? headers.first("host") }

  public init(
    method: String, target: HTTPTarget, versionMinor: Int = 1, headers: HTTPHeaders = [:], body: [UInt8] = [],
    keepAlive: Bool = true, expectsContinue: Bool = false
  ) {
    self.method = method
    self.target = target
    self.versionMinor = versionMinor
    self.headers = headers
    self.body = body
    self.keepAlive = keepAlive
    self.expectsContinue = expectsContinue
  }
}
