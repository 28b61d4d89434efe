import HTTPCore

/// However a stream is cut, it holds the same requests and the same failure; what was understood is understood again when
/// it is written plainly; the limits hold.
@Sendable func fuzzHTTP(_ bytes: UnsafeRawBufferPointer) throws(BrokenInvariant) {
  let limits = HTTPLimits(
    maximumRequestLineBytes: 128, maximumHeaderBytes: 512, maximumHeaderCount: 8, maximumBodyBytes: 256)
  let whole = try steps(of: bytes, .whole, limits)
  for cutting in Cutting.allCases.dropFirst() {
    let other = try steps(of: bytes, cutting, limits)
    try hold(other == whole, "cut into \(cutting): \(other), not \(whole)")
  }
  for case .request(let request) in whole {
    try hold(request.body.count <= limits.maximumBodyBytes, "a body of \(request.body.count) bytes")
    try hold(request.headers.count <= limits.maximumHeaderCount, "\(request.headers.count) field lines")
    try hold(request.target.raw.utf8.count <= limits.maximumRequestLineBytes, "a target that is too long")
    try checkRewritten(request)
  }
}

private func steps(
  of bytes: UnsafeRawBufferPointer, _ cutting: Cutting, _ limits: HTTPLimits
) throws(BrokenInvariant) -> [HTTPRequestParser.Step] {
  var parser = HTTPRequestParser(limits: limits)
  var steps: [HTTPRequestParser.Step] = []
  for piece in cutting.pieces(of: bytes.count) {
    var rest = UnsafeRawBufferPointer(rebasing: bytes[piece])
    while true {
      var consumed = 0
      let step = parser.next(rest, consumed: &consumed)
      try hold((0...rest.count).contains(consumed), "\(consumed) bytes taken of \(rest.count)")
      rest = UnsafeRawBufferPointer(rebasing: rest[consumed...])
      if step == .needsMore {
        try hold(rest.isEmpty, "more is needed and \(rest.count) bytes are left")
        break
      }
      steps.append(step)
      if case .failure = step {
        try hold(parser.next(rest, consumed: &consumed) == step, "a failure that does not last")
        return steps
      }
      if rest.isEmpty { break }
    }
  }
  return steps
}

private func checkRewritten(_ request: HTTPRequest) throws(BrokenInvariant) {
  var plain = request
  let isChunked = request.headers.first("transfer-encoding") != nil
  if isChunked {
    plain.headers = HTTPHeaders(request.headers.fields.filter { $0.name.lowercased() != "transfer-encoding" })
    plain.headers.append("Content-Length", "\(request.body.count)")
  }
  var text = "\(plain.method) \(plain.target.raw) HTTP/1.\(plain.versionMinor)\r\n"
  for field in plain.headers { text += "\(field.name): \(field.value)\r\n" }
  let bytes = Array((text + "\r\n").utf8) + plain.body
  var parser = HTTPRequestParser()
  var consumed = 0
  let step = bytes.withUnsafeBytes { parser.next($0, consumed: &consumed) }
  try hold(step == .request(plain), "written again, \(plain) became \(step)")
  try hold(consumed == bytes.count && parser.isIdle, "\(bytes.count - consumed) bytes of it were left")
}
