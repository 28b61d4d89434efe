import EventLoop
import Foundation
import Testing

@testable import Classroom
@testable import HTTPCore
@testable import SignalingServer

@Suite("Routes")
struct RouteTests {
  @Test("no route stands twice, and none is hidden behind another")
  func table() throws {
    let names = Routes.all.map { "\($0.method.rawValue) \($0.path.text)" }
    #expect(Set(names).count == names.count)
    for route in Routes.all {
      let path = route.path.text.split(separator: "/").map { $0.hasPrefix("{") ? "value" : String($0) }
      let found = Routes.table.routes(at: path).first { $0.method == route.method }
      #expect(found?.path.text == route.path.text, "\(route.path.text)")
    }
  }

  @Test("what changes something counts for another limit than what reads")
  func limits() {
    for route in Routes.all where route.method == .get && route.limit != .reading {
      #expect(route.limit == .joining, "\(route.path.text)")
    }
    for route in Routes.all where route.method != .get { #expect(route.limit != .reading, "\(route.path.text)") }
  }

  @Test("whoever has no token gets nothing but what is for anybody")
  func access() {
    let open = Routes.all.filter { $0.access != .user }.map(\.path.text)
    #expect(
      Set(open).isSubset(of: [
        "/health", "/ready", "/metrics", "/client", "/api/live/status/{session}", "/api/thumbnails/{name}",
        "/.well-known/rollcall-report-keys.json", "/.well-known/rollcall-keys.json",
      ]), "\(open)")
  }

  @Test("a trailing slash changes nothing below /api")
  func trailingSlash() throws {
    let server = try TestServer { $0.manualClock = ManualClock() }
    try server.createSession("algebra")
    for path in ["/api/sessions/algebra", "/api/sessions/algebra/attendance", "/api/live/status/algebra"] {
      let answers = try [path, path + "/"].map { try server.get($0, as: server.token("teacher", role: .host)) }
      #expect(answers[0].status == 200 && answers[0].body == answers[1].body)
    }
  }

  @Test("HEAD is answered as GET would be, without the body, and OPTIONS with what there is")
  func headAndOptions() throws {
    let server = try TestServer()
    try server.createSession("algebra")
    let authorization = ["Authorization": "Bearer \(server.token("teacher", role: .host))"]
    let path = "/api/sessions/algebra/"
    let head = try VectorHTTPResponse("HEAD", path, headers: authorization, body: nil, port: server.port)
    let got = try VectorHTTPResponse("GET", path, headers: authorization, body: nil, port: server.port)
    #expect(head.status == 200 && head.body.isEmpty && head.headers["content-length"] == "\(got.body.count)")
    let options = try VectorHTTPResponse("OPTIONS", path, headers: [:], body: nil, port: server.port)
    #expect(options.status == 204 && options.headers["allow"] == "GET, HEAD, PUT, PATCH, DELETE, OPTIONS")
  }

  // MARK: Pages from elsewhere

  @Test("a page of a listed origin is given leave, and no other")
  func origins() throws {
    let server = try TestServer { $0.origins = [WebOrigin("https://school.example")].compactMap { $0 } }
    for (origin, isAllowed) in [
      ("https://school.example", true), ("https://School.example", true), ("https://school.example.evil", false),
      ("http://school.example", false), ("null", false), ("https://evil.example", false),
    ] {
      let answer = try server.get("/api/sessions/", as: server.token("u"), headers: ["Origin": origin])
      #expect(answer.headers["access-control-allow-origin"] == (isAllowed ? origin : nil))
      #expect(answer.headers["vary"] == "Origin" && answer.headers["access-control-allow-credentials"] == nil)
      let preflight = try VectorHTTPResponse(
        "OPTIONS", "/api/sessions/", headers: ["Origin": origin, "Access-Control-Request-Method": "POST"], body: nil,
        port: server.port)
      #expect(preflight.status == 204)
      #expect((preflight.headers["access-control-allow-methods"]?.contains("POST") ?? false) == isAllowed)
    }
  }

