import EventLoop

/// Own addresses to connect from, where one has too few ports.
enum SourceAddresses {
  /// Of the 28,000 ports that Linux gives out some are still taken by connections that have just ended.
  private static let connectionsPerAddress = 8000

  /// None when the system may choose: for few connections, and when the server is not on this machine, where
  /// 127.0.0.0/8 is not at hand.
  static func all(for server: SocketAddress, connections: Int) -> [SocketAddress] {
    let bytes = server.hostBytes
    guard bytes.count == 4, bytes[0] == 127, connections > connectionsPerAddress else { return [] }
    let count = min(250, (connections + connectionsPerAddress - 1) / connectionsPerAddress)
    return (2..<(2 + count)).compactMap { last in
      // A numeric address needs no name service and is always known.
      try? SocketAddress.resolve(host: "127.0.0.\(last)", port: 0).first
    }
  }
}
