import EventLoop
import Logging
import Synchronization
import Tokens

/// Which keys check the tokens of the platform, and how they are kept fresh.
public struct TokenKeySettings: Sendable {
  /// Where public keys come from, beside the secret.
  public var sources: [KeySource] = []
  /// Whether tokens signed with the server's secret are taken (HS256).
  public var takesSecret = true
  /// After how long a key set is fetched again, in milliseconds.
  public var refreshMilliseconds: Int64 = 300_000
  /// A file with the certificates of the authorities that are trusted where key sets are fetched; nil for the system's.
  public var authorityFile: String?
  /// Whether key sets are fetched from this machine without TLS, for tests.
  public var permitsPlainLoopback = false
  /// How long after a fetch the next may come because a token asks for a key that is not known.
  var cooldownMilliseconds: Int64 = 10_000
  /// How often files are looked at whether they have changed.
  var fileMilliseconds: Int64 = 2000
  /// How soon a fetch that failed is tried again, at first; then after twice as long each time, up to the usual time.
  var retryMilliseconds: Int64 = 5000

  /// The defaults: the secret alone.
  public init() {}
}

/// Keeps the keys of all sources fresh, on a thread of its own, so that no loop waits for a disk or a network.
///
/// What cannot be fetched or read leaves the keys that there were in use.
final class KeyRefresh: Sendable {
  enum Message: Sendable {
    /// Load everything anew.
    case refresh
    case stop
  }

  /// What has become of it.
  struct Figures: Sendable {
    var loads: UInt64 = 0
    var failures: UInt64 = 0
    /// When the keys of each source were last loaded, by the monotonic clock in milliseconds; nil before the first time.
    var loadedAt: [Int64?]
  }

  private struct State {
    var figures: Figures
    /// Whether a refresh is under way or asked for.
    var isPending: Bool
    /// When the last refresh that was asked for began, by the monotonic clock.
    var lastRequest: Int64 = .min / 2
    /// What each source had when it was last loaded, for the log.
    var contents: [[String]]
  }

  /// Set when the server ends.
  private final class StopFlag: Sendable {
    private let flag = Atomic<Bool>(false)
    var isSet: Bool { flag.load(ordering: .acquiring) }
    func set() { flag.store(true, ordering: .releasing) }
  }

  let ring: KeyRing
  private let settings: TokenKeySettings
  private let mailbox: Mailbox<Message>
  private let state: Locked<State>
  private let stopping = StopFlag()
  private let logger: Logger

  /// Reads the files; what is at addresses is fetched when it runs.
  ///
  /// - Parameter ring: with a place for each source.
  init(_ settings: TokenKeySettings, ring: KeyRing, logger: Logger) throws(StartFailure) {
    self.settings = settings
    self.ring = ring
    self.logger = logger
    let count = settings.sources.count
    state = Locked(
      State(
        figures: Figures(loadedAt: Array(repeating: nil, count: count)), isPending: true,
        contents: Array(repeating: [], count: count)))
    do throws(SystemError) {
      mailbox = try Mailbox()
    } catch {
      throw .system(error)
    }
    do throws(KeySourceFailure) {
      for (index, source) in settings.sources.enumerated() {
        if case .address(let address) = source.form {
          try fetching.check(address)
        } else {
          try load(index)
        }
      }
    } catch {
      throw .keys(error)
    }
    if settings.sources.allSatisfy({ $0.path != nil }) { state.withLock { $0.isPending = false } }
  }

  private var fetching: KeyFetching {
    KeyFetching(authorityFile: settings.authorityFile, permitsPlainLoopback: settings.permitsPlainLoopback)
  }

  var figures: Figures { state.withLock { $0.figures } }

  /// Whether the keys are being loaded, so that a token whose key is not known may be good in a moment; begins to load them
  /// if they have not been for a while.
  func isAwaited() -> Bool {
    // Files are looked at often enough.
    guard settings.sources.contains(where: { $0.path == nil }) else { return false }
    let now = MonotonicClock.milliseconds()
    let (isPending, isNew) = state.withLock { state in
      if state.isPending { return (true, false) }
      guard now - state.lastRequest >= settings.cooldownMilliseconds else {
        // As long as a source has never been loaded, nobody can say that a key does not exist.
        return (state.figures.loadedAt.contains(nil), false)
      }
      state.lastRequest = now
      state.isPending = true
      return (true, true)
    }
    if isNew { mailbox.post(.refresh) }
    return isPending
  }

