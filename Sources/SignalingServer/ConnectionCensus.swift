import EventLoop

/// Where a client is, as far as limits go: an IPv4 address, or the 64 bits of an IPv6 address that name a network, since
/// whoever has one address of it has them all (RFC 4291, 2.5.4; RFC 6177).
struct ClientNetwork: Hashable, Sendable {
  private let rawValue: UInt64

  /// - Parameter hostBytes: 4 or 16 bytes; anything else has no network.
  init?(hostBytes: [UInt8]) {
    switch hostBytes.count {
    // 0:ffff::/32 is no address of anybody.
    case 4: rawValue = hostBytes.reduce(0x0000_FFFF) { $0 << 8 | UInt64($1) }
    case 16: rawValue = hostBytes[..<8].reduce(0) { $0 << 8 | UInt64($1) }
    default: return nil
    }
  }
}

/// Counts the connections of the whole server, and those of each network.
final class ConnectionCensus: Sendable {
  enum Verdict: Equatable {
    case admitted
    /// The server has as many connections as it takes.
    case full
    /// The network has.
    case tooManyOfNetwork
  }

  private struct Counts {
    var total = 0
    var ofNetwork: [ClientNetwork: Int] = [:]
  }

  let maximum: Int
  let maximumPerNetwork: Int
  private let counts = Locked(Counts())

  init(maximum: Int, maximumPerNetwork: Int) {
    (self.maximum, self.maximumPerNetwork) = (maximum, maximumPerNetwork)
  }

  /// The connections that are admitted.
  var total: Int { counts.withLock { $0.total } }

  /// Counts one more connection, unless it is too many.
  ///
  /// - Parameter network: nil when it is not known yet, behind a proxy.
  func admit(_ network: ClientNetwork?) -> Verdict {
    counts.withLock { counts in
      guard counts.total < maximum else { return .full }
      if let network, !Self.add(network, to: &counts, maximum: maximumPerNetwork) { return .tooManyOfNetwork }
      counts.total += 1
      return .admitted
    }
  }

  /// The network of a connection that was admitted without one has become known.
  func attribute(_ network: ClientNetwork) -> Verdict {
    counts.withLock { counts in
      Self.add(network, to: &counts, maximum: maximumPerNetwork) ? .admitted : .tooManyOfNetwork
    }
  }

  private static func add(_ network: ClientNetwork, to counts: inout Counts, maximum: Int) -> Bool {
    let count = counts.ofNetwork[network] ?? 0
    guard count < maximum else { return false }
    counts.ofNetwork[network] = count + 1
    return true
  }

  fileprivate func leave(_ network: ClientNetwork?) {
    counts.withLock { counts in
      counts.total -= 1
      guard let network, let count = counts.ofNetwork[network] else { return }
      counts.ofNetwork[network] = count > 1 ? count - 1 : nil
    }
  }
}

/// A connection's place in the census, given back when it goes.
struct Admission: ~Copyable {
  /// Nil when the place has been given to somebody else.
  private var census: ConnectionCensus?
  private(set) var network: ClientNetwork?

  /// Takes over a place that was admitted.
  init(_ network: ClientNetwork?, in census: ConnectionCensus) {
    (self.census, self.network) = (census, network)
  }

  deinit { census?.leave(network) }

  /// Says whose it is, when that has become known.
  mutating func attribute(to network: ClientNetwork) -> ConnectionCensus.Verdict {
    guard self.network == nil, let census else { return .admitted }
    let verdict = census.attribute(network)
    if verdict == .admitted { self.network = network }
    return verdict
  }

  /// Gives the place to somebody else, who makes an admission of it.
  consuming func release() -> ClientNetwork? {
    census = nil
    return network
  }
}
