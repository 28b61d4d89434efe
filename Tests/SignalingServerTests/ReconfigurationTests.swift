import EventLoop
import Foundation
import Testing

@testable import SignalingServer

/// What changes while the server runs, and how the server sees who asks.
@Suite("Changes of a running server")
struct ReconfigurationTests {
  private func address(_ server: TestServer, forwarded: String? = nil) throws -> VectorJSON {
    let field = forwarded.map { "X-Forwarded-For: \($0)\r\n" } ?? ""
    let request = "GET /client HTTP/1.1\r\nHost: x\r\n\(field)Connection: close\r\n\r\n"
    return try VectorHTTPResponse(to: Array(request.utf8), port: server.port).json
  }

  private func isTrue(_ value: VectorJSON?) -> Bool? {
    guard case .bool(let flag)? = value else { return nil }
    return flag
  }

  @Test("who asks is told as what address the server counts it, and through which proxy it came")
  func client() throws {
    let plain = try TestServer()
    #expect(try address(plain)["address"]?.string == "127.0.0.1")
    #expect(try address(plain)["proxy"] == nil)
    let untrusted = try address(plain, forwarded: "203.0.113.9")
    #expect(untrusted["address"]?.string == "127.0.0.1" && isTrue(untrusted["trusted"]) == false)

    let behind = try TestServer {
      $0.trustedProxies = [AddressRange("127.0.0.0/8"), AddressRange("10.0.0.0/8")].compactMap(\.self)
    }
    let trusted = try address(behind, forwarded: "198.51.100.1, 203.0.113.9, 10.1.2.3")
    #expect(trusted["address"]?.string == "203.0.113.9" && isTrue(trusted["trusted"]) == true)
    #expect(trusted["proxy"]?.string == "127.0.0.1")
  }

  @Test("trusted proxies, rates and servers for calls are others from one moment on, for those who are there too")
  func reconfigure() throws {
    var configuration: ServerConfiguration?
    let server = try TestServer(loops: 2) { configuration = $0 }
    var changed = try #require(configuration)
    try server.createSession("algebra")
    try server.startSession("algebra")
    let client = try TestClient(server, as: server.token("a"))
    try client.join("algebra")

    changed.trustedProxies = [AddressRange("127.0.0.0/8")].compactMap(\.self)
    changed.calls.turnURLs = [try #require(ICEServerURL("turn:turn.example"))]
    changed.calls.secret = Array("the secret of the TURN server".utf8)
    changed.calls.isRelayOnly = true
    server.reconfigure(changed)
    let told = try client.await { $0["type"]?.string == "ice_servers" }
    #expect(told["ice_transport_policy"]?.string == "relay")
    #expect(told["ice_servers"]?.array?.first?["username"]?.string?.hasSuffix(":a") == true)
    while try address(server, forwarded: "203.0.113.9")["address"]?.string != "203.0.113.9" {}

    changed.limits.messageRate = 1
    changed.limits.messageBurst = 1
    server.reconfigure(changed)
    var code: String?
    for id in 10..<200 where code == nil {
      let answer = try client.ask(#"{"type":"ping","id":\#(id)}"#, id: id)
      code = answer["code"]?.string
    }
    #expect(code == "rate_limited")
  }

  @Test("signals that are held and dropped are counted")
  func signals() throws {
    let server = try TestServer(loops: 1)
    try server.createSession("algebra")
    try server.startSession("algebra")
    let (first, second) = (try TestClient(server, as: server.token("a")), try TestClient(server, as: server.token("b")))
    try first.join("algebra")
    let joined = try second.join("algebra")
    let peer = try #require(joined["peer"]?.string)
    try first.ask(
      #"{"type":"signal","id":5,"to":"\#(peer)","kind":"candidate","negotiation":"n1","payload":1}"#, id: 5)
    let answer = try first.ask(
      #"{"type":"signal","id":6,"to":"\#(peer)","kind":"answer","negotiation":"n1","payload":1}"#, id: 6)
    #expect(answer["code"]?.string == "stale_negotiation")
    let figures = try Exposition(of: server)
    #expect(try figures.value("rollcall_signals_held_total") == 1)
    #expect(try figures.value("rollcall_signals_dropped_total", ["reason": "stale"]) == 1)
  }
}
