import Foundation
import Testing

@testable import SignalingServer

/// What a server that is told to end does for its clients.
@Suite("Going down")
struct DrainTests {
  @Test("everybody is told, gets 1012, and the server ends in time", arguments: [1, 2, 4])
  func goodbye(_ loops: Int) throws {
    let server = try TestServer(loops: loops) {
      $0.patience.drain = 60_000
      $0.patience.close = 60_000
      $0.patience.hello = 60_000
    }
    let sessions = try (0..<loops).map { loop in
      let id = server.sessionID(onLoop: loop)
      try server.createSession(id)
      try server.startSession(id)
      return id
    }
    var clients = [try TestClient(server), try TestClient(server, as: server.token("outside"))]
    for session in sessions {
      for user in ["a", "b"] {
        let client = try TestClient(server, as: server.token(user))
        try client.join(session)
        clients.append(client)
      }
    }
    let idle = try TestSocket(port: server.port)
    let time = try ContinuousClock().measure {
      try server.stop {
        for client in clients {
          let draining = try client.await { $0["type"]?.string == "server.draining" }
          #expect((500...3000).contains(draining["retry_after_ms"]?.integer ?? 0))
          #expect(try client.awaitClose() == 1012)
          try client.sendClose()
        }
        #expect(try idle.receiveAll() == [])
      }
    }
    #expect(time < .milliseconds(60_000), "it ends when all have said good-bye, not only when its patience ends")
  }

  @Test("clients that do not answer, or do not read, do not hold it up")
  func deaf() throws {
    let server = try TestServer(loops: 2) { $0.patience.drain = 500 }
    let silent = try TestClient(server, as: server.token("silent"))
    let flooded = try TestSocket(port: server.port, receiveBytes: 4096)
    let request = Array("GET /sdk/client.js HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
    try flooded.send(Array(repeating: request, count: 1000).flatMap { $0 })
    #expect(flooded.isReady(for: 1, within: TestSocket.patience))
    server.stop()
    #expect(try silent.awaitClose() == 1012)
  }

  @Test("what was acknowledged while it went down is there afterwards, and every command is answered or not done")
  func commandsUnderWay() throws {
    let folder = try TemporaryFolder()
    let first = try TestServer(loops: 2, folder: folder)
    try first.createSession("live")
    try first.startSession("live")
    let client = try TestClient(first, as: first.token("speaker"))
    try client.join("live")
    try client.socket.send((1...500).flatMap { TestClient.frame(#"{"type":"chat.send","id":\#($0),"text":"\#($0)"}"#) })
    var acknowledged = 1
    try first.stop {
      while client.close == nil {
        try client.readMore()
        while !client.queue.isEmpty {
          let message = client.takeFirst()
          if message["type"]?.string == "ok", let sequence = message["seq"]?.integer { acknowledged = sequence }
        }
      }
      try client.sendClose()
    }
    let second = try TestServer(loops: 1, folder: folder)
    let again = try TestClient(second, as: second.token("speaker"))
    let sequence = try again.join("live")["streams"]?["room"]?.integer
    #expect(try #require(sequence) >= acknowledged)
  }

  @Test("a request under way when the server drains is answered", arguments: [1, 2])
  func requestUnderWay(_ loops: Int) throws {
    let server = try TestServer(loops: loops)
    let token = server.token("teacher", role: .host)
    var sockets: [TestSocket] = []
    for number in 0..<40 {
      let body = #"{"id":"s\#(number)","title":"T"}"#
      let socket = try TestSocket(port: server.port)
      try socket.send(
        "POST /api/sessions/ HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \(token)\r\nContent-Length: \(body.count)\r\n\r\n"
      )
      try socket.send(body)
      sockets.append(socket)
    }
    // The first answer says that the requests are being worked on.
    let first = try #require(try sockets[0].receive())
    #expect(String(decoding: first, as: UTF8.self).hasPrefix("HTTP/1.1 201"))
    var created = 0
    try server.stop {
      for socket in sockets.dropFirst() {
        let answer = String(decoding: try socket.receiveAll(), as: UTF8.self)
        #expect(answer.isEmpty || answer.hasPrefix("HTTP/1.1 201"))
        if !answer.isEmpty { created += 1 }
      }
    }
    let second = try TestServer(loops: 1, folder: server.folder)
    let list = try second.get("/api/sessions/?limit=100", as: token).json["sessions"]?.array ?? []
    #expect(list.count == created + 1, "made and answered are the same")
  }

  @Test("after its end the port is free", arguments: [1, 2])
  func portIsFree(_ loops: Int) throws {
    let port = try {
      let first = try TestServer(loops: loops)
      _ = try TestClient(first, as: first.token("u"))
      let port = first.port
      first.stop()
      return port
    }()
    let second = try TestServer(loops: loops) { $0.port = port }
    #expect(try second.get("/ready").status == 200)
  }
}
