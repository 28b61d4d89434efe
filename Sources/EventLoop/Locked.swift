import Glibc

/// A value behind a lock.
///
/// `Mutex` of Synchronization would do, but ThreadSanitizer of this toolchain does not see its futex and reports races
/// that are none; `pthread_mutex_t` it knows.
///
/// `@unchecked Sendable`: the compiler cannot see that `storage` is touched only between `pthread_mutex_lock` and
/// `pthread_mutex_unlock`, but it is: `withLock` is the only way to it, the value comes in as `sending`, and the body
/// gets it `inout sending`, so that nothing reachable from it can stay outside.
public final class Locked<Value>: @unchecked Sendable {
  @usableFromInline let mutex: UnsafeMutablePointer<pthread_mutex_t>
  @usableFromInline let storage: UnsafeMutablePointer<Value>

  /// A lock around this value.
  public init(_ value: sending Value) {
    mutex = .allocate(capacity: 1)
    mutex.initialize(to: pthread_mutex_t())
    let code = pthread_mutex_init(mutex, nil)
    precondition(code == 0, "pthread_mutex_init with default attributes cannot fail on Linux")
    storage = .allocate(capacity: 1)
    storage.initialize(to: value)
  }

  deinit {
    storage.deinitialize(count: 1)
    storage.deallocate()
    pthread_mutex_destroy(mutex)
    mutex.deallocate()
  }

  /// Runs `body` alone with the value. Not to be called again from within `body`: the lock is not recursive.
  @inlinable
  public func withLock<Result: ~Copyable, Failure: Error>(
    _ body: (inout sending Value) throws(Failure) -> sending Result
  ) throws(Failure) -> sending Result {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return try body(&storage.pointee)
  }
}
