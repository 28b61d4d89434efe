import ArgumentParser
import EventLoop
import SignalingServer

/// Who may see the figures, and whom the server believes.
struct OperatorOptions: ParsableArguments {
  @Option(
    name: .customLong("metrics-port"),
    help: """
      Serve /metrics, /health and /ready on this port too, to anybody who reaches it; 0 lets the system choose. Then /metrics \
      on the other port needs an administrator's token, from this machine too.
      """)
  var metricsPort: UInt16?

  @Option(name: .customLong("metrics-host"), help: "The name or address to listen on for --metrics-port.")
  var metricsHost = "127.0.0.1"

  @Option(
    name: .customLong("trusted-proxy"), parsing: .singleValue,
    help: """
      An address or network (10.0.0.0/8) of a proxy whose X-Forwarded-For is believed, for connections per address; can be \
      given several times. Without it the header is ignored.
      """)
  var trustedProxies: [AddressRange] = []

  func validate() throws {
    guard !metricsHost.isEmpty else { throw ValidationError("--metrics-host is not empty.") }
  }

  /// Sets all of them.
  func apply(to configuration: inout ServerConfiguration) {
    configuration.metricsAddress = metricsPort.map { (metricsHost, $0) }
    configuration.trustedProxies = trustedProxies
  }
}

extension AddressRange: ExpressibleByArgument {
  /// A network as the command line has it.
  public init?(argument: String) { self.init(argument) }
}
