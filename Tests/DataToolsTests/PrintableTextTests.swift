import Testing

@testable import DataTools

@Suite("Text of users on a terminal")
struct PrintableTextTests {
  @Test(
    "what could drive a terminal is written out, and what is only text stays",
    arguments: [
      ("Grüße, 世界 👩‍🏫", "Grüße, 世界 👩‍🏫"), ("a\u{1B}[2Jb", "a\\u{1B}[2Jb"), ("\u{9B}31m", "\\u{9B}31m"),
      ("line\nline\r", "line\\u{A}line\\u{D}"), ("\u{202E}txt.exe", "\\u{202E}txt.exe"), ("\\u{1B}", "\\\\u{1B}"),
      ("\u{2028}", "\\u{2028}"), ("\u{7F}", "\\u{7F}"), ("\u{FEFF}", "\\u{FEFF}"),
    ])
  func escaping(_ text: String, _ shown: String) {
    #expect(PrintableText.escaped(text) == shown)
  }

  @Test("JSON stays the same value when it is made harmless")
  func json() {
    #expect(
      PrintableText.escaped(json: Array("{\"a\":\"é\u{9B}\u{7F}\u{202E}\u{E0001}\"}".utf8))
        == "{\"a\":\"é\\u009b\\u007f\\u202e\\udb40\\udc01\"}")
  }

  @Test(
    "figures are rounded down and have units",
    arguments: [
      (0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (41_062, "40.0 KiB"), (1 << 20, "1.0 MiB"), (3 << 30, "3.0 GiB"),
      (UInt64.max, "1677721 TiB"),
    ] as [(UInt64, String)])
  func bytes(_ count: UInt64, _ shown: String) {
    #expect(Figures.bytes(count) == shown)
  }
}
