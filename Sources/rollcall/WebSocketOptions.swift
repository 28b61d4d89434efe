import ArgumentParser
import SignalingServer

/// How WebSockets are opened and what they carry.
struct WebSocketOptions: ParsableArguments {
  enum Switch: String, ExpressibleByArgument, CaseIterable {
    case on, off
  }

  @Option(
    name: .customLong("origin"),
    help: """
      An origin whose pages may open WebSockets, such as https://school.example; may be given several times. The pages \
      that this server serves may always, clients that send no Origin too.
      """)
  var origins: [WebOrigin] = []

  @Option(
    help: """
      Whether what is said to a room is compressed for the clients that offer it (permessage-deflate): once for all of \
      them. What is said to one alone, tokens among it, never is.
      """)
  var compression = Switch.on

  @Option(
    name: .customLong("compression-threshold"),
    help: "From how many bytes on a message to a room is compressed.")
  var compressionThreshold = CompressionThreshold()

  func apply(to configuration: inout ServerConfiguration) {
    configuration.origins = origins
    configuration.compresses = compression == .on
    configuration.compressionThresholdBytes = compressionThreshold.bytes
  }
}

/// A number of bytes from 0 to the longest message.
struct CompressionThreshold: ExpressibleByArgument, CustomStringConvertible {
  var bytes = ServerConfiguration.defaultCompressionThresholdBytes

  init() {}

  init?(argument: String) {
    guard let bytes = Int(argument), (0...1 << 24).contains(bytes) else { return nil }
    self.bytes = bytes
  }

  var description: String { "\(bytes)" }
}

extension WebOrigin: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
}
