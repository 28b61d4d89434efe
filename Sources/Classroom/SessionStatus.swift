/// Where a session is in its life.
public enum SessionStatus: String, Sendable, CaseIterable {
  /// Proposed to a host who has not answered.
  case pendingApproval = "pending_approval"
  /// The host has agreed; its time is not fixed.
  case approved
  /// Planned; who comes waits.
  case scheduled
  /// Live.
  case ongoing
  /// Over; chat and report stay readable.
  case completed
  /// Called off, declined or withdrawn before it was live.
  case cancelled
  /// Its time passed without a start.
  case expired

  /// Whether the class is running now.
  public var isLive: Bool { self == .ongoing }

  /// Whether who comes waits for the start.
  public var isAhead: Bool { self == .approved || self == .scheduled }

  /// Whether nobody comes in any more, unless the session is started or planned anew.
  public var isOver: Bool { self == .completed || self == .cancelled || self == .expired }
}

/// Some of the states of a session.
public struct SessionStatusSet: OptionSet, Sendable, Hashable {
  public let rawValue: UInt8

  /// The states of these bits, in the order of ``SessionStatus/allCases``.
  public init(rawValue: UInt8) {
    self.rawValue = rawValue
  }

  /// One state.
  public init(_ status: SessionStatus) {
    rawValue =
      switch status {
      case .pendingApproval: 1
      case .approved: 2
      case .scheduled: 4
      case .ongoing: 8
      case .completed: 16
      case .cancelled: 32
      case .expired: 64
      }
  }

  public static let pendingApproval = SessionStatusSet(.pendingApproval)
  public static let approved = SessionStatusSet(.approved)
  public static let scheduled = SessionStatusSet(.scheduled)
  public static let ongoing = SessionStatusSet(.ongoing)
  public static let completed = SessionStatusSet(.completed)
  public static let cancelled = SessionStatusSet(.cancelled)
  public static let expired = SessionStatusSet(.expired)
  /// Every state.
  public static let all = SessionStatusSet(rawValue: 127)
  /// Not live yet, and not called off.
  public static let ahead: SessionStatusSet = [.pendingApproval, .approved, .scheduled]

  /// Whether a state is one of them.
  public func contains(_ status: SessionStatus) -> Bool { contains(SessionStatusSet(status)) }
}
