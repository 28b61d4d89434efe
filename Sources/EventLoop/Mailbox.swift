import CLinux
import Glibc
import Synchronization

/// Messages from any thread to one consumer, in the order of each producer.
///
/// A consumer that is busy is not disturbed: a post costs a lock and no system call. A consumer about to wait says so
/// with `prepareToSleep()` (or by `Poller.wait(timeoutMilliseconds:sleepingOn:)`, which does), and the first post after
/// that makes `descriptor` readable, once. Draining makes it unreadable again.
public final class Mailbox<Message: Sendable>: Sendable {
  /// Storage beyond this many messages is given back after a flood instead of being kept for reuse.
  public static var retainedCapacity: Int { 4096 }

  private struct State {
    var messages: [Message] = []
    var isClosed = false
    /// Closed, and not drained since.
    var closeIsNews = false
    /// The consumer has asked to be woken and has not drained since.
    var isArmed = false
    /// Wake-ups that were claimed by a producer but not yet read from the eventfd.
    var unreadWakeups: UInt64 = 0
  }

  private let state = Locked(State())
  /// Whether the next post has to wake the consumer. Who turns it to `false` writes to the eventfd.
  private let wantsWakeup = Atomic<Bool>(false)
  private let event: FileDescriptor

  /// - Throws: `EMFILE`, `ENFILE` or `ENOMEM`.
  public init() throws(SystemError) {
    let descriptor = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
    guard descriptor >= 0 else { throw SystemError.last("eventfd") }
    event = FileDescriptor(owning: descriptor)
  }

  /// What the consumer's poller watches for reading.
  public var descriptor: Int32 { event.rawValue }

  /// Whether `close()` was called. Messages posted before may still be there to drain.
  public var isClosed: Bool { state.withLock { $0.isClosed } }

  /// Adds a message, from any thread, and wakes the consumer if it sleeps.
  ///
  /// - Returns: `false` when the mailbox is closed: the message is not taken.
  @discardableResult
  public func post(_ message: Message) -> Bool {
    let accepted = state.withLock { state in
      if state.isClosed { return false }
      state.messages.append(message)
      return true
    }
    if accepted { wakeIfWanted() }
    return accepted
  }

  /// Refuses further messages and wakes the consumer, which drains what is left.
  public func close() {
    let isNews = state.withLock { state in
      if state.isClosed { return false }
      state.isClosed = true
      state.closeIsNews = true
      return true
    }
    if isNews { wakeIfWanted() }
  }

  /// For the consumer, right before it waits: from here on the first post wakes it.
  ///
  /// - Returns: `false` when there is something to drain already, or the mailbox was closed since the last drain: do not
  ///   wait.
  public func prepareToSleep() -> Bool {
    state.withLock { state in
      guard state.messages.isEmpty, !state.closeIsNews else { return false }
      disarm(&state)
      state.isArmed = true
      // Within the lock: a post that is not seen here takes the lock later, so it sees the flag.
      wantsWakeup.store(true, ordering: .sequentiallyConsistent)
      return true
    }
  }

  /// For the consumer: replaces `messages` by what was posted since the last drain. The storage is swapped, so that with
  /// the same array each time nothing is allocated.
  ///
  /// Each producer's messages come in the order of its posts.
  ///
  /// - Returns: `false` when the mailbox is closed: nothing comes after these messages.
  @discardableResult
  public func drain(into messages: inout [Message]) -> Bool {
    messages.removeAll(keepingCapacity: messages.capacity <= Self.retainedCapacity)
    return state.withLock { state in
      disarm(&state)
      readWakeups(&state)
      state.closeIsNews = false
      swap(&state.messages, &messages)
      return !state.isClosed
    }
  }

  /// For the consumer: what was posted since the last drain.
  public func drain() -> [Message] {
    var messages: [Message] = []
    drain(into: &messages)
    return messages
  }

  /// For a consumer thread that waits for nothing else: like `drain(into:)`, but waits until there is something.
  ///
  /// - Parameter timeoutMilliseconds: how long to wait at most; -1 waits without end.
  /// - Returns: `false` when the mailbox is closed and empty: nothing will come any more.
  public func waitAndDrain(into messages: inout [Message], timeoutMilliseconds: Int32 = -1) -> Bool {
    // A closed mailbox wakes nobody any more; one closed from here on does.
    if !isClosed, prepareToSleep() {
      var watched = pollfd(fd: event.rawValue, events: Int16(POLLIN), revents: 0)
      // Interrupted or not: what is there is drained, and the caller comes back.
      _ = poll(&watched, 1, timeoutMilliseconds)
    }
    // Whether it is closed must be asked together with the drain: a post and a close in between would be missed.
    let mayHaveMore = drain(into: &messages)
    return mayHaveMore || !messages.isEmpty
  }

  private func wakeIfWanted() {
    if claimWakeup() { writeWakeup() }
  }

  /// Whether the caller is the one producer that has to write.
  func claimWakeup() -> Bool {
    // Read before the exchange, so that posting to a busy consumer does not fight for the cache line.
    wantsWakeup.load(ordering: .sequentiallyConsistent)
      && wantsWakeup.exchange(false, ordering: .sequentiallyConsistent)
  }

  func writeWakeup() {
    // Cannot fail: the counter stays below 2^64 - 1, for it is read whenever it was written.
    eventfd_write(event.rawValue, 1)
  }

  /// Takes back the wish to be woken. If a producer has claimed the wake-up by then, its write is owed.
  private func disarm(_ state: inout State) {
    guard state.isArmed else { return }
    state.isArmed = false
    if !wantsWakeup.exchange(false, ordering: .sequentiallyConsistent) { state.unreadWakeups += 1 }
  }

  /// Empties the eventfd, exactly: a producer that has claimed the wake-up may write only after this, and then the
  /// write stays owed. Without the count a late write would leave the descriptor readable for ever.
  private func readWakeups(_ state: inout State) {
    guard state.unreadWakeups > 0 else { return }
    var count: eventfd_t = 0
    if eventfd_read(event.rawValue, &count) == 0 { state.unreadWakeups -= min(count, state.unreadWakeups) }
  }
}
