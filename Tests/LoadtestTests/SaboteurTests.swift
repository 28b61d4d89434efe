import Testing

@testable import loadtest

@Suite("The lies that are planted")
struct SaboteurTests {
  private static let head = Array("HTTP/1.1 101 Switching Protocols\r\n\r\n".utf8)

  private static func frame(_ text: String) -> [UInt8] {
    let payload = Array(text.utf8)
    return payload.count < 126
      ? [0x81, UInt8(payload.count)] + payload
      : [0x81, 126, UInt8(payload.count >> 8), UInt8(payload.count & 0xFF)] + payload
  }

  private static func message(_ number: Int) -> [UInt8] {
    frame(#"{"type":"chat.message","seq":\#(number),"text":"\#(number) abcdefghijklmnopqrstuvwxyz"}"#)
  }

  private func pass(_ sabotage: Sabotage, _ input: [UInt8], pieces: Int) -> [UInt8] {
    var saboteur = Saboteur(sabotage)
    var output: [UInt8] = []
    var start = 0
    while start < input.count {
      let end = min(input.count, start + pieces)
      output += Array(input[start..<end]).withUnsafeBytes { saboteur.pass($0) }
      start = end
    }
    return output
  }

  @Test("one message is lost, doubled, swapped or changed, the others pass as they are", arguments: [1, 7, 100_000])
  func messages(pieces: Int) {
    let frames = (1...6).map(Self.message)
    let input = Self.head + frames.joined()
    func joined(_ numbers: [Int]) -> [UInt8] { Self.head + numbers.flatMap { frames[$0 - 1] } }
    #expect(pass(.lost, input, pieces: pieces) == joined([1, 2, 3, 5, 6]))
    #expect(pass(.duplicate, input, pieces: pieces) == joined([1, 2, 3, 4, 4, 5, 6]))
    #expect(pass(.reordered, input, pieces: pieces) == joined([1, 2, 3, 5, 4, 6]))
    let changed = pass(.text, input, pieces: pieces)
    #expect(changed.count == input.count)
    #expect(zip(changed, input).count { $0 != $1 } == 1)
    #expect(pass(.attendance, input, pieces: pieces) == input)
  }

  @Test("a count is another one")
  func count() {
    let frames = (1...3).map { Self.frame(#"{"type":"presence.count","presence_seq":\#($0),"count":\#($0 + 5)}"#) }
    let output = pass(.count, Self.head + frames.joined(), pieces: 11)
    #expect(
      output == Self.head + frames[0] + Self.frame(#"{"type":"presence.count","presence_seq":2,"count":8}"#) + frames[2]
    )
  }

  @Test("the length of a frame is known when its header is whole")
  func lengths() {
    #expect(Saboteur.frameLength([0x81]) == nil)
    #expect(Saboteur.frameLength([0x81, 5]) == 7)
    #expect(Saboteur.frameLength([0x81, 126, 1]) == nil)
    #expect(Saboteur.frameLength([0x81, 126, 1, 0]) == 260)
    #expect(Saboteur.frameLength([0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]) == 65_546)
  }
}
