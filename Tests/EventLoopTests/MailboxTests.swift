import Glibc
import Testing

@testable import EventLoop

@Suite("The mailbox")
struct MailboxTests {
  private struct Posted: Sendable {
    let producer: Int
    let number: Int
  }

  @Test("delivers 100,000 messages of two threads, each in order, without losing a wake-up")
  func inOrder() throws {
    let mailbox = try Mailbox<Posted>()
    let perProducer = 50_000
    let producers = try (0..<2).map { producer in
      try spawnThread(name: "producer \(producer)") {
        var random = SeededGenerator(seed: UInt64(producer))
        for number in 0..<perProducer {
          mailbox.post(Posted(producer: producer, number: number))
          // Lets the consumer fall asleep every now and then.
          if random.next() % 64 == 0 { sched_yield() }
        }
      }
    }
    var poller = try Poller()
    try poller.add(mailbox.descriptor, .readable, token: 7)
    var next = [0, 0]
    var messages: [Posted] = []
    while next != [perProducer, perProducer] {
      if mailbox.prepareToSleep(), try poller.wait(timeoutMilliseconds: 10_000) == 0 {
        Issue.record("a wake-up was lost: \(next)")
        break
      }
      mailbox.drain(into: &messages)
      for message in messages {
        if message.number != next[message.producer] { Issue.record("out of order") }
        next[message.producer] = message.number + 1
      }
    }
    for producer in producers { producer.join() }
    #expect(next == [perProducer, perProducer])
    _ = mailbox.drain()
    #expect(mailbox.prepareToSleep())
    mailbox.drain(into: &messages)
    #expect(!isReadable(mailbox.descriptor), "no wake-up is left behind")
  }

  @Test("two threads that answer each other always wake each other")
  func pingPong() throws {
    let rounds = 5_000
    let there = try Mailbox<Int>()
    let back = try Mailbox<Int>()
    let echo = try spawnThread(name: "echo") {
      var messages: [Int] = []
      while there.waitAndDrain(into: &messages, timeoutMilliseconds: 10_000) {
        for message in messages { back.post(message) }
      }
      back.close()
    }
    var messages: [Int] = []
    for round in 0..<rounds {
      there.post(round)
      repeat {
        let before = MonotonicClock.milliseconds()
        _ = back.waitAndDrain(into: &messages, timeoutMilliseconds: 10_000)
        try #require(MonotonicClock.milliseconds() - before < 10_000, "a wake-up was lost in round \(round)")
      } while messages.isEmpty
      #expect(messages == [round])
    }
    there.close()
    while back.waitAndDrain(into: &messages) {}
    echo.join()
  }

  @Test("a busy consumer is not woken; a sleeping one once")
  func wakesOnlyWhenWanted() throws {
    let mailbox = try Mailbox<Int>()
    mailbox.post(1)
    #expect(!isReadable(mailbox.descriptor), "nobody sleeps yet")
    #expect(!mailbox.prepareToSleep(), "there is something to drain")
    #expect(mailbox.drain() == [1])
    #expect(mailbox.prepareToSleep())
    #expect(!isReadable(mailbox.descriptor))
    mailbox.post(2)
    mailbox.post(3)
    #expect(isReadable(mailbox.descriptor))
    var count: UInt64 = 0
    #expect(read(mailbox.descriptor, &count, 8) == 8)
    #expect(count == 1, "two posts write one wake-up")
    #expect(mailbox.drain() == [2, 3])
    mailbox.post(4)
    #expect(!isReadable(mailbox.descriptor), "awake since the drain")
    #expect(mailbox.drain() == [4])
  }

  @Test("draining makes the descriptor unreadable, also when a sleep was prepared twice")
  func drainSettles() throws {
    let mailbox = try Mailbox<Int>()
    for round in 0..<10 {
      #expect(mailbox.prepareToSleep())
      #expect(mailbox.prepareToSleep())
      mailbox.post(round)
      #expect(isReadable(mailbox.descriptor))
      #expect(mailbox.drain() == [round])
      #expect(!isReadable(mailbox.descriptor))
    }
  }

