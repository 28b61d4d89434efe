/// The six kinds of JSON value (RFC 8259 §3; `true` and `false` are one kind).
public enum JSONKind: UInt8, Sendable {
  case object, array, string, number, boolean, null
}

/// One value or key of the text that was read.
struct JSONToken {
  static let kindMask: UInt32 = 0x07
  /// The string has escapes, so that its bytes are not its content.
  static let hasEscapes: UInt32 = 0x08
  /// The number has neither fraction nor exponent.
  static let isWrittenAsInteger: UInt32 = 0x10
  static let isTrue: UInt32 = 0x20
  static let countShift: UInt32 = 8

  /// The value's bytes are `start ..< end`, the quotes of a string included.
  var start: UInt32
  var end: UInt32
  /// The index after the value's last token. While a container is open: the container around it. Of a key: its digest.
  var next: UInt32
  /// Kind and flags in the low byte, above them the number of elements or members.
  var meta: UInt32

  init(start: Int, end: Int, next: Int, kind: JSONKind, flags: UInt32 = 0) {
    self.start = UInt32(truncatingIfNeeded: start)
    self.end = UInt32(truncatingIfNeeded: end)
    self.next = UInt32(truncatingIfNeeded: next)
    self.meta = UInt32(kind.rawValue) | flags
  }

  var kind: JSONKind { JSONKind(rawValue: UInt8(truncatingIfNeeded: meta & Self.kindMask)) ?? .null }
  var hasEscapes: Bool { meta & Self.hasEscapes != 0 }
  var count: Int { Int(meta >> Self.countShift) }

  mutating func countOneMore() { meta &+= 1 << Self.countShift }
}

/// Growable memory for tokens that is kept from one text to the next.
struct JSONTape: ~Copyable {
  private(set) var tokens: UnsafeMutablePointer<JSONToken>
  private(set) var capacity: Int
  private(set) var count = 0

  /// Memory beyond this (256 KiB) is given back before the next text: one large body must not stay paid for.
  static let retainedCapacity = 16_384

  init() {
    capacity = 64
    tokens = .allocate(capacity: 64)
  }

  deinit { tokens.deallocate() }

  mutating func removeAll() {
    count = 0
    if capacity > Self.retainedCapacity {
      tokens.deallocate()
      capacity = 64
      tokens = .allocate(capacity: capacity)
    }
  }

  /// Appends a token and returns its index.
  @inline(__always)
  mutating func append(_ token: JSONToken) -> Int {
    if count == capacity { grow() }
    (tokens + count).initialize(to: token)
    count &+= 1
    return count &- 1
  }

  @inline(never)
  private mutating func grow() {
    let larger = UnsafeMutablePointer<JSONToken>.allocate(capacity: capacity * 2)
    larger.moveInitialize(from: tokens, count: count)
    tokens.deallocate()
    tokens = larger
    capacity *= 2
  }

  subscript(_ index: Int) -> JSONToken {
    @inline(__always)
    get {
      assert(index >= 0 && index < count)
      return tokens[index]
    }
    @inline(__always)
    nonmutating _modify {
      assert(index >= 0 && index < count)
      yield &tokens[index]
    }
  }
}
