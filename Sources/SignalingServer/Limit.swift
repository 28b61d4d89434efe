import SignalingProtocol

/// Everything that bounds what a client can make the server do: the one table of it. Its raw value is the label in
/// `rollcall_limit_reached_total`.
public enum Limit: String, CaseIterable, Sendable {
  case handshakeTime = "handshake_time"
  case idleTime = "idle_time"
  case requestLineBytes = "request_line_bytes"
  case headerBytes = "header_bytes"
  case headerCount = "header_count"
  case bodyBytes = "body_bytes"
  case helloTime = "hello_time"
  case silence
  case messageBytes = "message_bytes"
  case inflatedBytes = "inflated_bytes"
  case messageFragments = "message_fragments"
  case messageRate = "message_rate"
  case userMessageRate = "user_message_rate"
  case controlFrameRate = "control_frame_rate"
  case outboundBytes = "outbound_bytes"
  case connections
  case connectionsPerAddress = "connections_per_address"
  case descriptors
  case requestRate = "request_rate"
  case addressRequestRate = "address_request_rate"

  /// What happens to who goes beyond it.
  enum Consequence {
    /// The connection is closed without a word.
    case cut
    /// An HTTP answer, after which the connection is closed.
    case refused(status: Int, ErrorCode)
    /// An HTTP answer that says when to ask again.
    case answeredOverHTTP(ErrorCode)
    /// A Close frame.
    case closed(code: UInt16, name: String)
    /// The message is answered with an error and not acted upon; who goes on all the same is closed.
    case answered(ErrorCode, then: CloseReason)
  }

  /// The options that set it; none when the system sets it.
  public var settings: [LimitSetting] {
    switch self {
    case .handshakeTime: [.handshakeTime]
    case .idleTime: [.idleTime]
    case .requestLineBytes: [.requestLineBytes]
    case .headerBytes: [.headerBytes]
    case .headerCount: [.headerCount]
    case .bodyBytes: [.bodyBytes]
    case .helloTime: [.helloTime]
    case .silence: [.pingInterval]
    case .messageBytes: [.messageBytes]
    case .inflatedBytes: [.inflatedBytes]
    case .messageFragments: [.messageFragments]
    case .messageRate: [.messageRate, .messageBurst]
    case .userMessageRate: [.userMessageRate, .userMessageBurst]
    case .controlFrameRate: [.controlFrameRate, .controlFrameBurst]
    case .outboundBytes: [.outboundBytes]
    case .connections: [.connections]
    case .connectionsPerAddress: [.connectionsPerAddress]
    case .descriptors: []
    case .requestRate: [.readingRate, .changingRate, .creatingRate, .joiningRate]
    case .addressRequestRate: [.readingAddressRate, .changingAddressRate, .creatingAddressRate, .joiningAddressRate]
    }
  }

  var consequence: Consequence {
    switch self {
    case .handshakeTime, .idleTime, .descriptors: .cut
    case .requestLineBytes: .refused(status: 414, .uriTooLong)
    case .headerBytes, .headerCount: .refused(status: 431, .headerTooLarge)
    case .bodyBytes: .refused(status: 413, .payloadTooLarge)
    case .connections: .refused(status: 503, .serverFull)
    case .connectionsPerAddress: .refused(status: 429, .tooManyConnections)
    case .requestRate, .addressRequestRate: .answeredOverHTTP(.rateLimited)
    case .helloTime: .closed(CloseReason.helloTimeout)
    case .silence: .closed(CloseReason.noPong)
    case .messageBytes, .inflatedBytes: .closed(code: 1009, name: "message_too_big")
    case .messageFragments: .closed(code: 1008, name: "policy_violation")
    case .controlFrameRate: .closed(CloseReason.rateLimited)
    case .outboundBytes: .closed(CloseReason.slowConsumer)
    case .messageRate, .userMessageRate: .answered(.rateLimited, then: .rateLimited)
    }
  }

  /// What is counted, for the table of the README.
  private var subject: String {
    switch self {
    case .handshakeTime: "a request, or a handshake, from its first byte to its last"
    case .idleTime: "an HTTP connection without a request, or with an unread answer"
    case .requestLineBytes: "request line"
    case .headerBytes: "header fields together"
    case .headerCount: "header fields"
    case .bodyBytes: "body of a request"
    case .helloTime: "a WebSocket before its `hello`"
    case .silence: "a WebSocket that says nothing is pinged; then the same time for anything from it"
    case .messageBytes: "WebSocket message, fragments together"
    case .inflatedBytes: "compressed WebSocket message, inflated"
    case .messageFragments: "frames of a message, empty ones too"
    case .messageRate: "messages of a connection"
    case .userMessageRate: "messages of all connections of a user"
    case .controlFrameRate: "pings and pongs of a connection"
    case .outboundBytes:
      "what waits for a WebSocket that does not read; from a quarter on, presence and counts are left out and told anew"
    case .connections: "connections"
    case .connectionsPerAddress: "connections of an IPv4 address or an IPv6 /64"
    case .descriptors: "open files of the process (`ulimit -n`)"
    case .requestRate:
      "HTTP requests of a user: those that read, change, create, join or leave; ten seconds' worth at once"
    case .addressRequestRate: "the same of all who have an IPv4 address or an IPv6 /64 in common"
    }
  }
}

extension Limit.Consequence {
  fileprivate static func closed(_ reason: CloseReason) -> Self { .closed(code: reason.rawValue, name: reason.name) }

  fileprivate var text: String {
    switch self {
    case .cut: "the connection is cut"
    case .refused(let status, let code): "\(status) `\(code.rawValue)`"
    case .answeredOverHTTP(let code): "\(code.httpStatus) `\(code.rawValue)` with `Retry-After`"
    case .closed(let code, let name): "close \(code) `\(name)`"
    case .answered(let code, let reason):
      "error `\(code.rawValue)`; close \(reason.rawValue) `\(reason.name)` for who goes on"
    }
  }
}

extension LimitSetting {
  /// The default for people.
  fileprivate var defaultText: String {
    let value = defaultValue
    switch unit {
    case .milliseconds: return value % 1000 == 0 ? "\(value / 1000) s" : "\(value) ms"
    case .bytes where value == 0: return zero ?? "0"
    case .bytes: return value % 1024 == 0 ? "\(value / 1024) KiB" : "\(value) B"
    case .perSecond: return "\(value)/s"
    case .count: return value == 0 ? zero ?? "0" : "\(value)"
    }
  }
}

extension Limit {
  /// Every limit as a table in Markdown, as the README has it.
  public static var table: String {
    var lines = ["| limit | of | default | `rollcall serve` | beyond it |", "| --- | --- | --- | --- | --- |"]
    for limit in allCases {
      let separator = limit.settings.allSatisfy { $0.unit == .perSecond } ? ", " : ", at once "
      let defaults = limit.settings.map(\.defaultText).joined(separator: separator)
      let options = limit.settings.map { "`--\($0.option)`" }.joined(separator: " ")
      let cells = [
        "`\(limit.rawValue)`", limit.subject, defaults.isEmpty ? "the system's" : defaults, options,
        limit.consequence.text,
      ]
      lines.append("| " + cells.joined(separator: " | ") + " |")
    }
    return lines.joined(separator: "\n")
  }
}
