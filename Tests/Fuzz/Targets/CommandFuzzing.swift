import JSON
import SignalingProtocol

/// A text that is read and written again is the same text and the same command.
@Sendable func fuzzCommands(_ bytes: UnsafeRawBufferPointer) throws(BrokenInvariant) {
  guard let first = try read(bytes) else { return }
  let rewritten = try first.text.withUnsafeBufferPointer { (text) throws(BrokenInvariant) in
    try read(UnsafeRawBufferPointer(text))
  }
  guard let second = rewritten else {
    throw BrokenInvariant("written again, it cannot be read: \(String(decoding: first.text, as: UTF8.self))")
  }
  try hold(second.text == first.text, "written twice: \(String(decoding: second.text, as: UTF8.self))")
  try hold(second.command == first.command, "\(first.command) became \(second.command)")
}

/// The text without white space and with its strings written in one way, and the command in words.
private func read(_ bytes: UnsafeRawBufferPointer) throws(BrokenInvariant) -> (text: [UInt8], command: String)? {
  var reader = JSONReader()
  guard let view = try? reader.read(bytes, maximumDepth: ProtocolLimits.jsonDepth) else { return nil }
  var writer = JSONWriter()
  write(view, to: &writer)
  let envelope = ClientEnvelope(view)
  var command = "\(String(describing: envelope.id)) "
  if case .success(.signal(let to, let kind, let negotiation, let payload)) = envelope.message {
    // The payload is relayed as it is: it must be a value by itself.
    var inner = JSONReader()
    let isValue = (try? inner.read(payload, maximumDepth: ProtocolLimits.jsonDepth)) != nil
    try hold(isValue, "the payload of a signal is no value: \(String(decoding: payload, as: UTF8.self))")
    command += "signal \(to) \(kind) \(String(describing: negotiation))"
  } else {
    command += "\(envelope.message)"
  }
  return (writer.bytes, command)
}

private func write(_ view: JSONView, to writer: inout JSONWriter) {
  switch view.kind {
  case .object:
    writer.beginObject()
    for (key, value) in view.members {
      writer.key(key.string ?? "")
      write(value, to: &writer)
    }
    writer.endObject()
  case .array:
    writer.beginArray()
    for element in view.elements { write(element, to: &writer) }
    writer.endArray()
  case .string: writer.string(view.string ?? "")
  case .number, .boolean, .null: writer.raw(view.raw)
  }
}
