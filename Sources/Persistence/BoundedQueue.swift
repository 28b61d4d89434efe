import Glibc

/// Hands values from one thread to another, of which each waits for the other: the first when the queue is full, the second
/// when it is empty.
///
/// `@unchecked Sendable`: everything that changes is touched only between `pthread_mutex_lock` and `pthread_mutex_unlock`.
final class BoundedQueue<Element: Sendable>: @unchecked Sendable {
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private let capacity: Int
  private var elements: [Element] = []
  private var isClosed = false

  init(capacity: Int) {
    self.capacity = capacity
    mutex.initialize(to: pthread_mutex_t())
    changed.initialize(to: pthread_cond_t())
    let failures = pthread_mutex_init(mutex, nil) | pthread_cond_init(changed, nil)
    precondition(failures == 0, "with default attributes these cannot fail on Linux")
  }

  deinit {
    pthread_cond_destroy(changed)
    pthread_mutex_destroy(mutex)
    changed.deallocate()
    mutex.deallocate()
  }

  /// Adds a value, after waiting for room.
  /// - Returns: false when the queue is closed.
  func push(_ element: Element) -> Bool {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    while elements.count >= capacity, !isClosed { pthread_cond_wait(changed, mutex) }
    guard !isClosed else { return false }
    elements.append(element)
    pthread_cond_signal(changed)
    return true
  }

  /// Takes out all values, after waiting for one.
  /// - Returns: none when the queue is closed and empty.
  func popAll() -> [Element] {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    while elements.isEmpty, !isClosed { pthread_cond_wait(changed, mutex) }
    let taken = elements
    elements = []
    pthread_cond_signal(changed)
    return taken
  }

  /// Nothing more comes in; what is there can still be taken out.
  func close() {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    isClosed = true
    pthread_cond_broadcast(changed)
  }
}
