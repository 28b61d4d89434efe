import Testing

@testable import SignalingServer

/// A connection follows its room from loop to loop.
@Suite("Changing rooms and loops")
struct HandoverTests {
  private static func chat(_ text: String, id: Int) -> [UInt8] {
    TestClient.frame(#"{"type":"chat.send","id":\#(id),"text":"\#(text)"}"#)
  }

  private static let leave = TestClient.frame(#"{"type":"session.leave","id":0}"#)

  /// Two sessions of each loop, so that also a change within a loop occurs.
  private func sessions(of server: TestServer) throws -> [String] {
    try (0..<server.loops).flatMap { loop in
      try ["a", "b"].map { prefix in
        let id = server.sessionID(onLoop: loop, prefix: prefix)
        try server.createSession(id)
        try server.startSession(id)
        return id
      }
    }
  }

  /// What a client that roams is told, in order: the answers to its commands and the chat of its rooms.
  private func transcript(of client: TestClient, until last: Int) throws -> [String] {
    var told: [String] = []
    while true {
      let message = try client.next()
      let id = message["id"]?.integer
      switch message["type"]?.string {
      case "session.joined": told.append("joined \(message["session"]?["id"]?.string ?? "")")
      case "chat.message": told.append("message \(message["text"]?.string ?? "")")
      case "ok": told.append("ok \(id ?? -1)")
      default: told.append("\(message)")
      }
      if id == last { return told }
    }
  }

  enum Way: CaseIterable {
    case whole, bytewise, secure, secureBytewise
  }

  @Test(
    "leave, join and commands behind them, from every loop to every loop: nothing is lost, the order is kept",
    arguments: [1, 2, 4], Way.allCases)
  func everyPair(_ loops: Int, _ way: Way) throws {
    let isSecure = way == .secure || way == .secureBytewise
    let server = isSecure ? try TestServer.secure(loops: loops) : try TestServer(loops: loops)
    let sessions = try sessions(of: server)
    let client = try TestClient(server, as: server.token("roamer"))
    var bytes: [UInt8] = []
    var expected: [String] = []
    var id = 1
    var isFirst = true
    for from in sessions {
      for to in sessions {
        for session in [from, to] {
          if !isFirst {
            bytes += Self.leave
            expected.append("ok 0")
          }
          isFirst = false
          bytes += TestClient.frame(TestClient.join(session, id: id))
          expected.append("joined \(session)")
          for _ in 0..<2 {
            id += 1
            bytes += Self.chat("\(id) in \(session)", id: id)
            expected.append("ok \(id)")
          }
          id += 1
        }
      }
    }
    bytes += TestClient.frame(#"{"type":"chat.history","id":\#(id),"limit":1}"#)
    expected.append("ok \(id)")
    if way == .secureBytewise {
      // Records that lie across the handovers.
      client.socket.pieceBytes = 11
      for start in stride(from: 0, to: bytes.count, by: 300) {
        try client.socket.send(bytes[start..<min(start + 300, bytes.count)])
      }
    } else if way == .bytewise {
      for byte in bytes.prefix(3000) { try client.socket.send([byte]) }
      for start in stride(from: 3000, to: bytes.count, by: 7) {
        try client.socket.send(bytes[start..<min(start + 7, bytes.count)])
      }
    } else {
      try client.socket.send(bytes)
    }
    let told = try transcript(of: client, until: id)
    #expect(told.filter { !$0.hasPrefix("message") } == expected)
    // Who leaves right after speaking may have left when the message is out; what comes is in order.
    let numbers = told.filter { $0.hasPrefix("message") }.compactMap { Int($0.split(separator: " ")[1]) }
    #expect(numbers == numbers.sorted() && Set(numbers).count == numbers.count)
  }

  @Test("many clients roam at once, each in its own order", arguments: [2, 4], [false, true])
  func manyRoam(_ loops: Int, _ isSecure: Bool) throws {
    let server = isSecure ? try TestServer.secure(loops: loops) : try TestServer(loops: loops)
    let sessions = try sessions(of: server)
    var generator = SeededGenerator(seed: 7)
    let clients = try (0..<12).map { try TestClient(server, as: server.token("u\($0)")) }
    var expected: [[String]] = []
    for (number, client) in clients.enumerated() {
      var bytes: [UInt8] = []
      var answers: [String] = []
      for round in 0..<30 {
        let session = sessions[Int.random(in: 0..<sessions.count, using: &generator)]
        bytes += TestClient.frame(TestClient.join(session, id: 1 + 3 * round))
        answers.append("joined \(session)")
        bytes += Self.chat("\(number).\(round)", id: 2 + 3 * round)
        answers.append("ok \(2 + 3 * round)")
        bytes += TestClient.frame(#"{"type":"session.leave","id":\#(3 + 3 * round)}"#)
        answers.append("ok \(3 + 3 * round)")
      }
      try client.socket.send(bytes)
      expected.append(answers)
    }
    for (client, expected) in zip(clients, expected) {
      let told = try transcript(of: client, until: 90).filter { !$0.hasPrefix("message") }
      #expect(told == expected)
    }
  }

  @Test("who joins what is not there, wherever it would be, is told and can join again", arguments: [1, 4])
  func unknownSession(_ loops: Int) throws {
    let server = try TestServer(loops: loops)
    let sessions = try sessions(of: server)
    let client = try TestClient(server, as: server.token("u"))
    for (number, session) in sessions.enumerated() {
      let loop = (number + 1) % loops
      let absent = server.sessionID(onLoop: loop, prefix: "absent")
      #expect(try client.ask(TestClient.join(absent, id: 1), id: 1)["code"]?.string == "not_found")
      try client.join(session)
      #expect(try client.ask(TestClient.join(absent, id: 2), id: 2)["code"]?.string == "already_joined")
      try client.ask(#"{"type":"session.leave","id":3}"#, id: 3)
    }
  }

  @Test("a message in two pieces, with the change of loop between them, is one message")
  func splitMessage() throws {
    let server = try TestServer(loops: 2)
    let sessions = try sessions(of: server)
    let client = try TestClient(server, as: server.token("u"))
    for _ in 0..<5 {
      for session in sessions {
        let frame = Self.chat("across", id: 2)
        try client.socket.send(TestClient.frame(TestClient.join(session, id: 1)) + frame.prefix(20))
        try client.answer(to: 1)
        try client.socket.send(frame.dropFirst(20) + Self.leave)
        #expect(try client.answer(to: 2)["type"]?.string == "ok")
        try client.answer(to: 0)
      }
    }
  }

  @Test("who vanishes while changing loops is nowhere afterwards", arguments: 0..<10)
  func vanishing(_ seed: UInt64) throws {
    let server = try TestServer(loops: 4) {
      $0.shard.graceMilliseconds = 0
      $0.shard.heartbeatTimeoutMilliseconds = 0
      if seed % 2 == 1 { $0.tls = .selfSigned }
    }
    let sessions = try sessions(of: server)
    var generator = SeededGenerator(seed: seed)
    for number in 0..<20 {
      let client = try TestClient(server, as: server.token("ghost-\(number)"))
      var bytes: [UInt8] = []
      for session in sessions.shuffled(using: &generator) {
        bytes += TestClient.frame(TestClient.join(session, id: 1)) + Self.leave
      }
      try client.socket.send(bytes.prefix(Int.random(in: 0...bytes.count, using: &generator)))
      Bool.random(using: &generator) ? client.socket.reset() : client.socket.shut()
    }
    for session in sessions {
      let watcher = try TestClient(server, as: server.token("watcher"))
      var present = Set(
        try watcher.join(session)["presence"]?["participants"]?.array?.compactMap { $0["user"]?.string } ?? [])
      while present != ["watcher"] {
        let diff = try watcher.await { $0["type"]?.string == "presence.diff" }
        for key in ["joined", "updated"] {
          present.formUnion(diff[key]?.array?.compactMap { $0["user"]?.string } ?? [])
        }
        present.subtract(diff["left"]?.array?.compactMap { $0["user"]?.string } ?? [])
      }
    }
  }
}

/// Random numbers that are the same for the same seed (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var bits = state
    bits = (bits ^ bits >> 30) &* 0xBF58_476D_1CE4_E5B9
    bits = (bits ^ bits >> 27) &* 0x94D0_49BB_1331_11EB
    return bits ^ bits >> 31
  }
}
