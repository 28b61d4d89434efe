import EventLoop
import SignalingServer

// Ports, and what stands between people and the server.
extension Examination {
  func checkPorts(isRunning: Bool, _ tell: (Finding) -> Void) {
    checkPort(configuration.host, configuration.port, name: "port", isRunning: isRunning, tell)
    if let metrics = configuration.metricsAddress {
      checkPort(metrics.host, metrics.port, name: "metrics port", isRunning: isRunning, tell)
      if SocketAddress.numericHostBytes(metrics.host).map({ $0.first != 127 && $0 != Self.loopback6 }) ?? true {
        tell(
          .warning(
            "metrics port", "whoever reaches \(metrics.host) may read the figures without a token",
            "set metrics-host to 127.0.0.1 or an address of the operators' network"))
      }
    }
  }

  private static let loopback6 = [UInt8](repeating: 0, count: 15) + [1]

  private func checkPort(
    _ host: String, _ port: UInt16, name: String, isRunning: Bool, _ tell: (Finding) -> Void
  ) {
    let place = "port \(port) of \(host)"
    do throws(ListenError) {
      _ = try Listener.open(host: host, port: port, count: 1)
      tell(.ok(name, port == 0 ? "the system chooses a port of \(host)" : "\(place) is free"))
    } catch {
      switch error {
      case .portInUse where isRunning:
        tell(.ok(name, "\(place) is in use, by the server that uses the data folder it seems"))
      case .portInUse:
        tell(
          .problem(name, "\(place) is in use by another program", "stop it (ss -ltnp tells which), or set another port")
        )
      case .permissionDenied:
        tell(
          .problem(
            name, "this user may not listen on \(place)",
            "use a port from 1024 on behind a proxy, or setcap cap_net_bind_service=+ep on the binary"))
      case .addressNotAvailable:
        tell(.problem(name, "\(host) is not an address of this machine", "set host to one of: \(Self.ownHosts)"))
      case .unresolved(let failure): tell(.problem(name, "\(failure)", "set host to a numeric address"))
      case .system(let failure): tell(.problem(name, "\(place): \(failure)", "look at the machine's network"))
      }
    }
  }

  private static var ownHosts: String {
    (["127.0.0.1", "0.0.0.0", "::"] + HostNames.ownAddresses().map(\.host).filter { $0 != "127.0.0.1" && $0 != "::1" })
      .joined(separator: ", ")
  }

  // MARK: Proxies

  func checkProxies(_ tell: (Finding) -> Void) {
    let isLocal =
      SocketAddress.numericHostBytes(configuration.host).map { $0.first == 127 || $0 == Self.loopback6 } ?? false
    let proxies = configuration.trustedProxies
    if configuration.tls == nil, !isLocal {
      tell(
        .warning(
          "https", "without TLS browsers let a page use camera and microphone on this machine alone",
          "set tls-cert and tls-key, or tls-self-signed to try, or put a proxy that speaks TLS before a host of 127.0.0.1"
        ))
    }
    if proxies.isEmpty {
      tell(
        isLocal
          ? .warning(
            "proxy",
            "only this machine reaches \(configuration.host); behind a proxy everybody would count as the proxy",
            "when a proxy stands before it: set trusted-proxy to the proxy's address, 127.0.0.1/32 for one on this machine"
          )
          : .ok(
            "proxy",
            "no proxy is trusted: X-Forwarded-For is ignored, and everybody counts by the address they come from"))
      return
    }
    let list = proxies.map(\.description).joined(separator: ", ")
    if let open = proxies.first(where: { $0.description.hasSuffix("/0") }) {
      tell(
        .problem(
          "proxy",
          "trusted-proxy \(open) trusts everybody: whoever names another address in X-Forwarded-For escapes the limits",
          "name the addresses of the proxies alone"))
    } else {
      tell(
        .ok(
          "proxy",
          "the last address in X-Forwarded-For that is not \(list) counts; GET /client on the public address says what the server sees"
        ))
    }
  }
}
