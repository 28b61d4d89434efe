/// Brings a value that cannot be copied into a thread's closure.
///
/// Unchecked, because the value is put in before the thread is started and taken out by that thread alone; `pthread_create`
/// orders the two.
final class Handoff<Value: ~Copyable & Sendable>: @unchecked Sendable {
  private var value: Value?

  init(_ value: consuming Value) {
    self.value = consume value
  }

  func take() -> Value? { value.take() }
}
