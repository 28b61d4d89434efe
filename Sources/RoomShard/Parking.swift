import Classroom
import SignalingProtocol

/// The bounds of what waits for sessions that are being loaded from the archive.
public enum ParkingLimits {
  /// The inputs that wait for one session.
  public static let inputsPerSession = 256
  /// The inputs that wait altogether.
  public static let inputs = 4096
  /// The bytes of their texts and payloads.
  public static let bytes = 1 << 20
}

/// Something that waits for a session to be loaded.
enum ParkedInput {
  case join(Identity, session: String, PresenceMode, ClientMessage.Resume?, id: Int64?, ConnectionID)
  case command(ParkedCommand, id: Int64?, ConnectionID)
  case request(RoomRequest, session: String, id: RequestID, Identity?)

  var connection: ConnectionID? {
    switch self {
    case .join(_, _, _, _, _, let connection), .command(_, _, let connection): connection
    case .request: nil
    }
  }

  fileprivate var byteCount: Int {
    switch self {
    case .join(_, _, _, let resume, _, _): resume?.token.utf8.count ?? 0
    case .command(let command, _, _): command.byteCount
    case .request(.create(let draft, _, _, _, _), _, _, _): draft.title.utf8.count + draft.description.utf8.count
    case .request: 0
    }
  }
}

/// A command that outlives the bytes it was read from.
struct ParkedCommand {
  private var message: ClientMessage
  private var payload: [UInt8] = []

  init(_ message: ClientMessage) {
    self.message = message
    guard case .signal(let target, let kind, let negotiation, let payload) = message else { return }
    self.payload = Array(payload)
    self.message = .signal(
      to: target, kind: kind, negotiation: negotiation, payload: UnsafeRawBufferPointer(start: nil, count: 0))
  }

  var byteCount: Int { if case .chatSend(let text, _) = message { text.utf8.count } else { payload.count } }

  func withMessage(_ body: (ClientMessage) -> Void) {
    guard case .signal(let target, let kind, let negotiation, _) = message else { return body(message) }
    payload.withUnsafeBytes { body(.signal(to: target, kind: kind, negotiation: negotiation, payload: $0)) }
  }
}

/// What waits for sessions that are being loaded from the archive, in the order in which it came.
struct Parking {
  /// By session; one that is being loaded has an entry.
  private var inputs: [String: [ParkedInput]] = [:]
  /// The session that a connection waits for: what else it says waits, too.
  private var waiting: [ConnectionID: String] = [:]
  private var loads: [String] = []
  private var count = 0
  private var byteCount = 0

  /// The session that the connection waits for.
  subscript(connection: ConnectionID) -> String? { waiting.isEmpty ? nil : waiting[connection] }

  func contains(_ connection: ConnectionID) -> Bool { self[connection] != nil }

  /// Whether nobody waits for the session.
  func isEmpty(_ session: String) -> Bool { inputs[session] == nil }

  /// - Returns: false when that is too much.
  mutating func park(_ input: ParkedInput, for session: String) -> Bool {
    guard count < ParkingLimits.inputs, inputs[session, default: []].count < ParkingLimits.inputsPerSession,
      byteCount + input.byteCount <= ParkingLimits.bytes
    else {
      return false
    }
    if inputs[session] == nil { loads.append(session) }
    inputs[session, default: []].append(input)
    if let connection = input.connection { waiting[connection] = session }
    count += 1
    byteCount += input.byteCount
    return true
  }

  mutating func takeLoads() -> [String] {
    let taken = loads
    loads = []
    return taken
  }

  /// Takes out what waits for a session.
  mutating func take(_ session: String) -> [ParkedInput] {
    let taken = inputs.removeValue(forKey: session) ?? []
    for input in taken { forget(input) }
    return taken
  }

  /// The connection is gone.
  mutating func remove(_ connection: ConnectionID) {
    guard let session = waiting[connection] else { return }
    let gone = inputs[session]?.filter { $0.connection == connection } ?? []
    inputs[session]?.removeAll { $0.connection == connection }
    for input in gone { forget(input) }
  }

  private mutating func forget(_ input: ParkedInput) {
    if let connection = input.connection { waiting[connection] = nil }
    count -= 1
    byteCount -= input.byteCount
  }
}
