import Testing

@testable import SignalingServer

/// The figures, as a scraper reads them.
@Suite("Figures")
struct MetricsTests {
  @Test("they are in the text format of Prometheus, with every limit and every code")
  func format() throws {
    let server = try TestServer()
    let figures = try Exposition(of: server)
    for limit in Limit.allCases {
      #expect(try figures.value("rollcall_limit_reached_total", ["limit": limit.rawValue]) == 0)
    }
    for code in ["1000", "1006", "1009", "4001", "4006", "4500", "other"] {
      #expect(try figures.value("rollcall_closes_total", ["code": code]) == 0)
    }
    #expect(try figures.value("rollcall_tick_seconds_count") > 0)
    #expect(try figures.value("rollcall_journal_sync_seconds_count") >= 0)
    #expect(try figures.value("process_resident_memory_bytes") > 1 << 20)
    #expect(try figures.value("process_open_fds") > 5)
    #expect(try figures.value("process_max_fds") >= figures.value("process_open_fds"))
  }

  @Test("connections, messages, bytes and closes are counted")
  func counts() throws {
    let server = try TestServer(loops: 1)
    try server.createSession("algebra")
    try server.startSession("algebra")
    let before = try Exposition(of: server)
    let (first, second) = (try TestClient(server, as: server.token("a")), try TestClient(server, as: server.token("b")))
    try first.join("algebra")
    try second.join("algebra")
    try first.ask(#"{"type":"chat.send","id":2,"text":"Hi"}"#, id: 2)
    try second.await { $0["type"]?.string == "chat.message" }
    var after = try Exposition(of: server)
    func grown(_ name: String) throws -> Int { try after.value(name) - before.value(name) }
    #expect(try grown("rollcall_upgrades_total") == 2)
    #expect(try grown("rollcall_messages_received_total") == 5)
    // Two of welcome, ready and joined each, an answer, and two of the message; presence comes when it comes.
    #expect(try grown("rollcall_messages_sent_total") >= 9)
    #expect(try grown("rollcall_received_bytes_total") > 200)
    #expect(try grown("rollcall_sent_bytes_total") > 1000)
    #expect(try grown("rollcall_connections_total") == 3, "with the one that asks")
    #expect(try after.value("rollcall_people") == 3, "with the teacher, who started the class over HTTP")
    #expect(try after.value("rollcall_live_sessions") == 1)
    #expect(try after.value("rollcall_users") == 2)

    try first.sendClose(code: 1000)
    #expect(try first.awaitEnd())
    second.socket.reset()
    while try after.value("rollcall_closes_total", ["code": "1006"]) == 0 { after = try Exposition(of: server) }
    #expect(try after.value("rollcall_closes_total", ["code": "1000"]) == 1)
    let third = try TestClient(server, as: server.token("c"))
    try third.sendClose(code: 3999)
    #expect(try third.awaitEnd())
    #expect(try Exposition(of: server).value("rollcall_closes_total", ["code": "other"]) == 1)
  }

  @Test("on a listener of their own they need no token, and nothing else is there")
  func ownListener() throws {
    let server = try TestServer { $0.metricsAddress = ("127.0.0.1", 0) }
    let port = try #require(server.metricsPort)
    func get(_ path: String, port: UInt16, headers: [String: String] = [:]) throws -> Int {
      try VectorHTTPResponse("GET", path, headers: headers, body: nil, port: port).status
    }
    #expect(try get("/metrics", port: port) == 200)
    #expect(try get("/metrics", port: port, headers: ["X-Forwarded-For": "192.0.2.1"]) == 200)
    #expect(try get("/health", port: port) == 200)
    #expect(try get("/ready", port: port) == 200)
    for path in ["/", "/ws", "/api/sessions/", "/api/live/status/x/"] { #expect(try get(path, port: port) == 404) }
    #expect(try server.get("/metrics").status == 404, "not on the other one, from this machine either")
    #expect(try server.get("/metrics", as: server.token("root", role: .admin)).status == 200)
  }

  @Test("scraping by many leaves the server to its clients")
  func manyOperators() throws {
    let server = try TestServer { $0.metricsAddress = ("127.0.0.1", 0) }
    let port = try #require(server.metricsPort)
    let idle = try (0..<TransportLimits.operatorConnections).map { _ in try TestSocket(port: port) }
    #expect(try TestSocket(port: port).receive() == nil, "one more is closed")
    #expect(try server.get("/health").status == 200)
    withExtendedLifetime(idle) {}
  }
}
