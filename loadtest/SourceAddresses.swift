import EventLoop

/// Which own addresses to connect from.
enum SourceAddressChoice: Equatable, Sendable {
  /// Several of this machine's own where one has too few ports.
  case automatic
  /// So many of 127.0.0.0/8.
  case loopback(Int)
  case these([String])

  /// Reads a count or a list of addresses.
  init?(_ text: String) {
    if let count = Int(text) {
      guard (1...250).contains(count) else { return nil }
      self = .loopback(count)
      return
    }
    let addresses = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    guard !addresses.isEmpty, addresses.allSatisfy({ !$0.isEmpty }) else { return nil }
    self = .these(addresses)
  }
}

/// Own addresses to connect from, where one has too few ports.
enum SourceAddresses {
  /// Of the 28,000 ports that Linux gives out some are still taken by connections that have just ended.
  private static let connectionsPerAddress = 8000

  /// The addresses to connect from in turn; none when the system may choose.
  static func all(
    _ choice: SourceAddressChoice, for server: SocketAddress, connections: Int
  ) throws(AddressError) -> [SocketAddress] {
    switch choice {
    case .automatic: return automatic(for: server, connections: connections)
    case .loopback(let count): return try resolve((0..<count).map { "127.0.0.\($0 + 2)" })
    case .these(let addresses): return try resolve(addresses)
    }
  }

  private static func resolve(_ hosts: [String]) throws(AddressError) -> [SocketAddress] {
    var addresses: [SocketAddress] = []
    for host in hosts { addresses += try SocketAddress.resolve(host: host, port: 0).prefix(1) }
    return addresses
  }

  /// None for few connections, and when the server is not on this machine, where 127.0.0.0/8 is not at hand.
  private static func automatic(for server: SocketAddress, connections: Int) -> [SocketAddress] {
    let bytes = server.hostBytes
    guard bytes.count == 4, bytes[0] == 127, connections > connectionsPerAddress else { return [] }
    let count = min(250, (connections + connectionsPerAddress - 1) / connectionsPerAddress)
    // A numeric address needs no name service and is always known.
    return (try? resolve((0..<count).map { "127.0.0.\($0 + 2)" })) ?? []
  }
}
