/// Why a client's opening handshake failed.
public enum WebSocketHandshakeFailure: Error, Hashable, Sendable {
  /// A host, path, subprotocol or field of our own that cannot stand in a request; nothing was sent.
  case invalidRequest
  /// The head of the response is longer than ``WebSocketLimits/maximumHandshakeHeadBytes``.
  case headTooLong
  case malformedResponse
  /// A status other than 101.
  case status(Int)
  /// No `Upgrade: websocket` (RFC 6455 4.1, check 2).
  case missingUpgrade
  /// `Connection` without the token `upgrade` (RFC 6455 4.1, check 3).
  case missingConnectionUpgrade
  /// No `Sec-WebSocket-Accept`, several, or one for another key (RFC 6455 4.1, check 4).
  case wrongAcceptKey
  /// An extension that was not offered (RFC 6455 4.1, check 5).
  case unrequestedExtension
  /// A subprotocol that was not offered, or several (RFC 6455 4.1, check 6).
  case unrequestedSubprotocol
}

/// The opening handshake, the client's side (RFC 6455 4.1): the bytes of the request, and the check of the response as
/// it comes in.
public struct WebSocketClientHandshake: Sendable {
  /// The bytes to send.
  public let request: [UInt8]
  private let acceptKey: String
  private let subprotocols: [String]
  private let offeredExtensions: [WebSocketExtensionOffer]
  private var head: [UInt8] = []
  /// How many bytes of the CRLF CRLF that ends the head stand at the end of what has come in.
  private var terminatorCount = 0

