import Testing

@testable import WebSocketCore

@Suite("RFC 6455 4.2: the server's side of the opening handshake")
struct HandshakeTests {
  static let sample: [(name: String, value: String)] = [
    ("Host", "server.example.com"), ("Upgrade", "websocket"), ("Connection", "Upgrade"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="), ("Origin", "http://example.com"),
    ("Sec-WebSocket-Version", "13"),
  ]

  private func accept(
    method: String = "GET", isHTTP11OrLater: Bool = true, without name: String = "",
    adding extra: [(name: String, value: String)] = [], subprotocols: [String] = []
  ) throws(WebSocketRejection) -> WebSocketAcceptance {
    try WebSocketHandshake.accept(
      WebSocketUpgradeRequest(
        method: method, isHTTP11OrLater: isHTTP11OrLater, fields: Self.sample.filter { $0.name != name } + extra),
      subprotocols: subprotocols)
  }

  @Test("RFC 3174 7.3: SHA-1 vectors, and every padding length")
  func sha1() {
    func hex(_ text: String) -> String {
      SHA1.digest([UInt8](text.utf8)).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
    #expect(hex("abc") == "a9993e364706816aba3e25717850c26c9cd0d89d")
    #expect(
      hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") == "84983e441c3bd26ebaae4aa1f95129e5e54670f1")
    #expect(hex(String(repeating: "a", count: 1_000_000)) == "34aa973cd4c4daa4f61eeb2bdbad27316534016f")
    #expect(
      hex(String(repeating: "01234567", count: 80)) == "dea356a2cddd90c7a7ecedc5ebb563934f460452")
    #expect(hex("") == "da39a3ee5e6b4b0d3255bfef95601890afd80709")
    #expect(hex(String(repeating: "a", count: 55)) == "c1c8bbdc22796e28c0e15163d20899b65621d65a")
    #expect(hex(String(repeating: "a", count: 56)) == "c2db330f6083854c99d4b5bfb6e8f29f201be699")
    #expect(hex(String(repeating: "a", count: 64)) == "0098ba824b5c16427bd7a1122a5a442a25ec644d")
  }

  @Test("RFC 4648 10: base64 vectors")
  func base64() {
    for (text, encoded) in [
      ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("foobar", "Zm9vYmFy"),
    ] {
      #expect(Base64.encode([UInt8](text.utf8)) == encoded)
    }
    #expect(Base64.encode([0xFB, 0xFF, 0xFE]) == "+//+")
  }

  @Test("RFC 6455 1.3: the sample key has the sample answer")
  func sampleKey() throws {
    let acceptance = try accept()
    #expect(acceptance.acceptKey == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    #expect(
      String(decoding: acceptance.responseHead(extraFields: [("Server", "x")]), as: UTF8.self)
        == "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        + "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nServer: x\r\n\r\n")
  }

  @Test("4.2.1: an ordinary request is told to upgrade")
  func notAnUpgrade() {
    #expect(throws: WebSocketRejection.notAnUpgrade) { try accept(without: "Upgrade") }
    #expect(throws: WebSocketRejection.notAnUpgrade) {
      try accept(without: "Upgrade", adding: [("Upgrade", "h2c, websockets")])
    }
    #expect(WebSocketRejection.notAnUpgrade.status == 426)
  }

