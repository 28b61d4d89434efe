/// A lie that is planted between the server and one attendee, or in the attendance report, to see that it is found.
enum Sabotage: String, CaseIterable, Sendable {
  /// A message does not arrive.
  case lost
  /// A message arrives twice.
  case duplicate
  /// Two messages arrive in the wrong order.
  case reordered
  /// A message arrives with another text.
  case text
  /// The count of the people is one too many.
  case count
  /// A signal does not arrive.
  case signal
  /// Somebody has attended a minute more.
  case attendance
}

/// Falsifies the stream of frames to one attendee, once.
struct Saboteur {
  private let sabotage: Sabotage
  /// What has come and is not a whole frame yet.
  private var held: [UInt8] = []
  /// A frame that waits to be overtaken.
  private var overtaken: [UInt8]?
  private var seen = 0
  private(set) var isDone = false
  /// The head of the handshake's answer has passed.
  private var isOpen = false

  /// How many frames of the kind pass before.
  private static let patience = 3

  init(_ sabotage: Sabotage) { self.sabotage = sabotage }

  /// Takes in what came, and gives what the client gets to see: whole frames only.
  mutating func pass(_ input: UnsafeRawBufferPointer) -> [UInt8] {
    held += input
    var output: [UInt8] = []
    if !isOpen {
      let end = Array("\r\n\r\n".utf8)
      guard let start = held.indices.dropLast(3).first(where: { held[$0..<$0 + 4].elementsEqual(end) }) else {
        return []
      }
      output += held[..<(start + 4)]
      held.removeFirst(start + 4)
      isOpen = true
    }
    while let length = Self.frameLength(held[...]), held.count >= length {
      let frame = Array(held[..<length])
      held.removeFirst(length)
      output += falsify(frame)
    }
    return output
  }

  /// The bytes of the first frame with its header (RFC 6455, 5.2; a server's frame has no mask); nil when its header is not
  /// whole.
  static func frameLength(_ bytes: ArraySlice<UInt8>) -> Int? {
    guard bytes.count >= 2 else { return nil }
    let start = bytes.startIndex
    let short = Int(bytes[start + 1] & 0x7F)
    let extra = short < 126 ? 0 : short == 126 ? 2 : 8
    guard bytes.count >= 2 + extra else { return nil }
    var length = short
    if extra > 0 { length = bytes[(start + 2)..<(start + 2 + extra)].reduce(0) { ($0 << 8 | Int($1)) & 0xFFFF_FFFF } }
    return 2 + extra + length
  }

  private mutating func falsify(_ frame: [UInt8]) -> [UInt8] {
    let type: String? =
      switch sabotage {
      case .lost, .duplicate, .reordered, .text: #""type":"chat.message""#
      case .count: #""type":"presence."#
      case .signal: #""type":"signal""#
      case .attendance: nil
      }
    guard !isDone, let type, Self.find(type, in: frame) != nil else { return frame }
    if let first = overtaken {
      overtaken = nil
      isDone = true
      return frame + first
    }
    seen += 1
    guard seen > Self.patience || sabotage == .count && seen > 1 else { return frame }
    switch sabotage {
    case .lost, .signal:
      isDone = true
      return []
    case .duplicate:
      isDone = true
      return frame + frame
    case .reordered:
      overtaken = frame
      return []
    case .text:
      isDone = true
      return Self.change(frame, behind: #""text":""#, at: 20)
    case .count:
      isDone = true
      return Self.change(frame, behind: #""count":"#, at: 0)
    case .attendance: return frame
    }
  }

  private static func find(_ text: String, in frame: [UInt8]) -> Int? {
    let pattern = Array(text.utf8)
    guard frame.count >= pattern.count else { return nil }
    return (0...(frame.count - pattern.count)).first { frame[$0..<$0 + pattern.count].elementsEqual(pattern) }
      .map { $0 + pattern.count }
  }

  /// Another digit or letter so many bytes behind a text.
  private static func change(_ frame: [UInt8], behind text: String, at offset: Int) -> [UInt8] {
    guard let place = find(text, in: frame), place + offset < frame.count else { return frame }
    var frame = frame
    let byte = frame[place + offset]
    frame[place + offset] = byte == UInt8(ascii: "9") || byte == UInt8(ascii: "z") ? byte - 1 : byte + 1
    return frame
  }

  /// The attendance report with a minute too much for somebody.
  static func falsify(_ rows: [AttendanceRow]) -> [AttendanceRow] {
    var rows = rows
    if !rows.isEmpty { rows[rows.count - 1].milliseconds += 60_000 }
    return rows
  }
}
