import Classroom
import JSON

/// How much of presence a client wants.
public enum PresenceMode: String, Sendable, CaseIterable {
  case none
  case count
  case hosts
  case full
}

/// What a signal carries (JSEP, RFC 8829).
public enum SignalKind: String, Sendable, CaseIterable {
  case offer
  case answer
  case candidate
  case endOfCandidates = "end_of_candidates"
  case bye
}

/// A message from a client.
///
/// Cases with `UnsafeRawBufferPointer` point into the bytes the message was read from and are valid as long as these.
public enum ClientMessage {
  /// How somebody says who they are.
  public enum Hello: Sendable, Equatable {
    case token(String)
    case ticket(String)
    case guest(name: String)
  }

  /// What somebody who was in the session before says about it.
  public struct Resume: Sendable, Equatable {
    /// The sealed claim from `session.joined`.
    public var token: String
    /// The history that ``room`` counts in.
    public var epoch: String
    /// The number of the last event of the stream `room` that arrived, 0 before the first.
    public var room: UInt64
    /// The number of the last signal that arrived, 0 before the first.
    public var signalSequence: UInt64

    /// A resume with these facts.
    public init(token: String, epoch: String, room: UInt64, signalSequence: UInt64 = 0) {
      self.token = token
      self.epoch = epoch
      self.room = room
      self.signalSequence = signalSequence
    }
  }

  case hello(Hello)
  case sessionJoin(session: String, presence: PresenceMode, resume: Resume?)
  case sessionLeave
  case sessionStart(key: String?)
  case sessionEnd(key: String?)
  case presenceSubscribe(PresenceMode)
  case presencePage(after: UInt64)
  case mediaSet(audio: Bool?, video: Bool?, screen: Bool?)
  case chatSend(text: String, key: String?)
  case chatHistory(before: UInt64?, limit: Int)
  case signal(to: String, kind: SignalKind, negotiation: String?, payload: UnsafeRawBufferPointer)
  case ping

  /// A new token of the same user, in the place of the one that the connection came with.
  case tokenRenew(String)
}

/// A message with the id that the client chose.
public struct ClientEnvelope {
  public var id: Int64?
  public var message: Result<ClientMessage, ProtocolError>

  /// Reads a parsed message. Every way in which it can be wrong is a ``ProtocolError`` that names the field.
  public init(_ view: JSONView) {
    guard view.kind == .object else {
      message = .failure(ProtocolError(.malformedJSON, "A message is a JSON object."))
      return
    }
    if let id = view["id"], !id.isNull {
      guard let integer = id.integer else {
        message = .failure(ProtocolError(.invalidField, "An id is an integer.", field: "id"))
        return
      }
      self.id = integer
    }
    do throws(ProtocolError) {
      message = .success(try ClientMessage(view))
    } catch {
      message = .failure(error)
    }
  }
}

extension ClientMessage {
  fileprivate init(_ view: JSONView) throws(ProtocolError) {
    let fields = CommandFields(view)
    guard let type = view["type"] else { throw ProtocolError(.missingField, "A message has a type.", field: "type") }
    guard type.kind == .string else {
      throw ProtocolError(.invalidField, "A type is a string.", field: "type")
    }
    if type.equals("chat.send") {
      self = .chatSend(
        text: try fields.string("text", bytes: 0...ProtocolLimits.messageBytes), key: try fields.key())
    } else if type.equals("signal") {
      guard let payload = view["payload"] else {
        throw ProtocolError(.missingField, "A signal has a payload.", field: "payload")
      }
      self = .signal(
        to: try fields.string("to", bytes: 1...ProtocolLimits.userBytes),
        kind: try fields.signalKind(),
        negotiation: try fields.optionalString("negotiation", bytes: 1...ProtocolLimits.negotiationBytes),
        payload: payload.raw)
    } else if type.equals("ping") {
      self = .ping
    } else if type.equals("media.set") {
      self = .mediaSet(
        audio: try fields.optionalBoolean("audio"), video: try fields.optionalBoolean("video"),
        screen: try fields.optionalBoolean("screen"))
    } else if type.equals("hello") {
      self = .hello(try fields.hello())
    } else if type.equals("session.join") {
      let session = try fields.string("session", bytes: 1...64)
      guard SessionID.isValid(session) else {
        throw ProtocolError(.invalidField, "This is not the id of a session.", field: "session")
      }
      self = .sessionJoin(
        session: session, presence: try fields.optionalChoice("presence", PresenceMode.self) ?? .full,
        resume: try fields.resume())
    } else if type.equals("session.leave") {
      self = .sessionLeave
    } else if type.equals("session.start") {
      self = .sessionStart(key: try fields.key())
    } else if type.equals("session.end") {
      self = .sessionEnd(key: try fields.key())
    } else if type.equals("presence.subscribe") {
      self = .presenceSubscribe(try fields.choice("mode", PresenceMode.self))
    } else if type.equals("presence.page") {
      self = .presencePage(after: try fields.sequence("after"))
    } else if type.equals("chat.history") {
      self = .chatHistory(
        before: try fields.optionalSequence("before"),
        limit: try fields.optionalInteger("limit", 1...Int64(ProtocolLimits.historyPage))
          .map(Int.init) ?? ProtocolLimits.historyDefault)
    } else if type.equals("token.renew") {
      self = .tokenRenew(try fields.string("token", bytes: 1...ProtocolLimits.tokenBytes))
    } else {
      throw ProtocolError(.unknownType, "There is no command of this type.", field: "type")
    }
  }
}