  @Test("4.2.1: GET, HTTP/1.1 and Connection: upgrade are demanded")
  func method() {
    #expect(throws: WebSocketRejection.methodNotGet) { try accept(method: "POST") }
    #expect(throws: WebSocketRejection.methodNotGet) { try accept(method: "get") }
    #expect(throws: WebSocketRejection.httpVersionTooOld) { try accept(isHTTP11OrLater: false) }
    #expect(throws: WebSocketRejection.connectionWithoutUpgrade) { try accept(without: "Connection") }
    #expect(throws: WebSocketRejection.connectionWithoutUpgrade) {
      try accept(without: "Connection", adding: [("Connection", "keep-alive, upgraded")])
    }
    #expect(WebSocketRejection.methodNotGet.status == 400)
  }

  @Test(
    "4.2.1: Upgrade and Connection are lists, in any case, over several lines",
    arguments: [
      [("connection", "keep-alive, Upgrade")], [("CONNECTION", "UPGRADE")], [("Connection", ",,upgrade ,\t")],
      [("Connection", "keep-alive"), ("Connection", "upgrade")],
    ])
  func lists(fields: [(String, String)]) throws {
    _ = try accept(without: "Connection", adding: fields.map { (name: $0.0, value: $0.1) })
    _ = try accept(without: "Upgrade", adding: [("upgrade", "h2c"), ("UPGRADE", "foo, WebSocket")])
  }

  @Test("4.4: another version is answered 426 and 13", arguments: [nil, "8", "7, 13", "13.0", "", "013"] as [String?])
  func version(value: String?) {
    let fields = value.map { [(name: "Sec-WebSocket-Version", value: $0)] } ?? []
    #expect(throws: WebSocketRejection.unsupportedVersion) {
      try accept(without: "Sec-WebSocket-Version", adding: fields)
    }
    #expect(WebSocketRejection.unsupportedVersion.status == 426)
    #expect(WebSocketRejection.unsupportedVersion.fields.contains { $0 == ("Sec-WebSocket-Version", "13") })
  }

  @Test(
    "4.2.1: the key is the base64 of 16 bytes",
    arguments: [
      "", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZWE=", "dGhlIHNhbXBsZSBub25j",
      "dGhlIHNhbXBsZSBub25j!Q==", "dGhlIHNhbXBsZSBub25jZ===", "dGhlIHNhbXBsZSBub25jZQ==, x", "ééééééééééé==",
    ])
  func malformedKey(key: String) {
    #expect(throws: WebSocketRejection.malformedKey) {
      try accept(without: "Sec-WebSocket-Key", adding: [("Sec-WebSocket-Key", key)])
    }
  }

  @Test("11.3.1: the key is there once")
  func repeatedKey() {
    #expect(throws: WebSocketRejection.missingKey) { try accept(without: "Sec-WebSocket-Key") }
    #expect(throws: WebSocketRejection.repeatedKey) {
      try accept(adding: [("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")])
    }
  }

  @Test("4.2.2: the first subprotocol of the client that the server has is chosen")
  func subprotocols() throws {
    let offer = [(name: "Sec-WebSocket-Protocol", value: "z, b"), (name: "Sec-WebSocket-Protocol", value: "a")]
    #expect(try accept(adding: offer, subprotocols: ["a", "b"]).subprotocol == "b")
    #expect(try accept(adding: offer).subprotocol == nil)
    #expect(try accept(subprotocols: ["a"]).subprotocol == nil)
    #expect(throws: WebSocketRejection.noCommonSubprotocol) { try accept(adding: offer, subprotocols: ["B"]) }
    #expect(throws: WebSocketRejection.malformedSubprotocols) {
      try accept(adding: [("Sec-WebSocket-Protocol", "a, b c")], subprotocols: ["a"])
    }
  }

  @Test("9.1: extensions are read as lists, parameters and quoted tokens")
  func extensions() throws {
    let fields = [
      (name: "Sec-WebSocket-Extensions", value: "permessage-deflate; client_max_window_bits; a=\"1\\0\" , x"),
      (name: "Sec-WebSocket-Extensions", value: ",permessage-deflate;b=c,"),
    ]
    let offers = try accept(adding: fields).extensionOffers
    #expect(
      offers == [
        .init(
          name: "permessage-deflate",
          parameters: [.init(name: "client_max_window_bits", value: nil), .init(name: "a", value: "10")]),
        .init(name: "x", parameters: []),
        .init(name: "permessage-deflate", parameters: [.init(name: "b", value: "c")]),
      ])
  }

  @Test(
    "9.1: malformed extensions fail the handshake",
    arguments: [
      "a b", "a;", "a;=1", "a;b=", "a;b=\"", "a;b=\"\"", "a;b=\"\\", "a;b=\"c d\"", "=", ";", "a;b=c d", "\u{7F}",
    ])
  func malformedExtensions(value: String) {
    #expect(throws: WebSocketRejection.malformedExtensions) {
      try accept(adding: [("Sec-WebSocket-Extensions", value)])
    }
  }

  @Test(
    "hostile fields of 16 KiB get a verdict and never trap",
    arguments: [" ", ",", "a,", "a;", "a=", "\"", "a;b=\"\\", "a; ", " ,", "\t", "a"])
  func hostileFields(unit: String) {
    let value = String(repeating: unit, count: 16_384 / unit.utf8.count)
    var judged = 0
    for name in ["Sec-WebSocket-Extensions", "Sec-WebSocket-Protocol", "Connection", "Upgrade", "Sec-WebSocket-Key"] {
      for padding in ["", "x"] {
        _ = try? accept(adding: [(name, value + padding), (name, value)], subprotocols: ["v1"])
        judged += 1
      }
    }
    #expect(judged == 10)
  }

  @Test("an offer has at most 32 extensions of at most 32 parameters")
  func manyOffers() {
    let most = WebSocketLimits.maximumExtensionOffers
    func list(_ count: Int) -> String { Array(repeating: "a", count: count).joined(separator: ",") }
    func parameters(_ count: Int) -> String { "a" + String(repeating: ";b", count: count) }
    #expect(WebSocketExtensionOffer.parse(list(most))?.count == most)
    #expect(WebSocketExtensionOffer.parse(list(most + 1)) == nil)
    #expect(WebSocketExtensionOffer.parse(parameters(most))?.first?.parameters.count == most)
    #expect(WebSocketExtensionOffer.parse(parameters(most + 1)) == nil)
    #expect(throws: WebSocketRejection.malformedExtensions) {
      try accept(adding: [("Sec-WebSocket-Extensions", list(most)), ("Sec-WebSocket-Extensions", "a")])
    }
  }
}
