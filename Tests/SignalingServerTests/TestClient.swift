import Foundation
import WebSocketCore

/// A blocking WebSocket client for conversations that a test writes out.
final class TestClient {
  let socket: TestSocket
  private var machine = WebSocketConnection(
    role: .client, limits: WebSocketLimits(maximumMessageBytes: 1 << 24, maximumFramesPerMessage: 1024))
  /// What came and nobody has taken yet.
  private(set) var queue: [VectorJSON] = []
  private(set) var pongs: [[UInt8]] = []
  private(set) var pingCount = 0
  /// Whether the server's Close has come, and its code.
  private(set) var close: (code: UInt16?, reason: String)?

  /// Connects and shakes hands.
  /// - Parameter following: bytes that go out in one piece with the request.
  init(_ server: TestServer, receiveBytes: Int32? = nil, following: [UInt8] = []) throws {
    socket = try server.connect(receiveBytes: receiveBytes)
    var handshake = try Self.handshake(port: server.port)
    try socket.send(handshake.request + following)
    try finish(&handshake)
  }

  /// Takes over a connection on which the request has been sent.
  init(_ socket: TestSocket, awaiting handshake: inout WebSocketClientHandshake) throws {
    self.socket = socket
    try finish(&handshake)
  }

  static func handshake(port: UInt16) throws -> WebSocketClientHandshake {
    try WebSocketClientHandshake(
      host: "127.0.0.1:\(port)", path: "/ws", key: Array(0..<16), subprotocols: ["rollcall.v1"])
  }

  private func finish(_ handshake: inout WebSocketClientHandshake) throws {
    while true {
      guard let bytes = try socket.receive() else { throw VectorFailure("no answer to the upgrade") }
      var consumed = 0
      let progress = try bytes.withUnsafeBytes { try handshake.receive($0, consumed: &consumed) }
      guard case .accepted = progress else { continue }
      try takeIn(Array(bytes[consumed...]))
      return
    }
  }

  /// Connects as somebody and says hello.
  convenience init(_ server: TestServer, as token: String, receiveBytes: Int32? = nil) throws {
    try self.init(server, receiveBytes: receiveBytes)
    try send(Self.hello(token))
    try receive("ready")
  }

  // MARK: Sending

  static func hello(_ token: String) -> String { #"{"type":"hello","token":"\#(token)"}"# }

  static func join(_ session: String, id: Int) -> String {
    #"{"type":"session.join","id":\#(id),"session":"\#(session)"}"#
  }

  /// The frame of a message.
  static func frame(_ text: String) -> [UInt8] { frame(.text, Array(text.utf8)) }

  static func frame(_ opcode: WebSocketOpcode, _ payload: [UInt8], isFinal: Bool = true) -> [UInt8] {
    WebSocketFrame.bytes(
      opcode, payload: payload, isFinal: isFinal, maskingKey: WebSocketMaskingKey(random: .random(in: .min ... .max)))
  }

  func send(_ text: String) throws { try socket.send(Self.frame(text)) }

  /// Sends our Close, or the answer to the server's.
  func sendClose(code: UInt16 = 1000) throws {
    let key = WebSocketMaskingKey(random: .random(in: .min ... .max))
    if let frame = machine.closeFrame(code: WebSocketCloseCode(rawValue: code), maskingKey: key) {
      try socket.send(frame)
    }
  }

  // MARK: Receiving

  private func takeIn(_ received: [UInt8]) throws {
    var bytes = received
    var consumed = 0
    var texts: [[UInt8]] = []
    var problem: String?
    bytes.withUnsafeMutableBytes { input in
      while let event = machine.next(input, consumed: &consumed) {
        switch event {
        case .text(let payload): texts.append([UInt8](payload))
        case .binary: problem = "a binary message came"
        case .ping: pingCount += 1
        case .pong(let payload): pongs.append([UInt8](payload))
        case .close(let code, let reason): close = (code?.rawValue, String(decoding: reason, as: UTF8.self))
        case .failure(let failure): problem = "the server breaks RFC 6455: \(failure)"
        }
      }
    }
    if let problem { throw VectorFailure(problem) }
    for text in texts { queue.append(try VectorJSON(parsing: Data(text))) }
  }

  /// Reads once.
  func readMore() throws {
    guard close == nil else { throw VectorFailure("closed: \(close.map { "\($0)" } ?? ""); unread: \(queue)") }
    guard let bytes = try socket.receive() else { throw VectorFailure("ended without a Close; unread: \(queue)") }
    try takeIn(bytes)
  }

  /// The first message that nobody has taken.
  func takeFirst() -> VectorJSON { queue.removeFirst() }

  private static let passedOver: Set = [
    "presence.diff", "presence.count", "waiting.count", "waiting.state", "sessions.changed", "attendance.summary",
    "notification",
  ]

  /// The next message; presence and counts, whose number depends on time, are passed over.
  func next() throws -> VectorJSON {
    while true {
      while let message = queue.first {
        queue.removeFirst()
        let type = message["type"]?.string ?? ""
        if !Self.passedOver.contains(type) { return message }
      }
      try readMore()
    }
  }

  /// The next message, which is of this type.
  @discardableResult
  func receive(_ type: String) throws -> VectorJSON {
    repeat {
      let message = try next()
      if message["type"]?.string == type { return message }
      if message["type"]?.string != "welcome" || type == "welcome" { throw VectorFailure("\(message) is not \(type)") }
    } while true
  }

  /// The answer to a command; what comes before it is passed over.
  @discardableResult
  func answer(to id: Int) throws -> VectorJSON {
    while true {
      let message = try next()
      if message["id"]?.integer == id { return message }
    }
  }

  /// Sends a command and waits for its answer.
  @discardableResult
  func ask(_ text: String, id: Int) throws -> VectorJSON {
    try send(text)
    return try answer(to: id)
  }

  /// Joins a session and waits to be in it.
  @discardableResult
  func join(_ session: String, id: Int = 1) throws -> VectorJSON {
    let joined = try ask(Self.join(session, id: id), id: id)
    guard joined["type"]?.string == "session.joined" else { throw VectorFailure("not joined: \(joined)") }
    return joined
  }

  /// Reads until the server's Close.
  /// - Returns: its code.
  func awaitClose() throws -> UInt16? {
    while close == nil { try readMore() }
    return close?.code
  }

  /// Whether the server ends the connection now.
  func awaitEnd() throws -> Bool {
    while let bytes = try socket.receive() { try takeIn(bytes) }
    return true
  }
}

extension TestClient {
  /// Waits for a message of any type that satisfies the condition, and forgets those before it.
  @discardableResult
  func await(_ condition: (VectorJSON) -> Bool) throws -> VectorJSON {
    while true {
      while !queue.isEmpty {
        let message = takeFirst()
        if condition(message) { return message }
      }
      try readMore()
    }
  }
}
