import Bytes
import Testing

@Suite("The output of a tick")
struct TickOutputTests {
  @Test("what one connection gets does not part what everybody gets")
  func sharedFramesStayTogether() {
    var output = TickOutput()
    var member = PendingSpans()
    for number in 0..<100 {
      _ = append("ok \(number)", to: &output, toLane: 0)
      verify(member.append(append("message \(number);", to: &output, toLane: 1)))
    }
    let all = text(output[member.first])
    #expect(all.hasPrefix("message 0;message 1;"))
    #expect(all.hasSuffix("message 99;"))
    #expect(member.second.isEmpty)
  }

  @Test("each range is read back as it was written, also after the output has grown")
  func readsBack() {
    var output = TickOutput()
    var ranges: [(ByteRange, String)] = []
    for number in 0..<5000 {
      let content = String(repeating: "\(number),", count: number % 50 + 1)
      ranges.append((append(content, to: &output, toLane: number % 9), content))
    }
    for (range, content) in ranges { verify(text(output[range]) == content) }
    verify(output.count == ranges.reduce(0) { $0 + $1.1.utf8.count })
    output.reset()
    verify(output.count == 0)
  }

  @Test("nothing is an empty range")
  func empty() {
    var output = TickOutput()
    verify(output.append(UnsafeRawBufferPointer(start: nil, count: 0), toLane: 0).isEmpty)
    verify(output.append(UnsafeRawBufferPointer(start: nil, count: 0), toLane: 1).isEmpty)
  }

  private func append(_ text: String, to output: inout TickOutput, toLane lane: Int) -> ByteRange {
    Array(text.utf8).withUnsafeBytes { output.append($0, toLane: lane) }
  }

  private func text(_ bytes: UnsafeRawBufferPointer) -> String { String(decoding: bytes, as: UTF8.self) }
}

@Suite("What a socket has left over")
struct SpansLeftOverTests {
  @Test("what the socket has taken is dropped from the front, over both ranges")
  func dropsFromTheFront() {
    for taken in 0...30 {
      var spans = PendingSpans()
      verify(spans.append(ByteRange(start: 100, end: 110)))
      verify(spans.append(ByteRange(start: 200, end: 220)))
      spans.removeFirst(taken)
      let left = Array(spans.first.start..<spans.first.end) + Array(spans.second.start..<spans.second.end)
      #expect(left == Array((Array(100..<110) + Array(200..<220)).map(UInt32.init).dropFirst(taken)))
      #expect(spans.isEmpty == (taken == 30))
    }
  }
}
