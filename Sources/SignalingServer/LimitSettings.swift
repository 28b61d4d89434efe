import HTTPCore
import SignalingProtocol
import WebSocketCore

/// How much a server takes, as far as it can be set; how long it waits is ``Patience``. Every field is named and explained
/// in ``LimitSetting``.
public struct LimitSettings: Sendable, Equatable {
  var requestLineBytes = HTTPLimits().maximumRequestLineBytes
  var headerBytes = HTTPLimits().maximumHeaderBytes
  var headerCount = HTTPLimits().maximumHeaderCount
  var bodyBytes = HTTPLimits().maximumBodyBytes
  var messageBytes = ProtocolLimits.messageBytes
  /// 0: as many as any message has.
  var inflatedBytes = 0
  var messageFragments = WebSocketLimits().maximumFramesPerMessage
  var messageRate = 1000
  var messageBurst = 5000
  var userMessageRate = 2000
  var userMessageBurst = 10_000
  var controlFrameRate = 50
  var controlFrameBurst = 500
  var outboundBytes = 256 * 1024
  /// 0: as many as the open files allow.
  var connections = 0
  /// 0: three quarters of all.
  var connectionsPerAddress = 0

  var readingRate = 50
  var changingRate = 50
  var creatingRate = 20
  var joiningRate = 50
  var readingAddressRate = 1000
  var changingAddressRate = 1000
  var creatingAddressRate = 200
  var joiningAddressRate = 1000

  /// The defaults.
  public init() {}

  var http: HTTPLimits {
    HTTPLimits(
      maximumRequestLineBytes: requestLineBytes, maximumHeaderBytes: headerBytes, maximumHeaderCount: headerCount,
      maximumBodyBytes: bodyBytes,
      maximumFormBytes: max(bodyBytes, Picture.maximumBytes + TransportLimits.formFieldBytes))
  }

  var webSocket: WebSocketLimits {
    WebSocketLimits(
      maximumMessageBytes: messageBytes, maximumInflatedMessageBytes: inflatedBytes > 0 ? inflatedBytes : nil,
      maximumFramesPerMessage: messageFragments)
  }

  var messages: RateLimit { RateLimit(perSecond: messageRate, burst: messageBurst) }
  var userMessages: RateLimit { RateLimit(perSecond: userMessageRate, burst: userMessageBurst) }
  var controlFrames: RateLimit { RateLimit(perSecond: controlFrameRate, burst: controlFrameBurst) }

  /// The census for a process that may have so many files open: journal, snapshots and listeners keep some for themselves.
  func census(descriptors: Int, loops: Int) -> ConnectionCensus {
    let reserve = min(64 + 8 * loops, descriptors / 2)
    let maximum = connections > 0 ? connections : max(1, descriptors - reserve)
    let perNetwork = connectionsPerAddress > 0 ? connectionsPerAddress : max(1, maximum - maximum / 4)
    return ConnectionCensus(maximum: maximum, maximumPerNetwork: perNetwork)
  }
}
