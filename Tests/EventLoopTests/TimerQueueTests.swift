import EventLoop
import Testing

@Suite("The timer queue")
struct TimerQueueTests {
  @Test("does what a sorted list does", arguments: [1 as UInt64, 2, 3, 4])
  func model(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var queue = TimerQueue<Int>()
    var model: [(deadline: Int64, token: Int, id: TimerID)] = []
    var gone: [TimerID] = []
    var now: Int64 = 0
    for step in 0..<20_000 {
      switch Int.random(in: 0..<100, using: &random) {
      case 0..<50:
        let deadline = now + Int64.random(in: -5...200, using: &random)
        let id = queue.schedule(deadline: deadline, token: step)
        let place = model.firstIndex { $0.deadline > deadline } ?? model.count
        model.insert((deadline, step, id), at: place)
      case 50..<80 where !model.isEmpty:
        let place = Int.random(in: 0..<model.count, using: &random)
        let id = model.remove(at: place).id
        verify(queue.cancel(id))
        gone.append(id)
      case 80..<85:
        if let id = gone.randomElement(using: &random) { verify(!queue.cancel(id), "cancelled or expired before") }
      default:
        now += Int64.random(in: 0...20, using: &random)
        while let token = queue.popExpired(now: now) {
          let first = model.removeFirst()
          #expect(first.token == token)
          #expect(first.deadline <= now)
          gone.append(first.id)
        }
        #expect(model.allSatisfy { $0.deadline > now })
      }
      verify(queue.count == model.count)
      verify(queue.isEmpty == model.isEmpty)
      verify(queue.nextDeadline() == model.first?.deadline)
      if let timer = model.randomElement(using: &random) { verify(queue.isScheduled(timer.id)) }
    }
  }

  @Test("timers of one deadline expire in the order in which they were scheduled")
  func ties() {
    var queue = TimerQueue<Int>()
    for token in 0..<100 { queue.schedule(deadline: 5, token: token) }
    verify(queue.popExpired(now: 4) == nil)
    for token in 0..<100 { verify(queue.popExpired(now: 5) == token) }
    verify(queue.popExpired(now: .max) == nil)
  }

  @Test("timers set anew again and again take no more memory")
  func cancelledTimersLeave() {
    final class Counted {
      let alive: Locked<Int>

      init(_ alive: Locked<Int>) {
        self.alive = alive
        alive.withLock { $0 += 1 }
      }

      deinit { alive.withLock { $0 -= 1 } }
    }
    let alive = Locked(0)
    var queue = TimerQueue<Counted>()
    var ids = (0..<100).map { queue.schedule(deadline: Int64($0), token: Counted(alive)) }
    for round in 0..<10_000 {
      queue.cancel(ids[round % 100])
      ids[round % 100] = queue.schedule(deadline: Int64(round), token: Counted(alive))
      if alive.withLock({ $0 }) > 300 { Issue.record("cancelled timers pile up") }
    }
    verify(queue.count == 100)
  }

  @Test("the wait until the next timer fits a poller")
  func timeouts() {
    var queue = TimerQueue<Int>()
    verify(queue.timeoutMilliseconds(now: 0) == -1)
    let far = queue.schedule(deadline: .max, token: 0)
    verify(queue.timeoutMilliseconds(now: -1) == .max)
    verify(queue.timeoutMilliseconds(now: 0) == .max)
    let near = queue.schedule(deadline: 100, token: 1)
    verify(queue.timeoutMilliseconds(now: 58) == 42)
    verify(queue.timeoutMilliseconds(now: 100) == 0)
    verify(queue.timeoutMilliseconds(now: 500) == 0)
    queue.cancel(near)
    queue.cancel(far)
    verify(queue.timeoutMilliseconds(now: 0) == -1)
  }
}
