import JSON

/// Working memory that any number of clients of one thread share, and their source of randomness.
public struct ClientWorkspace: ~Copyable {
  var reader = JSONReader()
  var writer = JSONWriter(reserving: 512)
  var differences = DifferenceCache()
  let random: () -> UInt64

  /// - Parameter random: evenly distributed bits, new ones for each call. Masking keys and delays are made of them, so a
  ///   real client takes them from a strong source (RFC 6455 5.3), a simulation from its seed.
  public init(random: @escaping () -> UInt64) { self.random = random }
}
