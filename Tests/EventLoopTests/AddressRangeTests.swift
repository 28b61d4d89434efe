import EventLoop
import Testing

@Suite("Networks")
struct AddressRangeTests {
  private func contains(_ range: String, _ host: String) throws -> Bool {
    let range = try #require(AddressRange(range))
    return range.contains(try #require(SocketAddress.numericHostBytes(host)))
  }

  @Test(
    "a network holds the addresses that begin like it",
    arguments: [
      ("10.0.0.0/8", "10.255.255.255", true), ("10.0.0.0/8", "11.0.0.0", false), ("192.0.2.1", "192.0.2.1", true),
      ("192.0.2.1", "192.0.2.2", false), ("192.0.2.128/25", "192.0.2.127", false),
      ("192.0.2.128/25", "192.0.2.200", true),
      ("0.0.0.0/0", "203.0.113.9", true), ("0.0.0.0/0", "2001:db8::1", false),
      ("2001:db8::/32", "2001:db8:ffff::1", true),
      ("2001:db8::/33", "2001:db8:8000::", false), ("10.0.0.0/8", "::ffff:10.1.2.3", true), ("::1", "::1", true),
    ])
  func members(_ range: String, _ host: String, _ isMember: Bool) throws {
    #expect(try contains(range, host) == isMember)
  }

  @Test(
    "what is no network is none",
    arguments: [
      "", "localhost", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/", "10.0.0/8", "::/129", "1/2/3",
    ])
  func malformed(_ text: String) { #expect(AddressRange(text) == nil) }

  @Test("a process counts what it has open")
  func process() throws {
    let before = ProcessFigures()
    let mailboxes = try (0..<20).map { _ in try Mailbox<Int>() }
    let after = ProcessFigures()
    // Other tests run beside this one.
    #expect(after.openDescriptors > 20 && after.openDescriptors <= after.maximumDescriptors)
    #expect(after.processorSeconds >= before.processorSeconds && after.processorSeconds > 0)
    #expect(after.residentBytes > 1 << 20 && after.virtualBytes >= after.residentBytes && after.threads >= 1)
    withExtendedLifetime(mailboxes) {}
  }
}
