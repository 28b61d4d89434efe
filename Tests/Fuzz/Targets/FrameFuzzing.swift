import WebSocketCore
import WebSocketDeflate

/// However a stream is cut, it holds the same events, in both roles; a message that was understood is understood again
/// when it is written as one frame; the limits hold.
@Sendable func fuzzFrames(_ bytes: UnsafeRawBufferPointer) throws(BrokenInvariant) {
  var choices = Choices(bytes)
  let setting = choices.byte()
  let stream = FrameStream(
    role: setting & 1 == 0 ? .server : .client, permitsCompression: setting & 2 != 0,
    closesAfter: setting & 4 == 0 ? nil : Int(setting >> 4),
    limits: WebSocketLimits(maximumMessageBytes: setting & 8 == 0 ? 512 : 70_000, maximumFramesPerMessage: 6))
  let whole = try stream.events(of: choices.rest, .whole)
  for cutting in Cutting.allCases.dropFirst() {
    let other = try stream.events(of: choices.rest, cutting)
    try hold(other == whole, "cut into \(cutting): \(other), not \(whole)")
  }
  for event in whole { try stream.checkRewritten(event) }
}

private enum Event: Equatable {
  case data(WebSocketOpcode, [UInt8])
  case close(WebSocketCloseCode?, [UInt8])
  case failure(WebSocketFailure)

  init(_ event: WebSocketEvent) {
    switch event {
    case .text(let payload): self = .data(.text, Array(payload))
    case .binary(let payload): self = .data(.binary, Array(payload))
    case .ping(let payload): self = .data(.ping, Array(payload))
    case .pong(let payload): self = .data(.pong, Array(payload))
    case .close(let code, let reason): self = .close(code, Array(reason))
    case .failure(let failure): self = .failure(failure)
    }
  }

  var isLast: Bool {
    if case .data = self { return false }
    return true
  }
}

private struct FrameStream {
  var role: WebSocketRole
  var permitsCompression: Bool
  /// We send our Close after so many events.
  var closesAfter: Int?
  var limits: WebSocketLimits

  /// A client masks what it sends; the receiver of the streams here is the other side.
  private var peerKey: WebSocketMaskingKey? { role == .server ? WebSocketMaskingKey(1, 0x80, 0xFF, 7) : nil }
  private var ownKey: WebSocketMaskingKey? { role == .client ? WebSocketMaskingKey(1, 0x80, 0xFF, 7) : nil }

  func events(of bytes: UnsafeRawBufferPointer, _ cutting: Cutting) throws(BrokenInvariant) -> [Event] {
    var connection = WebSocketConnection(role: role, limits: limits, permitsCompression: permitsCompression)
    var inflater = MessageInflater(keepsContext: true)
    var events: [Event] = []
    for piece in cutting.pieces(of: bytes.count) {
      // Its own allocation, so that a read behind its end is seen.
      let input = UnsafeMutableRawBufferPointer.allocate(byteCount: piece.count, alignment: 1)
      defer { input.deallocate() }
      input.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[piece]))
      var consumed = 0
      while let found = connection.next(input, consumed: &consumed, inflater: &inflater) {
        let event = Event(found)
        try hold(events.last?.isLast != true, "\(event) after the last event")
        events.append(event)
        if events.count == closesAfter {
          let code: WebSocketCloseCode? = events.count % 2 == 0 ? .goingAway : nil
          _ = connection.closeFrame(code: code, reason: "enough", maskingKey: ownKey)
        }
      }
      try hold(consumed == input.count, "\(input.count - consumed) bytes were left")
    }
    return events
  }

  func checkRewritten(_ event: Event) throws(BrokenInvariant) {
    let opcode: WebSocketOpcode
    let payload: [UInt8]
    switch event {
    case .failure(let failure):
      try hold(failure.closeCode.isValidOnTheWire, "\(failure) has a code that must not travel")
      return
    case .close(let code, let reason):
      try hold(String(validating: reason, as: UTF8.self) != nil, "a reason that is not UTF-8")
      try hold(code != nil || reason.isEmpty, "a reason without a code")
      opcode = .close
      payload = (code.map { [UInt8($0.rawValue >> 8), UInt8($0.rawValue & 0xFF)] } ?? []) + reason
    case .data(let kind, let bytes):
      (opcode, payload) = (kind, bytes)
      try hold(kind != .text || String(validating: bytes, as: UTF8.self) != nil, "a text that is not UTF-8")
    }
    let limit = opcode.isControl ? WebSocketLimits.maximumControlPayloadBytes : limits.maximumMessageBytes
    try hold(payload.count <= limit, "\(payload.count) bytes in \(opcode)")
    var connection = WebSocketConnection(role: role, limits: limits)
    var frame = WebSocketFrame.bytes(opcode, payload: payload, maskingKey: peerKey)
    let again = frame.withUnsafeMutableBytes { frame in
      var consumed = 0
      return connection.next(frame, consumed: &consumed).map(Event.init)
    }
    try hold(again == event, "written again, \(event) became \(String(describing: again))")
  }
}
