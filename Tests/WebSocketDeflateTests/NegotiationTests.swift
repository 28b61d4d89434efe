import Testing
import WebSocketCore

@testable import WebSocketDeflate

@Suite("Both sides agree on the parameters as RFC 7692, 7.1 says")
struct NegotiationTests {
  private func answer(_ policy: DeflateServerPolicy = DeflateServerPolicy(), to offer: String) throws -> String? {
    policy.accept(try #require(WebSocketExtensionOffer.parse(offer)))?.response.fieldValue
  }

  private func agreement(
    _ policy: DeflateServerPolicy = DeflateServerPolicy(), on offer: String
  ) throws -> DeflateAgreement? {
    policy.accept(try #require(WebSocketExtensionOffer.parse(offer)))?.agreement
  }

  static let rooms = DeflateServerPolicy(serverNoContextTakeover: true, clientNoContextTakeover: true)

  // MARK: The server

  @Test(
    "an offer is answered with what it asks for",
    arguments: [
      ("permessage-deflate", "permessage-deflate"),
      ("permessage-deflate; client_max_window_bits", "permessage-deflate"),
      ("permessage-deflate; server_no_context_takeover", "permessage-deflate; server_no_context_takeover"),
      ("permessage-deflate; client_no_context_takeover", "permessage-deflate; client_no_context_takeover"),
      ("permessage-deflate; server_max_window_bits=9", "permessage-deflate; server_max_window_bits=9"),
      ("permessage-deflate; server_max_window_bits=15", "permessage-deflate; server_max_window_bits=15"),
      (#"permessage-deflate; server_max_window_bits="10""#, "permessage-deflate; server_max_window_bits=10"),
      ("permessage-deflate; client_max_window_bits=8", "permessage-deflate"),
      ("x-other, permessage-deflate", "permessage-deflate"),
      (
        "permessage-deflate; server_max_window_bits=8, permessage-deflate; server_max_window_bits=11",
        "permessage-deflate; server_max_window_bits=11"
      ),
      ("permessage-deflate; unknown, permessage-deflate", "permessage-deflate"),
    ])
  func serverAnswers(offer: String, expected: String) throws {
    #expect(try answer(to: offer) == expected)
  }

  @Test(
    "what is malformed, unknown or cannot be kept is declined",
    arguments: [
      "x-webkit-deflate-frame", "permessage-deflate; unknown", "permessage-deflate; server_max_window_bits",
      "permessage-deflate; server_max_window_bits=0", "permessage-deflate; server_max_window_bits=7",
      "permessage-deflate; server_max_window_bits=8", "permessage-deflate; server_max_window_bits=16",
      "permessage-deflate; server_max_window_bits=010", "permessage-deflate; server_max_window_bits=ten",
      "permessage-deflate; server_max_window_bits=99999999999999999999",
      "permessage-deflate; client_max_window_bits=0", "permessage-deflate; client_max_window_bits=7",
      "permessage-deflate; client_max_window_bits=16", "permessage-deflate; client_max_window_bits=text",
      "permessage-deflate; client_max_window_bits=+9",
      "permessage-deflate; server_no_context_takeover=1", "permessage-deflate; client_no_context_takeover=true",
      "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
      "permessage-deflate; client_max_window_bits; client_max_window_bits=9",
    ])
  func serverDeclines(offer: String) throws {
    #expect(try answer(to: offer) == nil)
    #expect(try answer(Self.rooms, to: offer) == nil)
  }

  @Test("a server that keeps no context says so, and has the client keep none, whatever is offered")
  func rooms() throws {
    let plain = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
    #expect(try answer(Self.rooms, to: "permessage-deflate; client_max_window_bits") == plain)
    #expect(
      try answer(Self.rooms, to: "permessage-deflate; server_max_window_bits=12; client_max_window_bits=12")
        == plain + "; server_max_window_bits=12")
    #expect(try agreement(Self.rooms, on: "permessage-deflate; server_max_window_bits=12")?.serverMaxWindowBits == 12)
  }

  @Test("a server names a smaller window unasked, and the client's only where it may")
  func smallerWindows() throws {
    let policy = DeflateServerPolicy(serverMaxWindowBits: 10, clientMaxWindowBits: 11)
    #expect(try answer(policy, to: "permessage-deflate") == "permessage-deflate; server_max_window_bits=10")
    #expect(
      try answer(policy, to: "permessage-deflate; client_max_window_bits")
        == "permessage-deflate; server_max_window_bits=10; client_max_window_bits=11")
    #expect(
      try answer(policy, to: "permessage-deflate; client_max_window_bits=9; server_max_window_bits=14")
        == "permessage-deflate; server_max_window_bits=10; client_max_window_bits=9")
  }

