import CLinux
import Glibc

/// What a descriptor is watched for.
public struct Interest: OptionSet, Sendable, BitwiseCopyable {
  public let rawValue: UInt32

  /// An interest of these bits of epoll(7).
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  public static let readable = Interest(rawValue: EPOLLIN.rawValue)
  public static let writable = Interest(rawValue: EPOLLOUT.rawValue)
}

/// What a descriptor is ready for.
public struct Readiness: Sendable, BitwiseCopyable {
  /// The token that was given with the descriptor.
  public let token: UInt64
  let mask: UInt32

  /// There are bytes, a connection to accept, or the end of the stream to read.
  public var isReadable: Bool { mask & EPOLLIN.rawValue != 0 }
  /// A write would take bytes.
  public var isWritable: Bool { mask & EPOLLOUT.rawValue != 0 }
  /// Both directions are over (`EPOLLHUP`). Told even with an empty interest.
  public var isHungUp: Bool { mask & EPOLLHUP.rawValue != 0 }
  /// The socket has an error to collect (`EPOLLERR`). Told even with an empty interest.
  public var hasError: Bool { mask & EPOLLERR.rawValue != 0 }
}

/// Waits for many descriptors at once: epoll, level-triggered.
///
/// A descriptor with an empty interest is still told of hang-up and error, at every wait: it must then be removed or
/// closed, or the loop spins. A descriptor leaves by itself when it is closed, unless it was duplicated.
public struct Poller: ~Copyable {
  /// The most events one wait returns; what did not fit comes with the next.
  public static let eventCapacity = 1024

  private let epoll: FileDescriptor
  private let events: UnsafeMutablePointer<epoll_event>
  /// The events of the last wait.
  public private(set) var eventCount = 0

  /// - Throws: `EMFILE`, `ENFILE` or `ENOMEM`.
  public init() throws(SystemError) {
    let descriptor = epoll_create1(Int32(EPOLL_CLOEXEC))
    guard descriptor >= 0 else { throw SystemError.last("epoll_create1") }
    epoll = FileDescriptor(owning: descriptor)
    events = .allocate(capacity: Poller.eventCapacity)
  }

  deinit { events.deallocate() }

  /// Begins to watch `descriptor`, which stays the caller's. `token` comes back with each of its events.
  public func add(_ descriptor: Int32, _ interest: Interest, token: UInt64) throws(SystemError) {
    try control(EPOLL_CTL_ADD, descriptor, interest, token)
  }

  /// Changes what a watched descriptor is watched for, and its token.
  public func modify(_ descriptor: Int32, _ interest: Interest, token: UInt64) throws(SystemError) {
    try control(EPOLL_CTL_MOD, descriptor, interest, token)
  }

  /// Ends the watch. Events already returned by the last wait are still there to be read.
  public func remove(_ descriptor: Int32) throws(SystemError) {
    try control(EPOLL_CTL_DEL, descriptor, [], 0)
  }

  private func control(
    _ operation: Int32, _ descriptor: Int32, _ interest: Interest, _ token: UInt64
  ) throws(SystemError) {
    var event = epoll_event(events: interest.rawValue, data: epoll_data_t(u64: token))
    guard epoll_ctl(epoll.rawValue, operation, descriptor, &event) == 0 else { throw SystemError.last("epoll_ctl") }
  }

  /// Waits until a descriptor is ready or the time is over.
  ///
  /// - Parameter timeoutMilliseconds: 0 does not wait, -1 waits without end.
  /// - Returns: how many events `event(at:)` has now; 0 also when a signal interrupted the wait.
  @discardableResult
  public mutating func wait(timeoutMilliseconds: Int32) throws(SystemError) -> Int {
    eventCount = 0
    let count = epoll_wait(epoll.rawValue, events, Int32(Poller.eventCapacity), timeoutMilliseconds)
    if count < 0 {
      let error = SystemError.last("epoll_wait")
      if error.code == EINTR { return 0 }
      throw error
    }
    eventCount = Int(count)
    return eventCount
  }

  /// Like `wait(timeoutMilliseconds:)` for the consumer of `mailbox`, whose descriptor is watched here: does not wait
  /// when the mailbox has something, and asks its producers to wake this wait otherwise.
  @discardableResult
  public mutating func wait<Message>(
    timeoutMilliseconds: Int32, sleepingOn mailbox: Mailbox<Message>
  ) throws(SystemError) -> Int {
    try wait(timeoutMilliseconds: mailbox.prepareToSleep() ? timeoutMilliseconds : 0)
  }

  /// The event at `index`, below `eventCount`.
  public func event(at index: Int) -> Readiness {
    assert(index >= 0 && index < eventCount)
    let event = events[index]
    return Readiness(token: event.data.u64, mask: event.events)
  }
}
