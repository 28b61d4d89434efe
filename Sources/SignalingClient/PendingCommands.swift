import Classroom
import JSON
import SignalingProtocol

/// A command that has no answer yet.
struct PendingCommand {
  enum Kind: Equatable {
    case hello, join, leave, ping, media, signal
    case start, end
    /// Another command about the session or who waits.
    case life
    /// With a digest of the text.
    case chat(UInt64)
    case subscribe(PresenceMode)
    /// The client's own: the page that follows a list.
    case page
    case history(before: UInt64?, limit: Int)
    /// With the token that counts from the answer on.
    case renew(String)

    case attendance
    /// One that is answered with nothing.
    case plain

    /// What the domain knows by itself, answered without anything to tell.
    case conduct
    /// A message to the hosts.
    case privateChat
    case privateHistory(limit: Int)
  }

  var id: CommandID
  var kind: Kind
  /// What is sent again until there is an answer; nil for a command without a key.
  var message: [UInt8]?
  /// Whether it was sent on this connection.
  var isSent: Bool
  /// When it is to be sent again on this connection.
  var retryAt: Int64?
  var failures = 0
}

/// The commands of one client that have no answer yet, in the order in which they were given.
struct PendingCommands {
  private(set) var entries: [PendingCommand] = []
  private var nextID: Int64 = 1

  mutating func newID() -> CommandID {
    defer { nextID += 1 }
    return CommandID(rawValue: nextID)
  }

  mutating func append(_ command: PendingCommand) { entries.append(command) }

  func first(_ id: Int64) -> PendingCommand? { entries.first { $0.id.rawValue == id } }

  /// Whether another mode of presence is asked for.
  var isSubscribing: Bool {
    entries.contains { if case .subscribe = $0.kind { true } else { false } }
  }

  @discardableResult
  mutating func remove(_ id: CommandID) -> PendingCommand? {
    guard let index = entries.firstIndex(where: { $0.id == id }) else { return nil }
    return entries.remove(at: index)
  }

  mutating func update(_ id: CommandID, _ body: (inout PendingCommand) -> Void) {
    if let index = entries.firstIndex(where: { $0.id == id }) { body(&entries[index]) }
  }

  /// The connection is gone: commands with a key wait for the next, the others are taken out.
  mutating func takeUnkeyed() -> [PendingCommand] {
    let unkeyed = entries.filter { $0.message == nil }
    entries.removeAll { $0.message == nil }
    for index in entries.indices {
      entries[index].isSent = false
      entries[index].retryAt = nil
    }
    return unkeyed
  }

  /// When the next command is to be sent again on this connection.
  var nextRetry: Int64? { entries.lazy.compactMap(\.retryAt).min() }
}

/// Writes the commands of a client.
enum ClientCommand {
  static func begin(_ type: StaticString, id: CommandID?, into writer: inout JSONWriter) {
    writer.removeAll()
    writer.beginObject()
    writer.field("type", type)
    if let id { writer.field("id", id.rawValue) }
  }

  static func hello(_ credential: ClientMessage.Hello, id: CommandID, into writer: inout JSONWriter) {
    begin("hello", id: id, into: &writer)
    switch credential {
    case .token(let token): writer.field("token", token)
    case .ticket(let ticket): writer.field("ticket", ticket)
    case .guest(let name): writer.field("guest", name)
    }
    writer.endObject()
  }

  static func join(
    _ session: String, presence: PresenceMode, resuming memory: SessionMemory?, as user: String?,
    id: CommandID, into writer: inout JSONWriter
  ) {
    begin("session.join", id: id, into: &writer)
    writer.field("session", session)
    writer.field("presence", presence.rawValue)
    if let memory, let token = memory.resumeToken {
      writer.object("resume") { writer in
        writer.field("token", token)
        writer.field("epoch", memory.epoch)
        writer.object("streams") { writer in
          writer.field("room", memory.stream.last)
          if let hosts = memory.hosts { writer.field("hosts", hosts.last) }
          guard let user else { return }
          writer.key(StreamName.user(user).text)
          writer.integer(memory.own.last)
        }
        writer.field("signal_seq", memory.signalSequence)
      }
    }
    writer.endObject()
  }
}