/// Typed access to the fields of a command.
private struct CommandFields {
  private let view: JSONView

  /// The names of the objects around these fields, each with a dot behind it.
  private let path: String

  init(_ view: JSONView, path: String = "") {
    self.view = view
    self.path = path
  }

  private func value(_ name: StaticString) -> JSONView? {
    guard let value = view[name], !value.isNull else { return nil }
    return value
  }

  private func missing(_ name: StaticString) -> ProtocolError {
    ProtocolError(.missingField, "The field \(path)\(name) is missing.", field: "\(path)\(name)")
  }

  private func invalid(_ name: StaticString, _ expectation: String) -> ProtocolError {
    ProtocolError(.invalidField, "The field \(path)\(name) is \(expectation).", field: "\(path)\(name)")
  }

  func optionalString(_ name: StaticString, bytes: ClosedRange<Int>) throws(ProtocolError) -> String? {
    guard let value = value(name) else { return nil }
    guard let count = value.utf8Count, bytes.contains(count), let string = value.string else {
      throw invalid(name, "a string of \(bytes.lowerBound) to \(bytes.upperBound) bytes")
    }
    return string
  }

  func string(_ name: StaticString, bytes: ClosedRange<Int>) throws(ProtocolError) -> String {
    guard let string = try optionalString(name, bytes: bytes) else { throw missing(name) }
    return string
  }

  func key() throws(ProtocolError) -> String? {
    try optionalString("key", bytes: 1...ProtocolLimits.keyBytes)
  }

  func optionalBoolean(_ name: StaticString) throws(ProtocolError) -> Bool? {
    guard let value = value(name) else { return nil }
    guard let boolean = value.boolean else { throw invalid(name, "true or false") }
    return boolean
  }

  func optionalInteger(_ name: StaticString, _ range: ClosedRange<Int64>) throws(ProtocolError) -> Int64? {
    guard let value = value(name) else { return nil }
    guard let integer = value.integer, range.contains(integer) else {
      throw invalid(name, "an integer from \(range.lowerBound) to \(range.upperBound)")
    }
    return integer
  }

  func optionalSequence(_ name: StaticString) throws(ProtocolError) -> UInt64? {
    try optionalInteger(name, 0...Int64.max).map(UInt64.init)
  }

  func sequence(_ name: StaticString) throws(ProtocolError) -> UInt64 {
    guard let sequence = try optionalSequence(name) else { throw missing(name) }
    return sequence
  }

  func optionalChoice<Choice: RawRepresentable & CaseIterable>(
    _ name: StaticString, _ type: Choice.Type
  ) throws(ProtocolError) -> Choice? where Choice.RawValue == String {
    guard let value = value(name) else { return nil }
    guard let string = value.string, let choice = Choice(rawValue: string) else {
      let choices = Choice.allCases.map(\.rawValue).joined(separator: ", ")
      throw invalid(name, "one of \(choices)")
    }
    return choice
  }

  func choice<Choice: RawRepresentable & CaseIterable>(
    _ name: StaticString, _ type: Choice.Type
  ) throws(ProtocolError) -> Choice where Choice.RawValue == String {
    guard let choice = try optionalChoice(name, type) else { throw missing(name) }
    return choice
  }

  /// Like `choice`, without a `String`: calls send many.
  func signalKind() throws(ProtocolError) -> SignalKind {
    if let value = value("kind") {
      if value.equals("candidate") { return .candidate }
      if value.equals("offer") { return .offer }
      if value.equals("answer") { return .answer }
    }
    return try choice("kind", SignalKind.self)
  }

  private func optionalObject(_ name: StaticString) throws(ProtocolError) -> CommandFields? {
    guard let value = value(name) else { return nil }
    guard value.kind == .object else { throw invalid(name, "an object") }
    return CommandFields(value, path: "\(path)\(name).")
  }

  func resume() throws(ProtocolError) -> ClientMessage.Resume? {
    guard let fields = try optionalObject("resume") else { return nil }
    let token = try fields.string("token", bytes: 1...ProtocolLimits.resumeTokenBytes)
    let epoch = try fields.string("epoch", bytes: 1...ProtocolLimits.epochBytes)
    guard let streams = try fields.optionalObject("streams") else { throw fields.missing("streams") }
    for member in streams.view.members {
      guard let number = member.value.integer, number >= 0 else {
        throw fields.invalid("streams", "an object of integers from 0")
      }
    }
    return ClientMessage.Resume(
      token: token, epoch: epoch, room: try streams.optionalSequence("room") ?? 0,
      signalSequence: try fields.optionalSequence("signal_seq") ?? 0)
  }

  func hello() throws(ProtocolError) -> ClientMessage.Hello {
    if let token = try optionalString("token", bytes: 1...ProtocolLimits.tokenBytes) { return .token(token) }
    if let ticket = try optionalString("ticket", bytes: 1...ProtocolLimits.tokenBytes) { return .ticket(ticket) }
    let name = try string("guest", bytes: 1...ProtocolLimits.nameBytes)
    guard let name = PersonName.cleaned(name) else { throw invalid("guest", "a name, not only white space") }
    return .guest(name: name)
  }
}
