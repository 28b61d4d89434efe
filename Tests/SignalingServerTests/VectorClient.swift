import Foundation
import WebSocketCore

/// One actor of a vector: a blocking WebSocket client that keeps what a client of the protocol keeps.
final class VectorClient {
  /// Messages whose number depends on timing; a step that waits for something else passes over them.
  private static let volatile: Set = [
    "presence.diff", "presence.count", "waiting.count", "waiting.state", "sessions.changed", "attendance.summary",
    "notification",
  ]

  private let name: String
  private let actor: VectorJSON
  private var socket: VectorSocket?
  private var machine = WebSocketConnection(role: .client)
  /// What came and no step has taken yet.
  private var queue: [VectorJSON] = []
  /// The participants by user, as the protocol says a client keeps them.
  private var roster: [String: VectorJSON] = [:]
  private var presenceMode = "full"
  private var lastSequences: [String: Int] = [:]
  private var lastSignal = 0
  /// The code of the server's Close; 1005 when it gave none.
  private var closeCode: Int?

  init(name: String, actor: VectorJSON, values: inout VectorValues) throws {
    self.name = name
    self.actor = actor
    if let claims = actor["claims"] {
      values["\(name).token"] = .string(try values.token(.object(["claims": try values.build(claims)])))
    }
  }

  // MARK: Connecting

  func connect(_ step: VectorJSON, port: UInt16, values: inout VectorValues) throws {
    let socket = try VectorSocket(port: port)
    self.socket = socket
    machine = WebSocketConnection(
      role: .client, limits: WebSocketLimits(maximumMessageBytes: 1 << 24, maximumFramesPerMessage: 1024))
    (queue, roster, lastSequences, closeCode) = ([], [:], [:], nil)
    let protocols = step["subprotocols"]?.array?.compactMap(\.string) ?? ["rollcall.v1"]
    let fields = try (step["headers"]?.object ?? [:]).map { (name: $0.key, value: try values.text($0.value)) }
    var generator = SystemRandomNumberGenerator()
    var handshake = try WebSocketClientHandshake(
      host: "127.0.0.1:\(port)", path: "/ws", key: (0..<16).map { _ in UInt8.random(in: 0...255, using: &generator) },
      subprotocols: protocols, extraFields: fields)
    try socket.send(handshake.request)
    let deadline = VectorSocket.now() + VectorSocket.patience
    while true {
      guard let bytes = try socket.receive(until: deadline) else { throw VectorFailure("no answer to the upgrade") }
      var consumed = 0
      let progress = try bytes.withUnsafeBytes { try handshake.receive($0, consumed: &consumed) }
      guard case .accepted(let chosen) = progress else { continue }
      if let expected = step["expect"]?["subprotocol"], expected != (chosen.map(VectorJSON.string) ?? .null) {
        throw VectorFailure("the server chose the subprotocol \(chosen ?? "none")")
      }
      try takeIn(Array(bytes[consumed...]))
      break
    }
    if step["connect"]?.string == "greet" { try greet(values: &values) }
  }

  private func greet(values: inout VectorValues) throws {
    _ = try receive(.object(["type": .string("welcome")]), skipping: [], values: &values)
    let hello: (String, VectorJSON) =
      if let guest = actor["guest"] { ("guest", guest) } else { ("token", try values.value(of: "\(name).token")) }
    try send(.object(["type": .string("hello"), hello.0: hello.1]))
    let ready = try receive(.object(["type": .string("ready")]), skipping: [], values: &values)
    values["\(name).user"] = ready["user"]?["id"]
    values["\(name).guest_token"] = ready["guest_token"]
  }

  func disconnect(_ how: String) throws {
    if how == "close", let frame = machine.closeFrame(code: .normalClosure, maskingKey: maskingKey()) {
      try socket?.send(frame)
      let deadline = VectorSocket.now() + VectorSocket.patience
      while let bytes = try socket?.receive(until: deadline) { try takeIn(bytes) }
    }
    socket = nil
  }

  // MARK: Sending

  func send(_ message: VectorJSON) throws { try send(.text, [UInt8](try message.data)) }

  func send(_ opcode: WebSocketOpcode, _ payload: [UInt8]) throws {
    guard let socket else { throw VectorFailure("\(name) is not connected") }
    try socket.send(WebSocketFrame.bytes(opcode, payload: payload, maskingKey: maskingKey()))
  }

  private func maskingKey() -> WebSocketMaskingKey { WebSocketMaskingKey(random: .random(in: .min ... .max)) }

  // MARK: Receiving

  private func takeIn(_ bytes: [UInt8]) throws {
    var bytes = bytes
    var consumed = 0
    var texts: [[UInt8]] = []
    var problem: String?
    bytes.withUnsafeMutableBytes { input in
      while let event = machine.next(input, consumed: &consumed) {
        switch event {
        case .text(let payload): texts.append([UInt8](payload))
        case .binary: problem = "a binary message came"
        case .ping, .pong: break
        case .close(let code, _): closeCode = Int(code?.rawValue ?? 1005)
        case .failure(let failure): problem = "the server breaks RFC 6455: \(failure)"
        }
      }
    }
    if let problem { throw VectorFailure(problem) }
    for text in texts {
      let message = try VectorJSON(parsing: Data(text))
      try note(message)
      queue.append(message)
    }
  }

