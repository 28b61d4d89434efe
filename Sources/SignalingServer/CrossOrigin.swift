import HTTPCore

/// What a browser must hear before a page from elsewhere may read an answer (Fetch, section 3.2).
///
/// Who somebody is stands in `Authorization`, never in a cookie, so that credentials are not spoken of.
struct CrossOriginAnswer: Sendable {
  /// The origin, when it is one that the operator has listed.
  var origin: String?
  /// The methods of the path, when the browser asks before it asks.
  var preflight: String?

  /// For how many seconds a browser remembers what it was told.
  private static let maximumAge = "600"
  private static let requestFields = "Authorization, Content-Type, Idempotency-Key"
  private static let answerFields = "Link, Retry-After"

  func addFields(to headers: inout HTTPHeaders) {
    // RFC 9110, 12.5.5: the answer is another for another origin.
    headers.append("Vary", "Origin")
    guard let origin else { return }
    headers.append("Access-Control-Allow-Origin", origin)
    guard let preflight else {
      headers.append("Access-Control-Expose-Headers", Self.answerFields)
      return
    }
    headers.append("Access-Control-Allow-Methods", preflight)
    headers.append("Access-Control-Allow-Headers", Self.requestFields)
    headers.append("Access-Control-Max-Age", Self.maximumAge)
  }
}
