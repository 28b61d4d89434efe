import Testing

@testable import loadtest

@Suite("What was said, and whether all agree")
struct ChatLedgerTests {
  private func ledger(messages: Int) -> ChatLedger {
    var ledger = ChatLedger()
    for place in 0..<messages { _ = ledger.send(by: place, due: 0) }
    return ledger
  }

  @Test("answer and event with the same number agree, in either order")
  func consistent() {
    var ledger = ledger(messages: 2)
    expect(ledger.acknowledge(1, as: 10), is: .consistent)
    expect(ledger.see(1, as: 10), is: .consistent)
    expect(ledger.see(1, as: 10), is: .consistent)
    expect(ledger.see(2, as: 11), is: .consistent)
    #expect(ledger.unacknowledgedCount == 1)
    expect(ledger.acknowledge(2, as: 11), is: .consistent)
    #expect(ledger.unacknowledgedCount == 0)
    #expect(ledger.lastSequence == 11)
  }

  @Test("one message under two numbers contradicts")
  func twoNumbers() {
    var ledger = ledger(messages: 1)
    expect(ledger.see(1, as: 10), is: .consistent)
    expect(ledger.see(1, as: 11), is: .contradiction)
  }

  @Test("two messages under one number contradict")
  func oneNumber() {
    var ledger = ledger(messages: 2)
    expect(ledger.see(1, as: 10), is: .consistent)
    expect(ledger.see(2, as: 10), is: .contradiction)
  }

  @Test("an answer with another number than the event contradicts, in either order")
  func wrongAnswer() {
    var ledger = ledger(messages: 2)
    expect(ledger.see(1, as: 10), is: .consistent)
    expect(ledger.acknowledge(1, as: 11), is: .contradiction)
    expect(ledger.acknowledge(2, as: 12), is: .consistent)
    expect(ledger.see(2, as: 13), is: .contradiction)
  }

  @Test("a number that is a message for one and a change of state for another contradicts, in either order")
  func otherKind() {
    var ledger = ledger(messages: 2)
    expect(ledger.see(1, as: 10), is: .consistent)
    expect(ledger.seeOther(10), is: .contradiction)
    expect(ledger.seeOther(11), is: .consistent)
    expect(ledger.seeOther(11), is: .consistent)
    expect(ledger.see(2, as: 11), is: .contradiction)
    #expect(ledger.lastSequence == 11)
  }

  @Test("a second answer, and a message that nobody sent, contradict")
  func invented() {
    var ledger = ledger(messages: 1)
    expect(ledger.acknowledge(1, as: 1), is: .consistent)
    expect(ledger.acknowledge(1, as: 1), is: .contradiction)
    expect(ledger.see(2, as: 2), is: .contradiction)
    expect(ledger.see(0, as: 2), is: .contradiction)
  }

  @Test("a text is known again by its number, and damage shows")
  func texts() {
    let texts = ChatText(byteCount: 32)
    func number(_ text: String) -> Int? { Array(text.utf8).withUnsafeBytes { texts.message(of: $0) } }
    for message in [1, 9, 10, 123_456] {
      #expect(texts.text(of: message).utf8.count == 32)
      #expect(number(texts.text(of: message)) == message)
    }
    let text = texts.text(of: 17)
    #expect(number(String(text.dropLast())) == nil)
    #expect(number(text + "x") == nil)
    #expect(number(String(text.dropLast()) + "?") == nil)
    #expect(number("") == nil)
    #expect(number("17") == nil)
    #expect(number("99999999999999999999999 a") == nil)
  }
}

@Suite("Signals there and back")
struct SignalLedgerTests {
  @Test("a signal that reaches the partner and comes back is complete")
  func complete() {
    var ledger = SignalLedger()
    let first = ledger.send(by: 1, due: 5)
    let second = ledger.send(by: 1, due: 6)
    expect(ledger.reach(first, from: 1), is: true)
    expect(ledger.reach(second, from: 1), is: true)
    expect(ledger.complete(first, at: 1)?.due, is: 5)
    #expect(ledger.outstandingCount == 1)
    expect(ledger.complete(second, at: 1)?.due, is: 6)
    #expect(ledger.outstandingCount == 0)
    #expect(ledger.misdelivered == 0)
    #expect(ledger.reordered == 0)
  }

  @Test("a signal that comes twice, from another peer or to another peer is noticed")
  func misdelivered() {
    var ledger = SignalLedger()
    let signal = ledger.send(by: 1, due: 0)
    expect(ledger.complete(signal, at: 1) == nil, is: true)
    expect(ledger.reach(signal, from: 3), is: false)
    expect(ledger.reach(signal, from: 1), is: true)
    expect(ledger.reach(signal, from: 1), is: false)
    expect(ledger.complete(signal, at: 2) == nil, is: true)
    expect(ledger.complete(signal, at: 1) != nil, is: true)
    expect(ledger.complete(signal, at: 1) == nil, is: true)
    expect(ledger.reach(7, from: 1), is: false)
    #expect(ledger.misdelivered == 6)
  }

  @Test("a signal that overtakes another of its pair is noticed, one of another pair is not")
  func reordered() {
    var ledger = SignalLedger()
    let first = ledger.send(by: 1, due: 0)
    let other = ledger.send(by: 3, due: 0)
    let second = ledger.send(by: 1, due: 0)
    expect(ledger.reach(second, from: 1), is: true)
    expect(ledger.reach(other, from: 3), is: true)
    #expect(ledger.reordered == 0)
    expect(ledger.reach(first, from: 1), is: true)
    #expect(ledger.reordered == 1)
  }

  @Test("what was on its way when a connection broke may be lost, or come; of other pairs and later it may not")
  func excused() {
    var ledger = SignalLedger()
    let first = ledger.send(by: 1, due: 0)
    let second = ledger.send(by: 1, due: 0)
    let other = ledger.send(by: 3, due: 0)
    ledger.excuse(initiator: 1)
    #expect(ledger.outstandingCount == 1)
    let later = ledger.send(by: 1, due: 0)
    #expect(ledger.outstandingCount == 2)
    // It comes all the same.
    expect(ledger.reach(second, from: 1), is: true)
    expect(ledger.complete(second, at: 1) != nil, is: true)
    #expect(ledger.outstandingCount == 2)
    expect(ledger.reach(first, from: 1), is: true)
    #expect(ledger.reordered == 1)
    for signal in [other, later] {
      let initiator = signal == other ? 3 : 1
      expect(ledger.reach(signal, from: initiator), is: true)
      expect(ledger.complete(signal, at: initiator) != nil, is: true)
    }
    #expect(ledger.outstandingCount == 0)
  }
}