  // MARK: The client

  private func take(_ offer: DeflateClientOffer, _ response: String) throws -> DeflateAgreement? {
    try offer.agreement(from: #require(WebSocketExtensionOffer.parse(response)))
  }

  @Test("an offer names what the client asks for")
  func offers() {
    #expect(DeflateClientOffer().element.fieldValue == "permessage-deflate; client_max_window_bits")
    #expect(
      DeflateClientOffer(
        serverNoContextTakeover: true, clientNoContextTakeover: true, serverMaxWindowBits: 10, clientMaxWindowBits: 9
      ).element.fieldValue
        == "permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=10; "
        + "client_max_window_bits=9")
    #expect(DeflateClientOffer(clientMaxWindowBits: nil).element.fieldValue == "permessage-deflate")
  }

  @Test("every answer of a server to every offer is one that the client takes")
  func everyOffer() throws {
    for server in [false, true] {
      for client in [false, true] {
        for serverBits in [nil] + Array(9...15).map(Optional.some) {
          for clientBits in [nil] + Array(9...15).map(Optional.some) {
            let offer = DeflateClientOffer(
              serverNoContextTakeover: server, clientNoContextTakeover: client, serverMaxWindowBits: serverBits,
              clientMaxWindowBits: clientBits)
            for policy in [
              DeflateServerPolicy(), Self.rooms, DeflateServerPolicy(serverMaxWindowBits: 11, clientMaxWindowBits: 10),
            ] {
              let accepted = try #require(policy.accept([offer.element]))
              let agreed = try #require(try offer.agreement(from: [accepted.response]))
              #expect(agreed.serverNoContextTakeover == accepted.agreement.serverNoContextTakeover)
              #expect(agreed.clientNoContextTakeover == accepted.agreement.clientNoContextTakeover)
              #expect(agreed.serverMaxWindowBits == accepted.agreement.serverMaxWindowBits)
              // Untold, the client stays in its own window, which the server need not know.
              #expect(agreed.clientMaxWindowBits <= accepted.agreement.clientMaxWindowBits)
            }
          }
        }
      }
    }
  }

  @Test("no answer is no compression")
  func noAnswer() throws {
    #expect(try DeflateClientOffer().agreement(from: []) == nil)
  }

  @Test(
    "an answer that does not fit the offer fails the connection",
    arguments: [
      (DeflateClientOffer(), "permessage-deflate; unknown", DeflateRefusal.malformedResponse),
      (DeflateClientOffer(), "permessage-deflate; server_max_window_bits=7", .malformedResponse),
      (DeflateClientOffer(), "permessage-deflate; server_max_window_bits=16", .malformedResponse),
      (DeflateClientOffer(), "permessage-deflate; server_max_window_bits=text", .malformedResponse),
      (DeflateClientOffer(), "permessage-deflate; client_max_window_bits", .malformedResponse),
      (DeflateClientOffer(), "permessage-deflate, permessage-deflate", .repeatedExtension),
      (
        DeflateClientOffer(clientMaxWindowBits: nil), "permessage-deflate; client_max_window_bits=10",
        .unrequestedParameter
      ),
      (
        DeflateClientOffer(clientMaxWindowBits: 10), "permessage-deflate; client_max_window_bits=11", .offerNotKept
      ),
      (DeflateClientOffer(serverMaxWindowBits: 10), "permessage-deflate", .offerNotKept),
      (
        DeflateClientOffer(serverMaxWindowBits: 10), "permessage-deflate; server_max_window_bits=11", .offerNotKept
      ),
      (DeflateClientOffer(serverNoContextTakeover: true), "permessage-deflate", .offerNotKept),
    ])
  func clientRefuses(offer: DeflateClientOffer, response: String, expected: DeflateRefusal) {
    #expect(throws: expected) { try take(offer, response) }
  }

  @Test("a window of 256 bytes is taken from a server that has one")
  func smallestWindow() throws {
    let agreed = try take(
      DeflateClientOffer(serverMaxWindowBits: 9),
      "permessage-deflate; server_max_window_bits=8; client_max_window_bits=8; client_no_context_takeover")
    #expect(agreed?.serverMaxWindowBits == 8)
    #expect(agreed?.clientMaxWindowBits == 8)
    #expect(agreed?.clientNoContextTakeover == true)
  }
}
