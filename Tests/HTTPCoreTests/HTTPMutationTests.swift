import Testing

@testable import HTTPCore

@Suite("HTTP requests in pieces and in ruins")
struct HTTPMutationTests {
  static let streams = [
    "GET /a/b%20c?d=e HTTP/1.1\r\nHost: h\r\nAccept: */*\r\n\r\nGET / HTTP/1.0\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\nhello world\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n00a\r\n0123456789\r\n0\r\nT: 1\r\n\r\nGET /",
    "GET /ws HTTP/1.1\r\nHost: h:80\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n",
    "OPTIONS * HTTP/1.1\r\nHost: [::1]\r\nOrigin: null\r\n\r\n\r\nHEAD http://a.example/?x HTTP/1.1\r\nHost: a\r\n\r\n",
    "PUT /x HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc",
  ]

  @Test("cut at any byte, or at every byte, a stream gives the same requests", arguments: streams)
  func chopping(stream: String) {
    let bytes = Array(stream.utf8)
    let whole = parse(bytes)
    #expect(whole.failure == nil)
    #expect(!whole.requests.isEmpty)
    for pieces in 1...bytes.count { #expect(parse(bytes, pieces: pieces) == whole) }
  }

  @Test("two hundred thousand mutated streams trap nothing and do not depend on how they are cut")
  func mutations() {
    var generator = SplitMix64(state: 9_112)
    let limits = HTTPLimits(
      maximumRequestLineBytes: 64, maximumHeaderBytes: 160, maximumHeaderCount: 6, maximumBodyBytes: 64)
    var accepted = 0
    var refused = 0
    for _ in 0..<200_000 {
      var bytes = Array((Self.streams.randomElement(using: &generator) ?? "").utf8)
      for _ in 0..<Int.random(in: 1...4, using: &generator) { mutate(&bytes, using: &generator) }
      let whole = parse(bytes, limits: limits)
      let pieces = Int.random(in: 1...9, using: &generator)
      if parse(bytes, pieces: pieces, limits: limits) != whole {
        Issue.record("pieces of \(pieces): \(String(decoding: bytes, as: UTF8.self).debugDescription)")
      }
      accepted += whole.requests.count
      refused += whole.failure == nil ? 0 : 1
      for request in whole.requests { _ = (request.target.queryItems, request.headers.list("connection")) }
    }
    #expect(accepted > 20_000)
    #expect(refused > 20_000)
  }

  private func mutate(_ bytes: inout [UInt8], using generator: inout SplitMix64) {
    let interesting = Array("\r\n :;,%/?*0123456789abcfF\t=[]@#".utf8) + [0x00, 0x0B, 0x7F, 0x80, 0xFF]
    let byte = interesting.randomElement(using: &generator) ?? 0
    let place = Int.random(in: 0...bytes.count, using: &generator)
    let other = Int.random(in: 0...bytes.count, using: &generator)
    let range = min(place, other)..<max(place, other)
    switch Int.random(in: 0..<6, using: &generator) {
    case 0: bytes.insert(byte, at: place)
    case 1 where place < bytes.count: bytes[place] = byte
    case 2 where place < bytes.count: bytes.remove(at: place)
    case 3: bytes.removeSubrange(place...)
    case 4 where range.count < 40: bytes.removeSubrange(range)
    default: bytes.insert(contentsOf: bytes[range.prefix(40)], at: place)
    }
  }
}

/// A seed always gives the same test.
struct SplitMix64: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