  /// - Parameters:
  ///   - host: the value of `Host`, with the port where it is not the default.
  ///   - path: path and query, from `/` on, percent-encoded.
  ///   - key: 16 random bytes, new for each connection.
  ///   - subprotocols: in the order of preference.
  ///   - extensions: what is offered, in the order of preference.
  ///   - extraFields: further field lines, such as `Origin` or `Authorization`.
  public init(
    host: String, path: String, key: [UInt8], subprotocols: [String] = [],
    extensions: [WebSocketExtensionOffer] = [], extraFields: [(name: String, value: String)] = []
  ) throws(WebSocketHandshakeFailure) {
    let isSafe =
      key.count == 16 && !host.isEmpty && path.utf8.first == UInt8(ascii: "/")
      && host.utf8.allSatisfy { 0x21...0x7E ~= $0 } && path.utf8.allSatisfy { 0x21...0x7E ~= $0 }
      && subprotocols.allSatisfy { HeaderFieldSyntax.isToken($0.utf8) }
      && extensions.allSatisfy { $0.isWellFormed }
      && extraFields.allSatisfy { field in
        HeaderFieldSyntax.isToken(field.name.utf8)
          && field.value.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F || $0 == UInt8(ascii: "\t") }
      }
    guard isSafe else { throw .invalidRequest }
    let encodedKey = Base64.encode(key)
    var text = "GET \(path) HTTP/1.1\r\nHost: \(host)\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    text += "Sec-WebSocket-Key: \(encodedKey)\r\nSec-WebSocket-Version: 13\r\n"
    if !subprotocols.isEmpty {
      text += "Sec-WebSocket-Protocol: \(subprotocols.joined(separator: ", "))\r\n"
    }
    if !extensions.isEmpty {
      text += "Sec-WebSocket-Extensions: \(extensions.map(\.fieldValue).joined(separator: ", "))\r\n"
    }
    for field in extraFields { text += "\(field.name): \(field.value)\r\n" }
    text += "\r\n"
    request = [UInt8](text.utf8)
    acceptKey = WebSocketHandshake.acceptKey(for: encodedKey.utf8)
    self.subprotocols = subprotocols
    offeredExtensions = extensions
  }

  /// The extensions in use, in the order of the response, once the handshake is accepted. Each was offered; whether its
  /// parameters answer the offer is for who knows the extension.
  public private(set) var extensions: [WebSocketExtensionOffer] = []

  /// What became of the handshake.
  public enum Progress: Hashable, Sendable {
    case needsMoreInput
    case accepted(subprotocol: String?)
  }

  /// Takes in bytes of the response's head.
  ///
  /// To be called no more once it has accepted or thrown.
  ///
  /// - Parameter consumed: moved on to the end of the input, or of the head: what follows it belongs to the
  ///   ``WebSocketConnection``.
  public mutating func receive(
    _ input: UnsafeRawBufferPointer, consumed: inout Int
  ) throws(WebSocketHandshakeFailure) -> Progress {
    precondition(consumed >= 0 && consumed <= input.count)
    while consumed < input.count {
      guard head.count < WebSocketLimits.maximumHandshakeHeadBytes else { throw .headTooLong }
      let byte = input[consumed]
      consumed += 1
      head.append(byte)
      let isExpected = byte == (terminatorCount % 2 == 0 ? UInt8(ascii: "\r") : UInt8(ascii: "\n"))
      terminatorCount = isExpected ? terminatorCount + 1 : byte == UInt8(ascii: "\r") ? 1 : 0
      if terminatorCount == 4 {
        let subprotocol = try check()
        head = []
        return .accepted(subprotocol: subprotocol)
      }
    }
    return .needsMoreInput
  }

  /// RFC 6455 4.1: the six checks of the response.
  private mutating func check() throws(WebSocketHandshakeFailure) -> String? {
    var lines = head.dropLast(4).split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    for index in lines.indices.dropLast() {
      guard lines[index].popLast() == UInt8(ascii: "\r") else { throw .malformedResponse }
    }
    guard let statusLine = lines.first else { throw .malformedResponse }
    let status = try status(of: statusLine)
    guard status == 101 else { throw .status(status) }

    var isUpgrade = false
    var isConnectionUpgrade = false
    var acceptKeys: [ArraySlice<UInt8>] = []
    var chosen: [ArraySlice<UInt8>] = []
    var extensions: [WebSocketExtensionOffer] = []
    for line in lines.dropFirst() {
      guard !line.contains(UInt8(ascii: "\r")), let colon = line.firstIndex(of: UInt8(ascii: ":")),
        HeaderFieldSyntax.isToken(line[..<colon])
      else { throw .malformedResponse }
      let name = line[..<colon]
      let bytes = HeaderFieldSyntax.trimmed(line[(colon + 1)...])
      let value = String(decoding: bytes, as: UTF8.self)
      if HeaderFieldSyntax.equal(name, ignoringCaseOf: "upgrade") {
        isUpgrade = isUpgrade || WebSocketHandshake.listNames("websocket", in: value)
      } else if HeaderFieldSyntax.equal(name, ignoringCaseOf: "connection") {
        isConnectionUpgrade = isConnectionUpgrade || WebSocketHandshake.listNames("upgrade", in: value)
      } else if HeaderFieldSyntax.equal(name, ignoringCaseOf: "sec-websocket-accept") {
        acceptKeys.append(bytes)
      } else if HeaderFieldSyntax.equal(name, ignoringCaseOf: "sec-websocket-protocol") {
        chosen.append(bytes)
      } else if HeaderFieldSyntax.equal(name, ignoringCaseOf: "sec-websocket-extensions") {
        guard let named = WebSocketExtensionOffer.parse(value) else { throw .malformedResponse }
        extensions += named
      }
    }
    guard isUpgrade else { throw .missingUpgrade }
    guard isConnectionUpgrade else { throw .missingConnectionUpgrade }
    guard acceptKeys.count == 1, acceptKeys[0].elementsEqual(acceptKey.utf8) else { throw .wrongAcceptKey }
    guard extensions.allSatisfy({ named in offeredExtensions.contains { $0.name == named.name } }) else {
      throw .unrequestedExtension
    }
    self.extensions = extensions
    guard let first = chosen.first else { return nil }
    guard chosen.count == 1, let subprotocol = subprotocols.first(where: { first.elementsEqual($0.utf8) })
    else { throw .unrequestedSubprotocol }
    return subprotocol
  }

  /// `HTTP/1.1 101` and then nothing, or a space and a phrase (RFC 9112 4).
  private func status(of line: ArraySlice<UInt8>) throws(WebSocketHandshakeFailure) -> Int {
    let version = [UInt8]("HTTP/1.1 ".utf8)
    guard line.starts(with: version) else { throw .malformedResponse }
    let rest = line.dropFirst(version.count)
    let digits = rest.prefix(3)
    guard digits.count == 3, digits.allSatisfy({ 0x30...0x39 ~= $0 }),
      rest.count == 3 || rest.dropFirst(3).first == UInt8(ascii: " ")
    else { throw .malformedResponse }
    return digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
  }
}
