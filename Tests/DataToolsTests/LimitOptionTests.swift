import SignalingServer
import Testing

@Suite("rollcall serve and its limits")
struct LimitOptionTests {
  @Test("every setting of every limit is an option, with its default")
  func help() throws {
    let run = try Program.run("serve", "--help")
    #expect(run.code == 0)
    let words = Set(run.output.split(whereSeparator: \.isWhitespace).map(String.init))
    for setting in Limit.allCases.flatMap(\.settings) {
      #expect(words.contains("--\(setting.option)"), "\(setting.option)")
    }
    let text = run.output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    #expect(text.contains("all fragments together. (default: 65536)") && text.contains("(default: 25s)"))
  }

  @Test(
    "a value that is out of its range is refused with the range",
    arguments: [
      ("--message-bytes", "1", "16384 to 16777216"), ("--handshake-time", "1ms", "100ms to 1d"),
      ("--connections", "-1", "0 to 10000000"),
    ])
  func range(_ option: String, _ value: String, _ range: String) throws {
    let run = try Program.run("serve", "\(option)=\(value)")
    #expect(run.code == 2)
    #expect(run.complaint.contains("\(option) takes \(range)"), "\(run.complaint)")
  }

  @Test("a proxy that is no network is refused")
  func proxy() throws { #expect(try Program.run("serve", "--trusted-proxy", "nowhere").code == 2) }
}