  /// Loads everything anew, soon.
  func refresh() {
    state.withLock { $0.isPending = true }
    mailbox.post(.refresh)
  }

  /// Ends the thread, and what it is fetching.
  func stop() {
    stopping.set()
    mailbox.post(.stop)
  }

  /// Runs until told to stop; on a thread of its own.
  func run() {
    var schedules = settings.sources.map { source in
      Schedule(source, now: MonotonicClock.milliseconds(), settings: settings)
    }
    var messages: [Message] = []
    while true {
      for index in schedules.indices {
        if stopping.isSet { return }
        let now = MonotonicClock.milliseconds()
        guard schedules[index].isDue(settings.sources[index], now: now, settings: settings) else { continue }
        let isLoaded = tryToLoad(index, isFirstFailure: schedules[index].failures == 0)
        schedules[index].note(isLoaded, now: MonotonicClock.milliseconds(), settings: settings)
      }
      state.withLock { $0.isPending = false }
      let next = schedules.map(\.due).min() ?? .max
      let wait = min(max(0, next - MonotonicClock.milliseconds()), 60_000)
      _ = mailbox.waitAndDrain(into: &messages, timeoutMilliseconds: Int32(wait))
      for message in messages {
        switch message {
        case .stop: return
        case .refresh:
          state.withLock { $0.isPending = true }
          for index in schedules.indices { schedules[index].isForced = true }
        }
      }
    }
  }

  /// When a source is looked at next.
  private struct Schedule {
    var due: Int64
    var isForced = false
    var failures = 0
    private var stamp: FileStamp?

    init(_ source: KeySource, now: Int64, settings: TokenKeySettings) {
      stamp = source.path.map { FileStamp($0) }
      due = source.path == nil ? now : now + settings.fileMilliseconds
    }

    mutating func isDue(_ source: KeySource, now: Int64, settings: TokenKeySettings) -> Bool {
      guard isForced || due <= now else { return false }
      guard let path = source.path else { return true }
      let current = FileStamp(path)
      defer { stamp = current }
      if isForced || failures > 0 || current != stamp { return true }
      due = now + settings.fileMilliseconds
      return false
    }

    mutating func note(_ isLoaded: Bool, now: Int64, settings: TokenKeySettings) {
      isForced = false
      failures = isLoaded ? 0 : failures + 1
      if isLoaded {
        due = now + (stamp == nil ? settings.refreshMilliseconds : settings.fileMilliseconds)
      } else {
        let delay = settings.retryMilliseconds << Int64(min(failures - 1, 10))
        due = now + min(delay, max(settings.refreshMilliseconds, settings.retryMilliseconds))
      }
    }
  }

  private func tryToLoad(_ index: Int, isFirstFailure: Bool) -> Bool {
    do throws(KeySourceFailure) {
      try load(index)
      return true
    } catch {
      if stopping.isSet { return false }
      state.withLock { $0.figures.failures += 1 }
      // Once for each time that it stops working.
      if isFirstFailure { logger.error("\(error); the keys that there were stay in use") }
      return false
    }
  }

  private func load(_ index: Int) throws(KeySourceFailure) {
    let source = settings.sources[index]
    let loaded = try fetching.load(source) { [stopping] in stopping.isSet }
    ring.replace(loaded.keys, of: index)
    let contents = loaded.keys.map { "\($0.algorithm.rawValue) \($0.id ?? "")" } + loaded.skipped
    let isNews = state.withLock { state in
      state.figures.loads += 1
      let isFirst = state.figures.loadedAt[index] == nil
      state.figures.loadedAt[index] = MonotonicClock.milliseconds()
      defer { state.contents[index] = contents }
      return isFirst || state.contents[index] != contents
    }
    guard isNews else { return }
    logger.info("\(source.name): \(loaded.keys.count) key\(loaded.keys.count == 1 ? "" : "s")")
    for reason in loaded.skipped { logger.warning("\(source.name): \(reason)") }
    if loaded.keys.isEmpty { logger.error("\(source.name) has no key that tokens can be checked with") }
  }
}