  /// Keeps presence and the numbers of events as the protocol says.
  private func note(_ message: VectorJSON) throws {
    switch message["type"]?.string {
    case "session.joined":
      if let presence = message["presence"] { replaceRoster(presence) } else { roster = [:] }
      lastSequences = message["streams"]?.object?.compactMapValues(\.integer) ?? [:]
      lastSignal = message["signal_seq"]?.integer ?? 0
    case "presence.state":
      replaceRoster(message)
    case "presence.diff":
      let changed = (message["joined"]?.array ?? []) + (message["updated"]?.array ?? [])
      for participant in changed { roster[participant["user"]?.string ?? ""] = participant }
      for gone in message["left"]?.array ?? [] { roster[gone["user"]?.string ?? ""] = nil }
      if presenceMode == "full", roster.count != message["count"]?.integer {
        throw VectorFailure("the set has \(roster.keys.sorted()) after \(message)")
      }
    case "signal":
      guard message["signal_seq"]?.integer == lastSignal + 1 else {
        throw VectorFailure("a signal after number \(lastSignal) is \(message)")
      }
      lastSignal += 1
    default:
      guard let sequence = message["seq"]?.integer, let stream = message["stream"]?.string else { return }
      guard let last = lastSequences[stream] else { throw VectorFailure("not a stream of the client's: \(message)") }
      if sequence != last + 1 { throw VectorFailure("seq \(sequence) of \(stream) comes after \(last)") }
      lastSequences[stream] = sequence
      // A promotion brings the stream of the hosts from there on, its end takes it away.
      guard message["type"]?.string == "participant.role", stream.hasPrefix("user:") else { return }
      lastSequences["hosts"] = message["streams"]?["hosts"]?.integer
    }
  }

  private func replaceRoster(_ presence: VectorJSON) {
    presenceMode = presence["mode"]?.string ?? "full"
    roster = [:]
    for participant in presence["participants"]?.array ?? [] { roster[participant["user"]?.string ?? ""] = participant }
  }

  private func takeMore(until deadline: Double) throws {
    guard let socket else { throw VectorFailure("\(name) is not connected") }
    if let closeCode { throw VectorFailure("closed with \(closeCode); unread: \(VectorJSON.array(queue))") }
    do {
      guard let bytes = try socket.receive(until: deadline) else {
        throw VectorFailure("the connection ended without a Close")
      }
      try takeIn(bytes)
    } catch let failure as VectorFailure {
      throw VectorFailure("\(failure); unread: \(VectorJSON.array(queue))")
    }
  }

  /// Waits for a message that matches. Volatile ones before it are forgotten, those of the types in `skipping` are kept.
  @discardableResult
  func receive(_ pattern: VectorJSON, skipping: Set<String>, values: inout VectorValues) throws -> VectorJSON {
    let deadline = VectorSocket.now() + VectorSocket.patience
    var position = 0
    while true {
      while position < queue.count {
        let message = queue[position]
        guard let reason = values.mismatch(message, pattern) else {
          queue.remove(at: position)
          return message
        }
        let type = message["type"]?.string ?? ""
        if Self.volatile.contains(type) {
          queue.remove(at: position)
        } else if skipping.contains(type) {
          position += 1
        } else {
          throw VectorFailure("\(reason) in \(message)")
        }
      }
      try takeMore(until: deadline)
    }
  }

  func awaitPresence(_ users: [String: VectorJSON], values: inout VectorValues) throws {
    let deadline = VectorSocket.now() + VectorSocket.patience
    while true {
      var trial = values
      var reason: String?
      if Set(roster.keys) != Set(users.keys) { reason = "the set has \(roster.keys.sorted())" }
      for (user, pattern) in users.sorted(by: { $0.key < $1.key }) where reason == nil {
        reason = trial.mismatch(roster[user], pattern)
      }
      guard let reason else {
        values = trial
        return
      }
      do {
        try takeMore(until: deadline)
      } catch {
        throw VectorFailure("\(reason); \(error)")
      }
    }
  }

  /// Until the answer to a ping nothing comes but volatile messages.
  func expectNothing(values: inout VectorValues) throws {
    let id = VectorJSON.number(4242)
    try send(.object(["type": .string("ping"), "id": id]))
    try receive(.object(["type": .string("pong"), "id": id]), skipping: [], values: &values)
  }

  func awaitClose(code: Int) throws {
    let deadline = VectorSocket.now() + VectorSocket.patience
    while true {
      queue.removeAll { Self.volatile.contains($0["type"]?.string ?? "") }
      if let message = queue.first { throw VectorFailure("a message before the Close: \(message)") }
      if let closeCode {
        guard closeCode == code else { throw VectorFailure("closed with \(closeCode)") }
        socket = nil
        return
      }
      try takeMore(until: deadline)
    }
  }
}
