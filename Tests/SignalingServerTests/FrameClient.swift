import EventLoop
import WebSocketCore
import WebSocketDeflate

/// A blocking WebSocket client that sees the frames of the server as they are on the wire.
final class FrameClient {
  struct Frame {
    var opcode: WebSocketOpcode
    var isCompressed: Bool
    /// The frame itself, header and all.
    var bytes: [UInt8]
    /// The payload, inflated where it was compressed.
    var payload: [UInt8]

    var text: String { String(decoding: payload, as: UTF8.self) }
  }

  let socket: TestSocket
  /// What the server agreed to, as it stands in its answer.
  let extensions: [WebSocketExtensionOffer]
  private var received: [UInt8] = []
  private var inflater = MessageInflater(keepsContext: false)

  /// - Parameter offer: the value of `Sec-WebSocket-Extensions`.
  init(_ server: TestServer, offer: String?, host: String? = nil) throws {
    socket = try TestSocket(port: server.port)
    var handshake = try WebSocketClientHandshake(
      host: host ?? "127.0.0.1:\(server.port)", path: "/ws", key: Array(0..<16), subprotocols: ["rollcall.v1"],
      extensions: offer.flatMap(WebSocketExtensionOffer.parse) ?? [])
    try socket.send(handshake.request)
    var progress = WebSocketClientHandshake.Progress.needsMoreInput
    while progress == .needsMoreInput {
      guard let bytes = try socket.receive() else { throw VectorFailure("no answer to the upgrade") }
      var consumed = 0
      progress = try bytes.withUnsafeBytes { try handshake.receive($0, consumed: &consumed) }
      received = Array(bytes[consumed...])
    }
    extensions = handshake.extensions
  }

  /// Connects, says hello and joins.
  convenience init(_ server: TestServer, as user: String, in session: String, offer: String?) throws {
    try self.init(server, offer: offer)
    try send(TestClient.hello(server.token(user)))
    try send(TestClient.join(session, id: 1))
    _ = try next { $0.text.contains("\"session.joined\"") }
  }

  func send(_ text: String) throws { try socket.send(TestClient.frame(text)) }

  /// Sends a compressed text, whole.
  func sendCompressed(_ text: [UInt8]) throws {
    var deflater = MessageDeflater(windowBits: 15, keepsContext: false, level: 9)
    let payload = text.withUnsafeBytes { bytes in deflater.deflate(bytes).map { [UInt8]($0) } ?? [] }
    try sendCompressed(payload: payload)
  }

  /// Sends this as a compressed text.
  func sendCompressed(payload: [UInt8]) throws {
    try socket.send(
      WebSocketFrame.bytes(
        .text, payload: payload, reservedBits: .rsv1, maskingKey: WebSocketMaskingKey(random: 0x1234_5678)))
  }

  /// The next frame.
  func next() throws -> Frame {
    while true {
      let header = try received.withUnsafeBytes {
        try WebSocketFrameHeader.decode($0, receivedBy: .client, permittedReservedBits: .rsv1)
      }
      if let header, received.count >= header.length + header.payloadCount {
        let bytes = Array(received[..<(header.length + header.payloadCount)])
        received.removeFirst(bytes.count)
        guard header.isFinal else { throw VectorFailure("the server cut up a message") }
        let isCompressed = header.reservedBits == .rsv1
        var payload = Array(bytes[header.length...])
        if isCompressed {
          payload = try payload.withUnsafeBytes { [UInt8](try inflater.inflate($0, maximumBytes: 1 << 20)) }
        }
        return Frame(opcode: header.opcode, isCompressed: isCompressed, bytes: bytes, payload: payload)
      }
      guard let bytes = try socket.receive() else { throw VectorFailure("the connection ended") }
      received += bytes
    }
  }

  /// The next frame that is meant; those before it are collected.
  func next(where isMeant: (Frame) -> Bool) throws -> (before: [Frame], frame: Frame) {
    var before: [Frame] = []
    while true {
      let frame = try next()
      if isMeant(frame) { return (before, frame) }
      before.append(frame)
    }
  }

  /// The code of the server's Close.
  func awaitClose() throws -> UInt16 {
    let payload = try next { $0.opcode == .close }.frame.payload
    return payload.count < 2 ? 1005 : UInt16(payload[0]) << 8 | UInt16(payload[1])
  }
}
