import CLinux
import Glibc

/// A running thread. When the handle goes without `join()`, the thread runs on, detached.
public final class ThreadHandle: Sendable {
  private let thread: Locked<pthread_t?>

  fileprivate init(_ thread: pthread_t) { self.thread = Locked(thread) }

  deinit {
    if let thread = takeThread() { pthread_detach(thread) }
  }

  /// Waits until the thread's body has returned. Later calls return at once.
  public func join() {
    if let thread = takeThread() { pthread_join(thread, nil) }
  }

  private func takeThread() -> pthread_t? {
    thread.withLock { thread in
      defer { thread = nil }
      return thread
    }
  }
}

private final class ThreadBody: Sendable {
  let name: String
  let run: @Sendable () -> Void

  init(name: String, run: @escaping @Sendable () -> Void) {
    self.name = name
    self.run = run
  }
}

/// Starts a thread of its own for `body`.
///
/// - Parameters:
///   - name: as shown by ps, top and gdb; its first 15 bytes count.
///   - stackSize: in bytes, rounded up to whole pages and to what the system needs at least.
/// - Throws: `EAGAIN` when the system allows no more threads.
public func spawnThread(
  name: String, stackSize: Int = 1 << 20, body: @escaping @Sendable () -> Void
) throws(SystemError) -> ThreadHandle {
  var attributes = pthread_attr_t()
  var code = pthread_attr_init(&attributes)
  guard code == 0 else { throw SystemError(code: code, call: "pthread_attr_init") }
  defer { pthread_attr_destroy(&attributes) }
  let page = Int(sysconf(Int32(_SC_PAGESIZE)))
  let wanted = max(stackSize, Int(sysconf(Int32(_SC_THREAD_STACK_MIN))))
  code = pthread_attr_setstacksize(&attributes, (wanted + page - 1) / page * page)
  guard code == 0 else { throw SystemError(code: code, call: "pthread_attr_setstacksize") }

  let retained = Unmanaged.passRetained(ThreadBody(name: name, run: body))
  var thread = pthread_t()
  code = pthread_create(
    &thread, &attributes,
    { argument in
      guard let argument else { return nil }
      let body = Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue()
      body.name.withCString { clinux_name_thread($0) }
      body.run()
      return nil
    }, retained.toOpaque())
  guard code == 0 else {
    retained.release()
    throw SystemError(code: code, call: "pthread_create")
  }
  return ThreadHandle(thread)
}
