import SignalingServer

/// The address under which people reach a server: `https://school.example`.
struct CheckedURL {
  let isSecure: Bool
  let host: String
  let port: UInt16
  /// As a `Host` field has it.
  let authority: String

  /// Nil for what is no address of http or https without a path.
  init?(_ text: String) {
    let schemes = [("https://", true), ("http://", false)]
    guard let (scheme, isSecure) = schemes.first(where: { text.lowercased().hasPrefix($0.0) }) else { return nil }
    var rest = text.dropFirst(scheme.count)
    if rest.hasSuffix("/") { rest = rest.dropLast() }
    guard !rest.isEmpty, !rest.contains("/"), !rest.contains("@") else { return nil }
    authority = String(rest)
    self.isSecure = isSecure
    var port = isSecure ? UInt16(443) : 80
    var host = rest
    if let end = rest.lastIndex(of: "]") {
      host = rest[rest.index(after: rest.startIndex)..<end]
      rest = rest[rest.index(after: end)...]
    } else if let colon = rest.firstIndex(of: ":") {
      host = rest[..<colon]
      rest = rest[colon...]
    } else {
      rest = ""
    }
    if rest.hasPrefix(":") {
      guard let number = UInt16(rest.dropFirst()), number > 0 else { return nil }
      port = number
    }
    (self.host, self.port) = (String(host), port)
  }
}

// The way from the outside to the server, proxies included.
extension Examination {
  func checkAddress(_ text: String, _ tell: (Finding) -> Void) {
    guard let url = CheckedURL(text) else {
      tell(
        .problem("address", "\(text) is no address such as https://school.example", "give the address that people type")
      )
      return
    }
    do throws(ServiceFailure) {
      let health = try request("GET /health HTTP/1.1", [], of: url)
      guard health.status == 200, health.body.contains(#""status""#) else {
        tell(
          .problem(
            "address", "\(text)/health answers \(health.status), not as a Rollcall server",
            "start the server; let the proxy pass every path on to it"))
        return
      }
      tell(.ok("address", "\(text) leads to a running server"))
      checkUpgrade(try request("GET /ws HTTP/1.1", Self.upgradeFields(url), of: url), text, tell)
      checkClient(try request("GET /client HTTP/1.1", [], of: url), url, text, tell)
    } catch {
      tell(.problem("address", "\(text) \(error)", "look at the name service, the firewall and the proxy"))
    }
    if !url.isSecure, !url.host.hasPrefix("127."), url.host != "localhost" {
      tell(.problem("address", "\(text) is not https: browsers give a page neither camera nor microphone", "speak TLS"))
    }
  }

  private static func upgradeFields(_ url: CheckedURL) -> [String] {
    [
      "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
      "Sec-WebSocket-Key: cm9sbGNhbGwgZG9jdG9yIQ==",
      "Origin: \(url.isSecure ? "https" : "http")://\(url.authority)",
    ]
  }

  private func checkUpgrade(_ answer: Answer, _ text: String, _ tell: (Finding) -> Void) {
    switch answer.status {
    case 101: tell(.ok("address", "WebSockets come through"))
    case 403:
      tell(
        .problem(
          "address", "the server does not take \(text) for its own origin",
          "let the proxy pass the Host field on (nginx: proxy_set_header Host $host), or set origin to \(text)"))
    case 426, 400:
      tell(
        .problem(
          "address", "something on the way takes the WebSocket's request apart (\(answer.status))",
          "let the proxy pass Upgrade on (nginx: proxy_http_version 1.1, proxy_set_header Upgrade and Connection)"))
    default:
      tell(.problem("address", "a WebSocket is answered \(answer.status)", "look at the proxy's log and the server's"))
    }
  }

  private func checkClient(_ answer: Answer, _ url: CheckedURL, _ text: String, _ tell: (Finding) -> Void) {
    func field(_ name: String) -> String? {
      answer.body.firstRange(of: "\"\(name)\":\"").flatMap { range in
        answer.body[range.upperBound...].split(separator: "\"", maxSplits: 1, omittingEmptySubsequences: false).first
          .map(String.init)
      }
    }
    guard answer.status == 200, let address = field("address") else { return }
    guard let proxy = field("proxy") else {
      tell(.ok("address", "the server sees this machine as \(address), with no proxy between"))
      return
    }
    if answer.body.contains("\"trusted\":true") {
      tell(.ok("address", "the server sees this machine as \(address), behind the trusted proxy \(proxy)"))
    } else {
      tell(
        .problem(
          "address", "everybody who comes through the proxy \(proxy) counts as one address",
          "set trusted-proxy to \(proxy)/32"))
    }
  }

  private struct Answer {
    var status: Int
    var body: String
  }

  private func request(_ line: String, _ fields: [String], of url: CheckedURL) throws(ServiceFailure) -> Answer {
    let connection = try ServiceConnection(
      host: url.host, port: url.port, url.isSecure ? .tls : .tcp, patienceMilliseconds: patienceMilliseconds)
    let end = fields.isEmpty ? ["Connection: close"] : fields
    let head = ([line, "Host: \(url.authority)", "User-Agent: rollcall-doctor"] + end).joined(separator: "\r\n")
    try connection.send(Array((head + "\r\n\r\n").utf8))
    var received: [UInt8] = []
    while received.count < 65_536 {
      do throws(ServiceFailure) {
        received += try connection.receive()
      } catch {
        guard !received.isEmpty else { throw error }
        break
      }
      // Of an upgrade the head is all that counts.
      if !fields.isEmpty { break }
    }
    let text = String(decoding: received, as: UTF8.self)
    let words = text.split(separator: " ", maxSplits: 2)
    guard text.hasPrefix("HTTP/1."), words.count > 1, let status = Int(words[1].prefix(3)) else { throw .closed }
    let body = text.firstRange(of: "\r\n\r\n").map { String(text[$0.upperBound...]) } ?? ""
    return Answer(status: status, body: body)
  }
}