  @Test("a producer that writes its wake-up only after the drain leaves the descriptor readable once, not for ever")
  func lateWakeup() throws {
    let mailbox = try Mailbox<Int>()
    #expect(mailbox.prepareToSleep())
    #expect(mailbox.claimWakeup())
    #expect(!mailbox.claimWakeup(), "one producer wakes")
    #expect(mailbox.drain() == [])
    mailbox.writeWakeup()
    #expect(isReadable(mailbox.descriptor))
    #expect(mailbox.drain() == [])
    #expect(!isReadable(mailbox.descriptor))
    #expect(mailbox.prepareToSleep())
    mailbox.post(1)
    #expect(isReadable(mailbox.descriptor), "the late one has not used up the next")
    #expect(mailbox.drain() == [1])
    #expect(!isReadable(mailbox.descriptor))
  }

  @Test("a poller does not sleep on a mailbox that has something")
  func pollerLooksFirst() throws {
    let mailbox = try Mailbox<Int>()
    var poller = try Poller()
    try poller.add(mailbox.descriptor, .readable, token: 7)
    mailbox.post(1)
    verify(try poller.wait(timeoutMilliseconds: -1, sleepingOn: mailbox) == 0)
    #expect(mailbox.drain() == [1])
    let thread = try spawnThread(name: "producer") { mailbox.post(2) }
    var messages: [Int] = []
    while messages.isEmpty {
      try poller.wait(timeoutMilliseconds: 10_000, sleepingOn: mailbox)
      mailbox.drain(into: &messages)
    }
    #expect(messages == [2])
    thread.join()
  }

  @Test("what is posted right before closing arrives")
  func nothingIsLostAtTheEnd() throws {
    for round in 0..<500 {
      let mailbox = try Mailbox<Int>()
      let producer = try spawnThread(name: "producer") {
        for number in 0..<(round % 5) { mailbox.post(number) }
        mailbox.post(-1)
        mailbox.close()
      }
      var all: [Int] = []
      var messages: [Int] = []
      while mailbox.waitAndDrain(into: &messages, timeoutMilliseconds: round % 2 == 0 ? 0 : 10_000) { all += messages }
      producer.join()
      #expect(all == Array(0..<(round % 5)) + [-1])
    }
  }

  @Test("closing wakes the consumer once, keeps what was posted before and refuses the rest")
  func closing() throws {
    let mailbox = try Mailbox<Int>()
    #expect(mailbox.post(1))
    _ = mailbox.drain()
    #expect(mailbox.prepareToSleep())
    mailbox.close()
    #expect(isReadable(mailbox.descriptor))
    #expect(mailbox.isClosed)
    #expect(!mailbox.post(3))
    var left: [Int] = []
    #expect(!mailbox.drain(into: &left), "nothing more can come")
    #expect(left == [])
    #expect(mailbox.prepareToSleep(), "a closed mailbox does not keep its consumer awake")
    mailbox.close()
    #expect(!isReadable(mailbox.descriptor))

    let other = try Mailbox<Int>()
    other.post(1)
    other.close()
    var messages: [Int] = []
    #expect(other.waitAndDrain(into: &messages))
    #expect(messages == [1])
    #expect(!other.waitAndDrain(into: &messages, timeoutMilliseconds: 0))
  }
}

@Suite("Threads")
struct ThreadTests {
  @Test("a lock keeps threads apart")
  func locked() throws {
    let counter = Locked(0)
    let threads = try (0..<4).map { _ in
      try spawnThread(name: "counter") { for _ in 0..<10_000 { counter.withLock { $0 += 1 } } }
    }
    for thread in threads { thread.join() }
    #expect(counter.withLock { $0 } == 40_000)
  }

  @Test("a lock is free again after an error")
  func lockedThrows() {
    let value = Locked(1)
    #expect(throws: NothingHappened.self) {
      try value.withLock { (number) throws(NothingHappened) in
        number = 2
        throw NothingHappened()
      }
    }
    #expect(value.withLock { $0 } == 2)
  }

  @Test("join waits for the body; the thread carries its name and at least its stack")
  func spawn() throws {
    let name = Locked("")
    let thread = try spawnThread(name: "a name longer than fifteen", stackSize: 100_001) {
      // Would overrun a stack that was rounded down.
      _ = withUnsafeTemporaryAllocation(byteCount: 60_000, alignment: 1) {
        $0.initializeMemory(as: UInt8.self, repeating: 1)
      }
      let file = FileDescriptor(owning: open("/proc/thread-self/comm", O_RDONLY))
      var text = [UInt8](repeating: 0, count: 32)
      let count = read(file.rawValue, &text, text.count)
      let found = String(decoding: text.prefix(max(count, 0)), as: UTF8.self)
      name.withLock { $0 = found }
    }
    thread.join()
    thread.join()
    #expect(name.withLock { $0 } == "a name longer t\n")
  }
}
