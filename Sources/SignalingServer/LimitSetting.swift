/// What of a limit can be set, and by which option of `rollcall serve`.
public struct LimitSetting: Sendable {
  /// What the number counts.
  public enum Unit: Sendable {
    case bytes, count, perSecond, milliseconds
  }

  private enum Place: Sendable {
    case count(WritableKeyPath<LimitSettings, Int> & Sendable)
    case time(WritableKeyPath<ServerConfiguration, Int64> & Sendable)
  }

  /// The name of the option, without the two hyphens.
  public let option: String
  public let unit: Unit
  /// The values it takes.
  public let range: ClosedRange<Int64>
  /// What 0 means, where it means something of its own.
  public let zero: String?
  /// What the option's help says.
  public let help: String
  private let place: Place

  private init(
    _ option: String, _ unit: Unit, _ range: ClosedRange<Int64>, zero: String? = nil,
    _ path: WritableKeyPath<LimitSettings, Int> & Sendable, _ help: String
  ) {
    (self.option, self.unit, self.range, self.zero) = (option, unit, range, zero)
    self.help = zero.map { "\(help) 0: \($0)." } ?? help
    place = .count(path)
  }

  private init(
    _ option: String, _ path: WritableKeyPath<ServerConfiguration, Int64> & Sendable, _ help: String
  ) {
    (self.option, unit, range, zero, self.help) = (option, .milliseconds, 100...86_400_000, nil, help)
    place = .time(path)
  }

  /// What a server does without the option.
  public var defaultValue: Int64 { value(in: ServerConfiguration(dataFolder: "", secret: [], loops: 1)) }

  /// What it is in a configuration; times in milliseconds.
  public func value(in configuration: ServerConfiguration) -> Int64 {
    switch place {
    case .count(let path): Int64(configuration.limits[keyPath: path])
    case .time(let path): configuration[keyPath: path]
    }
  }

  /// Sets it, to a value of ``range``.
  public func set(_ value: Int64, in configuration: inout ServerConfiguration) {
    switch place {
    case .count(let path): configuration.limits[keyPath: path] = Int(clamping: value)
    case .time(let path): configuration[keyPath: path] = value
    }
  }
}

extension LimitSetting {
  public static let handshakeTime = LimitSetting(
    "handshake-time", \.patience.request,
    "How long a request, or the handshake of a connection, may take from its first byte to its last.")
  public static let idleTime = LimitSetting(
    "idle-time", \.patience.idle, "How long an HTTP connection may wait for its next request, or with an unread answer."
  )
  public static let helloTime = LimitSetting(
    "hello-time", \.patience.hello, "How long a WebSocket may stay open before a hello that is accepted.")
  public static let pingInterval = LimitSetting(
    "ping-interval", \.patience.ping,
    "After how much silence a WebSocket is pinged (up to a quarter earlier, by chance), and how long the answer may take."
  )
  public static let requestLineBytes = LimitSetting(
    "request-line-bytes", .bytes, 128...1_048_576, \.requestLineBytes, "The most bytes of a request line.")
  public static let headerBytes = LimitSetting(
    "header-bytes", .bytes, 512...1_048_576, \.headerBytes, "The most bytes of all header fields of a request.")
  public static let headerCount = LimitSetting(
    "header-count", .count, 8...10_000, \.headerCount, "The most header fields of a request.")
  public static let bodyBytes = LimitSetting(
    "body-bytes", .bytes, 1024...67_108_864, \.bodyBytes, "The most bytes of a request's body.")
  public static let messageBytes = LimitSetting(
    "message-bytes", .bytes, 16_384...16_777_216, \.messageBytes,
    "The most bytes of a WebSocket message, all fragments together.")
  public static let inflatedBytes = LimitSetting(
    "inflated-bytes", .bytes, 0...16_777_216, zero: "as many as of any other", \.inflatedBytes,
    "The most bytes of a compressed WebSocket message when it is inflated.")
  public static let messageFragments = LimitSetting(
    "message-fragments", .count, 1...1_048_576, \.messageFragments, "The most frames of a WebSocket message.")
  public static let messageRate = LimitSetting(
    "message-rate", .perSecond, 0...1_000_000, zero: "no limit", \.messageRate,
    "The messages that one connection may send in a second, on average.")
  public static let messageBurst = LimitSetting(
    "message-burst", .count, 1...1_000_000, \.messageBurst, "How many messages one connection may send at once.")
  public static let userMessageRate = LimitSetting(
    "user-message-rate", .perSecond, 0...1_000_000, zero: "no limit", \.userMessageRate,
    "The messages that all connections of one user may send in a second, on average.")
  public static let userMessageBurst = LimitSetting(
    "user-message-burst", .count, 1...1_000_000, \.userMessageBurst,
    "How many messages all connections of one user may send at once.")
  public static let controlFrameRate = LimitSetting(
    "control-frame-rate", .perSecond, 0...1_000_000, zero: "no limit", \.controlFrameRate,
    "The pings and pongs that one connection may send in a second, on average.")
  public static let controlFrameBurst = LimitSetting(
    "control-frame-burst", .count, 1...1_000_000, \.controlFrameBurst,
    "How many pings and pongs one connection may send at once.")
  public static let outboundBytes = LimitSetting(
    "outbound-bytes", .bytes, 16_384...67_108_864, \.outboundBytes,
    "The most bytes that wait in the server for a WebSocket that does not read.")
  public static let connections = LimitSetting(
    "connections", .count, 0...10_000_000,
    zero: "as many as the limit of open files allows, less what the journal needs",
    \.connections, "The most connections.")
  public static let connectionsPerAddress = LimitSetting(
    "connections-per-address", .count, 0...10_000_000, zero: "three quarters of all", \.connectionsPerAddress,
    "The most connections of one IPv4 address or one IPv6 network of 64 bits; a school can be behind one.")
  public static let readingRate = LimitSetting(
    "reading-rate", .perSecond, 0...1_000_000, zero: "no limit", \.readingRate,
    "The HTTP requests of one user that only read, in a second on average; ten seconds' worth may come at once.")
  public static let changingRate = LimitSetting(
    "changing-rate", .perSecond, 0...1_000_000, zero: "no limit", \.changingRate,
    "The HTTP requests of one user that change something.")
  public static let creatingRate = LimitSetting(
    "creating-rate", .perSecond, 0...1_000_000, zero: "no limit", \.creatingRate,
    "The HTTP requests of one user that make sessions.")
  public static let joiningRate = LimitSetting(
    "joining-rate", .perSecond, 0...1_000_000, zero: "no limit", \.joiningRate,
    "The HTTP requests of one user that join, leave or stay.")
  public static let readingAddressRate = LimitSetting(
    "reading-address-rate", .perSecond, 0...1_000_000, zero: "no limit", \.readingAddressRate,
    "The HTTP requests of one address that only read; a school, or a platform's backend, can be behind one.")
  public static let changingAddressRate = LimitSetting(
    "changing-address-rate", .perSecond, 0...1_000_000, zero: "no limit", \.changingAddressRate,
    "The HTTP requests of one address that change something.")
  public static let creatingAddressRate = LimitSetting(
    "creating-address-rate", .perSecond, 0...1_000_000, zero: "no limit", \.creatingAddressRate,
    "The HTTP requests of one address that make sessions.")
  public static let joiningAddressRate = LimitSetting(
    "joining-address-rate", .perSecond, 0...1_000_000, zero: "no limit", \.joiningAddressRate,
    "The HTTP requests of one address that join, leave or stay.")
}
