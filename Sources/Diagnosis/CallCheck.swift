import EventLoop
import SignalingServer

// The servers that calls go over.
extension Examination {
  func checkCalls(_ tell: (Finding) -> Void) {
    let calls = configuration.calls
    guard !calls.stunURLs.isEmpty || !calls.turnURLs.isEmpty else {
      tell(
        .warning(
          "calls", "there is no TURN server: people behind strict firewalls, about one of ten, will not see each other",
          "set up coturn with use-auth-secret, then turn-url and turn-secret-file"))
      return
    }
    for url in calls.stunURLs { checkSTUN(url, tell) }
    let secret =
      settings.turnSecret.map { Array($0.utf8) }
      ?? settings.turnSecretFile.flatMap {
        try? SecretFile.read($0, minimumBytes: 1)
      }
    // That there is none, or that it cannot be read, has been said.
    if let secret { for url in calls.turnURLs { checkTURN(url, secret, tell) } }
  }

  private func connect(_ url: ICEServerURL) throws(ServiceFailure) -> ServiceConnection {
    let transport: ServiceConnection.Transport = url.isSecure ? .tls : url.transport == .tcp ? .tcp : .udp
    return try ServiceConnection(
      host: url.host, port: url.port, transport, patienceMilliseconds: patienceMilliseconds)
  }

  private func checkSTUN(_ url: ICEServerURL, _ tell: (Finding) -> Void) {
    do throws(ServiceFailure) {
      let begin = MonotonicClock.milliseconds()
      let answer = try connect(url).ask(STUNMessage(.binding))
      let time = MonotonicClock.milliseconds() - begin
      if let address = answer.address(.mappedAddress) {
        tell(.ok("calls", "\(url) answers within \(time) ms; it sees us as \(Self.text(address.hostBytes))"))
      } else {
        tell(.problem("calls", "\(url) answers, but not as a STUN server", "look at the address and the port"))
      }
    } catch {
      tell(.problem("calls", "\(url) \(error)", Self.advice(for: error, url)))
    }
  }

  private func checkTURN(_ url: ICEServerURL, _ secret: [UInt8], _ tell: (Finding) -> Void) {
    do throws(ServiceFailure) {
      let connection = try connect(url)
      let begin = MonotonicClock.milliseconds()
      var request = STUNMessage(.allocate)
      // UDP, the only kind of media that browsers have relayed (RFC 8656, 18.8).
      request.append(.requestedTransport, [17, 0, 0, 0])
      let challenge = try connection.ask(request)
      guard challenge.error?.code == 401, let realm = challenge[.realm], let nonce = challenge[.nonce] else {
        tell(
          challenge.error == nil
            ? .warning(
              "calls", "\(url) relays for anybody, without credentials", "set use-auth-secret in the TURN server")
            : .problem(
              "calls", "\(url) does not ask for credentials: \(Self.text(challenge.error))", "is it a TURN server?"))
        return
      }
      let end = WallClock.milliseconds() / 1000 + 300
      let credentials = TURNCredentials(user: "rollcall-doctor", expiresAtUnixSeconds: end, secret: secret)
      let key = STUNMessage.key(
        username: credentials.username, realm: String(decoding: realm, as: UTF8.self), password: credentials.password)
      func authenticated(_ method: STUNMessage.Method) -> STUNMessage {
        var request = STUNMessage(method)
        if method == .allocate { request.append(.requestedTransport, [17, 0, 0, 0]) }
        if method == .refresh { request.append(.lifetime, [0, 0, 0, 0]) }
        request.append(.username, Array(credentials.username.utf8))
        request.append(.realm, realm)
        request.append(.nonce, nonce)
        return request
      }
      let answer = try connection.ask(authenticated(.allocate), key: key)
      let time = MonotonicClock.milliseconds() - begin
      if let error = answer.error {
        tell(
          .problem(
            "calls", "\(url) refuses our credentials: \(Self.text(error))",
            error.code == 401
              ? "give both the same secret (coturn: static-auth-secret), and look at both clocks"
              : "look at the log of the TURN server"))
        return
      }
      // What was allocated is given back at once; a server that does not answer this lets go of it by itself.
      _ = try? connection.ask(authenticated(.refresh), key: key)
      report(url, answer, milliseconds: time, tell)
    } catch {
      tell(.problem("calls", "\(url) \(error)", Self.advice(for: error, url)))
    }
  }

  private func report(_ url: ICEServerURL, _ answer: STUNMessage, milliseconds: Int64, _ tell: (Finding) -> Void) {
    guard let relay = answer.address(.relayedAddress) else {
      tell(.problem("calls", "\(url) allocates no address", "look at the log of the TURN server"))
      return
    }
    let text = "\(url) takes our credentials within \(milliseconds) ms and relays from \(Self.text(relay.hostBytes))"
    if Self.isPrivate(relay.hostBytes) {
      tell(
        .warning(
          "calls", "\(text), which only its own network reaches",
          "set external-ip in the TURN server, unless everybody is in that network"))
    } else {
      tell(.ok("calls", text))
    }
  }

  /// RFC 1918, RFC 3927, RFC 6598, RFC 4193, and loopback.
  private static func isPrivate(_ bytes: [UInt8]) -> Bool {
    guard bytes.count == 4 else {
      return bytes.first.map { $0 & 0xFE == 0xFC || $0 == 0xFE } ?? true
        || bytes == [UInt8](repeating: 0, count: 15) + [1]
    }
    return bytes[0] == 10 || bytes[0] == 127 || bytes[0] == 192 && bytes[1] == 168
      || bytes[0] == 172 && bytes[1] & 0xF0 == 16
      || bytes[0] == 169 && bytes[1] == 254 || bytes[0] == 100 && bytes[1] & 0xC0 == 64
  }

  private static func text(_ bytes: [UInt8]) -> String { SocketAddress.numericHost(bytes) }

  private static func text(_ error: (code: Int, reason: String)?) -> String {
    error.map { "\($0.code) \($0.reason)" } ?? "no error"
  }

  private static func advice(for failure: ServiceFailure, _ url: ICEServerURL) -> String {
    switch failure {
    case .unresolved: "correct the name, or look at the name service"
    case .untrusted: "give the TURN server a certificate for \(url.host) that browsers know"
    case .silent: "is it running, and does a firewall let \(url.transport.rawValue) to port \(url.port) through?"
    case .unreachable, .closed: "is it running, and does it listen on port \(url.port) over \(url.transport.rawValue)?"
    }
  }
}
