import Foundation
import JSON
import Testing

@testable import SignalingProtocol

/// The code is held to the registries that clients read.
@Suite("The registries in protocol/")
struct RegistryTests {
  private struct ErrorRegistry: Decodable {
    struct Entry: Decodable {
      var code: String
      var http: Int
      var retryable: Bool
      var meaning: String
    }
    var errors: [Entry]
  }

  private struct CloseRegistry: Decodable {
    struct Entry: Decodable {
      var code: UInt16
      var name: String
      var reconnect: Bool
    }
    var codes: [Entry]
  }

  private func registry<Content: Decodable>(_ name: String) throws -> Content {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    return try JSONDecoder().decode(
      Content.self, from: Data(contentsOf: root.appendingPathComponent("protocol/\(name).json")))
  }

  @Test("errors.json and ErrorCode say the same, in the same order")
  func errors() throws {
    let registry: ErrorRegistry = try registry("errors")
    #expect(registry.errors.map(\.code) == ErrorCode.allCases.map(\.rawValue))
    for entry in registry.errors {
      let code = try #require(ErrorCode(rawValue: entry.code))
      #expect(code.httpStatus == entry.http, "\(entry.code)")
      #expect(code.isRetryable == entry.retryable, "\(entry.code)")
      #expect(!entry.meaning.isEmpty)
    }
  }

  @Test("every CloseReason is in close-codes.json, under the same name")
  func closeCodes() throws {
    let registry: CloseRegistry = try registry("close-codes")
    #expect(Set(registry.codes.map(\.code)).count == registry.codes.count)
    for reason in CloseReason.allCases {
      let entry = try #require(registry.codes.first { $0.code == reason.rawValue }, "\(reason)")
      let name = "\(reason)".reduce(into: "") { name, character in
        name += character.isUppercase ? "_" + character.lowercased() : String(character)
      }
      #expect(entry.name == name)
      #expect((1...123).contains(reason.text.utf8.count))
    }
    for entry in registry.codes where entry.code >= 4000 {
      #expect(CloseReason(rawValue: entry.code) != nil, "\(entry.name) is never sent")
      #expect(entry.reconnect == (entry.code < 4500), "\(entry.name)")
    }
  }

  @Test("every refusal of the domain has its own code on the wire")
  func refusals() {
    let codes: [ErrorCode] = [
      ProtocolError(.forbidden), ProtocolError(.notFound), ProtocolError(.wrongState(.scheduled)),
      ProtocolError(.sessionFull), ProtocolError(.keyConflict), ProtocolError(.invalidField("title", "Too long.")),
      ProtocolError(.notPresent), ProtocolError(.sessionExists), ProtocolError(.keyExpired),
      ProtocolError(.storageUnavailable(isCertain: true)), ProtocolError(.denied), ProtocolError(.locked),
      ProtocolError(.unknownUser("u")), ProtocolError(.rosterFull),
    ].map(\.code)
    #expect(
      codes == [
        .forbidden, .notFound, .wrongState, .sessionFull, .keyConflict, .invalidField, .notJoined, .sessionExists,
        .keyExpired, .storageUnavailable, .denied, .locked, .notOnList, .listFull,
      ])
    #expect(ProtocolError(.invalidField("title", "Too long.")).field == "title")
    #expect(ProtocolError(.invalidField("title", "Too long.")).message == "Too long.")
  }

  @Test("trouble with the disk says what became of the command, and to repeat it with the same key")
  func storageTrouble() {
    for (isCertain, outcome) in [(true, "not_done"), (false, "unknown")] {
      let error = ProtocolError(.storageUnavailable(isCertain: isCertain))
      #expect(error.code.httpStatus == 503 && error.code.isRetryable)
      #expect(error.message.contains("same key"))
      var writer = JSONWriter()
      ServerMessage.error(error, id: 1, into: &writer)
      #expect(String(decoding: writer.bytes, as: UTF8.self).hasSuffix(#""details":{"outcome":"\#(outcome)"}}"#))
    }
  }
}
