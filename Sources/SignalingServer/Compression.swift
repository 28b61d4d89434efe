import Bytes
import HTTPCore
import WebSocketCore
import WebSocketDeflate

/// What one loop compresses and inflates with: one inflater and a deflater for each window, for all its connections.
///
/// No connection of the signaling endpoint carries a context from message to message, in neither direction. So one
/// compressed frame is right for every receiver, nothing is kept for a connection, and a message is never compressed
/// together with another one: no length tells what somebody else wrote, or what a secret is.
struct LoopCompression: ~Copyable {
  var inflater = MessageInflater(keepsContext: false)
  private var deflaters = InlineArray<7, MessageDeflater> { MessageDeflater(windowBits: 9 + $0, keepsContext: false) }

  /// Compresses a message within a window; nil when it does not become shorter.
  mutating func deflate(_ message: UnsafeRawBufferPointer, windowBits: Int) -> UnsafeRawBufferPointer? {
    guard let payload = deflaters[windowBits - 9].deflate(message), payload.count < message.count else { return nil }
    return payload
  }
}

/// What the echo endpoint keeps for a connection, as the conformance suite asks for it: a context in each direction.
final class EchoCompression {
  var inflater: MessageInflater
  private var deflater: MessageDeflater

  init(_ agreement: DeflateAgreement) {
    inflater = MessageInflater(keepsContext: !agreement.clientNoContextTakeover)
    deflater = MessageDeflater(
      windowBits: agreement.serverMaxWindowBits, keepsContext: !agreement.serverNoContextTakeover)
  }

  func deflate(_ message: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? { deflater.deflate(message) }
}

extension ServerLoop {
  /// Whether and how a connection compresses.
  func agreeOnCompression(
    _ offers: [WebSocketExtensionOffer], _ request: HTTPRequest, purpose: WebSocketState.Purpose
  ) -> (agreement: DeflateAgreement, response: WebSocketExtensionOffer)? {
    guard context.configuration.compresses, !offers.isEmpty else { return nil }
    switch purpose {
    case .signaling:
      return DeflateServerPolicy(serverNoContextTakeover: true, clientNoContextTakeover: true).accept(offers)
    case .echo: return DeflateServerPolicy(query: request.target).accept(offers)
    }
  }

  /// Sends back what came, compressed where that was agreed on.
  func echo(_ opcode: WebSocketOpcode, _ message: UnsafeRawBufferPointer, to id: SlotID) {
    guard let connection = connections.pointer(to: id), connection.pointee.webSocket?.machine.isOpen == true else {
      return
    }
    if let payload = connection.pointee.webSocket?.echo?.deflate(message) {
      enqueue(makeFrame(opcode, payload, reservedBits: .rsv1), to: id)
    } else {
      enqueue(makeFrame(opcode, message), to: id)
    }
  }
}

extension DeflateServerPolicy {
  /// What the query of `/echo` asks the server to ask for: the parameters of RFC 7692, 7.1.
  fileprivate init(query target: HTTPTarget) {
    self.init()
    let bits = PermessageDeflate.usableWindowBits
    for item in target.queryItems {
      switch item.name {
      case "server_no_context_takeover": serverNoContextTakeover = true
      case "client_no_context_takeover": clientNoContextTakeover = true
      case "server_max_window_bits": serverMaxWindowBits = Int(item.value).map(bits.clamped) ?? 15
      case "client_max_window_bits": clientMaxWindowBits = Int(item.value).map(bits.clamped)
      default: break
      }
    }
  }
}

extension ClosedRange<Int> {
  /// The number, or the end of the range that is next to it.
  fileprivate func clamped(_ number: Int) -> Int { Swift.min(Swift.max(number, lowerBound), upperBound) }
}
