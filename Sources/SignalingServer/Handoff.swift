/// Brings a value that cannot be copied to another thread, in the closure that starts it or in a message.
///
/// Unchecked, because the value is put in before the thread is started, or the message posted, and taken out by that thread
/// alone; `pthread_create` and the mailbox's lock order the two.
final class Handoff<Value: ~Copyable & Sendable>: @unchecked Sendable {
  private var value: Value?

  init(_ value: consuming Value) {
    self.value = consume value
  }

  func take() -> Value? { value.take() }
}