  @Test("answers that are given later carry the leave too")
  func lateAnswers() throws {
    let server = try TestServer(loops: 2) { $0.origins = [WebOrigin("https://school.example")].compactMap { $0 } }
    try server.createSession("algebra")
    for path in ["/api/sessions/algebra/", "/api/sessions/absent/", "/api/sessions/x%20y/"] {
      let answer = try server.get(path, as: server.token("u"), headers: ["Origin": "https://school.example"])
      #expect(answer.headers["access-control-allow-origin"] == "https://school.example", "\(path)")
    }
  }

  // MARK: Behind a proxy

  @Test("behind a proxy the ticket's address is the public one")
  func publicAddress() throws {
    for (address, expected) in [
      ("https://class.example", "wss://class.example/ws"),
      ("https://example.org:8443/class/", "wss://example.org:8443/class/ws"),
      ("http://class.example", "ws://class.example/ws"),
    ] {
      let server = try TestServer { $0.publicAddress = PublicAddress(address) }
      try server.createSession("algebra")
      let answer = try server.post("/api/sessions/algebra/join/", as: server.token("u"))
      #expect(try answer.json["url"]?.string == expected)
    }
  }

  @Test(
    "what is no address of a server is none",
    arguments: [
      "", "class.example", "ftp://class.example", "https://", "https://user@class.example", "https://a/b?c",
      "https://a/b c",
    ])
  func noAddress(_ text: String) { #expect(PublicAddress(text) == nil) }

  // MARK: Rates

  @Test("who asks too often is told when to come again; others, and other kinds of question, are not held up")
  func rates() throws {
    let server = try TestServer {
      $0.manualClock = ManualClock()
      $0.limits.readingRate = 1
    }
    let token = server.token("u")
    for _ in 0..<10 { #expect(try server.get("/api/sessions/", as: token).status == 200) }
    let refused = try server.get("/api/sessions/", as: token)
    #expect(refused.status == 429 && refused.headers["retry-after"] == "2", "the one that is refused counts")
    #expect(try refused.json["error"]?["code"]?.string == "rate_limited")
    #expect(try server.get("/api/sessions/", as: server.token("v")).status == 200)
    #expect(try server.post("/api/sessions/absent/join/", as: token).status == 404)
  }

  @Test("an address has a limit of its own, before a token is looked at")
  func addressRates() throws {
    let server = try TestServer {
      $0.manualClock = ManualClock()
      $0.limits.readingAddressRate = 1
    }
    for number in 0..<10 { #expect(try server.get("/api/sessions/", as: server.token("u\(number)")).status == 200) }
    #expect(try server.get("/api/sessions/", as: server.token("x")).status == 429)
    #expect(try server.get("/api/sessions/").status == 429)
    #expect(try server.get("/health").status == 200)
  }

  @Test("behind a trusted proxy it is the address that the proxy names")
  func forwardedRates() throws {
    let server = try TestServer {
      $0.manualClock = ManualClock()
      $0.limits.readingAddressRate = 1
      $0.trustedProxies = [AddressRange("127.0.0.0/8")].compactMap { $0 }
    }
    for number in 0..<30 {
      let headers = ["X-Forwarded-For": "192.0.2.\(number)"]
      #expect(try server.get("/api/sessions/", as: server.token("u\(number)"), headers: headers).status == 200)
    }
  }

  @Test("the memory for who has asked is bounded, and new ones then share what one may do")
  func ratesAreBounded() {
    let rates = RequestRates()
    let rate = RateLimit(perSecond: 1, burst: 1)
    for number in 0..<RequestRates.maximumCount {
      #expect(rates.charge(.user("u\(number)"), for: .reading, rate: rate, at: 0) == nil)
    }
    #expect(rates.charge(.user("one"), for: .reading, rate: rate, at: 0) == nil)
    #expect(rates.charge(.user("another"), for: .reading, rate: rate, at: 0) != nil)
    #expect(rates.count == RequestRates.maximumCount)
    #expect(rates.charge(.user("another"), for: .reading, rate: rate, at: 10_000_000) == nil)
    #expect(rates.count < 10)
  }
}
