import WebSocketCore
import WebSocketDeflate

/// Inflating stays within its limit, says the same whatever the limit beyond that, and gives back what was compressed;
/// whatever is offered, the server's answer is one that the client takes to mean the same.
@Sendable func fuzzDeflate(_ bytes: UnsafeRawBufferPointer) throws(BrokenInvariant) {
  var choices = Choices(bytes)
  let kind = choices.byte()
  let setting = choices.byte()
  switch kind % 3 {
  case 0: try inflateWithinLimit(choices.rest, maximumBytes: Int(setting) * 32, keepsContext: kind & 0x80 != 0)
  case 1: try giveBack(choices.rest, setting)
  default: try negotiate(choices.rest, setting)
  }
}

private func inflateWithinLimit(
  _ bytes: UnsafeRawBufferPointer, maximumBytes: Int, keepsContext: Bool
) throws(BrokenInvariant) {
  var strict = MessageInflater(keepsContext: keepsContext)
  var roomy = MessageInflater(keepsContext: keepsContext)
  let middle = bytes.count / 2
  for half in [bytes[..<middle], bytes[middle...]] {
    let payload = UnsafeRawBufferPointer(rebasing: half)
    do throws(WebSocketFailure) {
      let message = Array(try strict.inflate(payload, maximumBytes: maximumBytes))
      try held(message.count <= maximumBytes, .messageTooBig)
      let again = Array(try roomy.inflate(payload, maximumBytes: 1 << 20))
      try held(message == again, .invalidUTF8)
    } catch {
      try hold(
        error == .messageTooBig || error == .invalidCompressedData, "another message with more room: \(error)")
      try hold(strict.outputCapacity <= maximumBytes + 1, "\(strict.outputCapacity) bytes for \(maximumBytes)")
      return
    }
    try hold(strict.outputCapacity <= maximumBytes + 1, "\(strict.outputCapacity) bytes for \(maximumBytes)")
  }
}

private func held(_ condition: Bool, _ failure: WebSocketFailure) throws(WebSocketFailure) {
  if !condition { throw failure }
}

private func giveBack(_ bytes: UnsafeRawBufferPointer, _ setting: UInt8) throws(BrokenInvariant) {
  let keepsContext = setting & 1 != 0
  let windowBits = 9 + Int(setting >> 1) % 7
  var deflater = MessageDeflater(windowBits: windowBits, keepsContext: keepsContext, level: 1 + Int(setting >> 4) % 9)
  var inflater = MessageInflater(keepsContext: keepsContext)
  let middle = bytes.count / 3
  for part in [bytes[..<middle], bytes[middle...], bytes[...]] {
    let message = UnsafeRawBufferPointer(rebasing: part)
    guard let compressed = deflater.deflate(message) else { throw BrokenInvariant("there was no memory") }
    let limits = WebSocketLimits(maximumMessageBytes: message.count)
    try hold(compressed.count <= limits.maximumCompressedMessageBytes, "\(message.count) became \(compressed.count)")
    do throws(WebSocketFailure) {
      let back = try inflater.inflate(compressed, maximumBytes: message.count)
      try held(back.elementsEqual(message), .invalidUTF8)
    } catch {
      throw BrokenInvariant("\(message.count) bytes did not come back: \(error)")
    }
  }
}

private func negotiate(_ bytes: UnsafeRawBufferPointer, _ setting: UInt8) throws(BrokenInvariant) {
  let policy = DeflateServerPolicy(
    serverNoContextTakeover: setting & 1 != 0, clientNoContextTakeover: setting & 2 != 0,
    serverMaxWindowBits: 9 + Int(setting >> 2) % 7, clientMaxWindowBits: setting & 0x80 == 0 ? nil : 10)
  let client = DeflateClientOffer(
    serverNoContextTakeover: bytes.count & 1 != 0, clientNoContextTakeover: bytes.count & 2 != 0,
    serverMaxWindowBits: bytes.first.map { 8 + Int($0) % 8 },
    clientMaxWindowBits: bytes.last.map { 9 + Int($0) % 7 })
  do throws(DeflateRefusal) {
    if let accepted = policy.accept([client.element]) {
      let agreement = try client.agreement(from: [accepted.response])
      if agreement != accepted.agreement { throw .malformedResponse }
    }
    // An answer that was not asked for is refused or taken, no more.
  } catch {
    throw BrokenInvariant("\(client) and \(policy) do not agree: \(error)")
  }
  let text = String(decoding: bytes, as: UTF8.self)
  guard let offers = WebSocketExtensionOffer.parse(text) else { return }
  let written = offers.map(\.fieldValue).joined(separator: ", ")
  try hold(WebSocketExtensionOffer.parse(written) == offers, "\(offers) is not what \(written) says")
  _ = try? client.agreement(from: offers)
  guard let accepted = policy.accept(offers) else { return }
  try hold(
    PermessageDeflate.usableWindowBits.contains(accepted.agreement.serverMaxWindowBits)
      && accepted.agreement.serverMaxWindowBits <= policy.serverMaxWindowBits,
    "a window of \(accepted.agreement.serverMaxWindowBits) bits")
  try hold(
    WebSocketExtensionOffer.parse(accepted.response.fieldValue) == [accepted.response],
    "an answer that does not read as it was meant: \(accepted.response.fieldValue)")
}
