import Foundation
import Testing

/// The golden conversations of `protocol/vectors`, over real sockets.
@Suite("Golden conversations")
struct VectorReplayTests {
  @Test("all vectors are found")
  func names() { #expect(VectorReplay.names.count > 50) }

  @Test("the server says what the vector says", arguments: VectorReplay.names)
  func replay(_ name: String) async throws { try await OwnThreads.run { try VectorReplay.run(name) } }
}

/// Threads for work that blocks, so that it does not hold up the tests beside it; a few at a time.
private enum OwnThreads {
  private static let places = DispatchSemaphore(value: 8)

  static func run(_ work: @escaping @Sendable () throws -> Void) async throws {
    try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
      Thread.detachNewThread {
        places.wait()
        defer { places.signal() }
        continuation.resume(with: Result(catching: work))
      }
    }
  }
}
