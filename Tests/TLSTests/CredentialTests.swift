import TLS
import Testing

@Suite("Certificates and keys")
struct CredentialTests {
  /// Password: `secret`.
  private let encryptedKey = """
    -----BEGIN ENCRYPTED PRIVATE KEY-----
    MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAj3bVvSo7zq4wICCAAw
    DAYIKoZIhvcNAgkFADAdBglghkgBZQMEAQIEEOIyQ0Qw3l9O71Tl3WxlfScEgZAV
    BasgXi5GNgWW4a4tEGpTFRUw2IZU3Z3GSYBC1fKSCZ4K/qeMzGnG1menHzFSAt6j
    dRhjqlALc9Id2Zc4tMhRUbXX6oyrGuJBGXNmpC4mP8+NbtrEChwJ9q7J51kweqf1
    gEmOX7AjaXFOfzA1FPQpaZNx2q5HO3XhfTFjfhmRK2sxWYuFGi8N/tdClz9cTIw=
    -----END ENCRYPTED PRIVATE KEY-----

    """

  /// RSA of 1024 bits.
  private let weakKey = """
    -----BEGIN PRIVATE KEY-----
    MIICdwIBADANBgkqhkiG9w0BAQEFAASCAmEwggJdAgEAAoGBAMJ3tejMbqBrW9rn
    3huRc1oWsj2bSyvwhNySIm1l7STj2nn9cLoSDwMpgtW2wi8uJfC/v+xGRxVXKrZO
    fNha1s5fe641AL3jEvdhBerwDH08bRw+7Bge4Ql0xC5vRIZaWYCDHX4Tbz/PFC2O
    h9UXwd6rukc0A4Zcs+ZvBGsJUKTDAgMBAAECgYAqZlFqNZB1N5Mqcl2R4y+kV8h6
    +C32oZVGRjJtaci/v1I2QNTgLOnLBbT6BcPm54fsKtKcoGIFPCEa6Jf90Ch/Kqgs
    w3j839jTiBM60nSshxOuHGQ/h4zRPDC7PcPptKcGVOcPhwazk7s+qzaGxf74Xg4V
    6lhQ+fvaCkF4yE3D+QJBAPgaGqSYo0Wliwg1pfYhLKcjceOmqoLrAkQzPt/ob506
    RZuQeyaI/1bWOS2tRHn8wxmyQJKTIR3FZQVrHed1wxcCQQDIqIQJjuvkryrwFOOb
    7HGbSS2pJSUpOLb/g1kKMC+9O/xBBATXQMCGTyWMmdExlJ7t4ME8FbMVvwKVhPdR
    t2c1AkEAmkzp2wpPKQae5FkxQVU6hyxlLXc/PrLYMwBID0to9zkBh5Gg9cNoQmJz
    JzRGjTOlRzr0K/SzOOfGP0tySryTuwJBAKFws4rdKn17UZiHtfila2H8pngIIrXf
    o5xAGUtRKZeew32rthlZR4zH8PYGa4Dwik3pHo8xBjzgyTtzF2jvnmECQGbfn3+8
    25JClW1n8m6PJXH6wGp9RD6kG6qWvdFY86rLQRJBbaaLRvVfEuWzsesizzfr3QGx
    oeGAUvP52x2R7d0=
    -----END PRIVATE KEY-----
    """

  private let weakCertificate = """
    -----BEGIN CERTIFICATE-----
    MIICBjCCAW+gAwIBAgIUfg8qsDAia5TgNBUgK7Sk7UVabhIwDQYJKoZIhvcNAQEL
    BQAwFDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMTEzNTcxNFoYDzIxMjYx
    MDI4MTM1NzE0WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwgZ8wDQYJKoZIhvcNAQEB
    BQADgY0AMIGJAoGBAMJ3tejMbqBrW9rn3huRc1oWsj2bSyvwhNySIm1l7STj2nn9
    cLoSDwMpgtW2wi8uJfC/v+xGRxVXKrZOfNha1s5fe641AL3jEvdhBerwDH08bRw+
    7Bge4Ql0xC5vRIZaWYCDHX4Tbz/PFC2Oh9UXwd6rukc0A4Zcs+ZvBGsJUKTDAgMB
    AAGjUzBRMB0GA1UdDgQWBBTSVNH7oyXWDeinGyw3lkipBqEahTAfBgNVHSMEGDAW
    gBTSVNH7oyXWDeinGyw3lkipBqEahTAPBgNVHRMBAf8EBTADAQH/MA0GCSqGSIb3
    DQEBCwUAA4GBAAVQXIF5E6Q5qVf4iEf6ikPzfy7suI45bbF/wafwImtncM1OiD5D
    L0aUtGLq6C0z66jM0IsoSDuq6CLabGh5Zyl/PRe4UO5XXwDYYD8m8xRPnPj0899Q
    ZQVPDsjO5bNDVFWh6mcFYMQuiR3SsJokAl6bdLFjthgn/+5DHzHCujjy
    -----END CERTIFICATE-----
    """

  @Test("a certificate with its key is good, also in a text with more in it")
  func good() throws {
    let own = try Samples.own.get()
    let together = own.privateKey + own.certificate
    _ = try TLSServerContext(certificateChain: together, privateKey: together)
  }

  @Test("a chain is sent whole")
  func chain() throws {
    let own = try Samples.own.get()
    let context = try TLSServerContext(
      certificateChain: own.certificate + Samples.other.get().certificate, privateKey: own.privateKey)
    let alone = try End(server: Samples.server())
    let server = try End(server: context)
    for end in [alone, server] { end.receive(try End(client: Samples.client()).takeOutput()) }
    #expect(server.takeOutput().count > alone.takeOutput().count + 300)
  }

  @Test("each thing that can be wrong has its own name")
  func wrong() throws {
    let own = try Samples.own.get()
    func error(_ certificate: [UInt8], _ key: [UInt8]) -> TLSCredentialError? {
      do throws(TLSCredentialError) {
        _ = try TLSServerContext(certificateChain: certificate, privateKey: key)
        return nil
      } catch {
        return error
      }
    }
    #expect(error([], own.privateKey) == .noCertificate)
    #expect(error(own.privateKey, own.privateKey) == .noCertificate)
    #expect(error(own.certificate, []) == .noPrivateKey)
    #expect(error(own.certificate, own.certificate) == .noPrivateKey)
    #expect(error(own.certificate, Array(encryptedKey.utf8)) == .encryptedPrivateKey)
    #expect(try error(own.certificate, Samples.other.get().privateKey) == .mismatch)
    let cut = Array(own.certificate.dropLast(own.certificate.count / 2))
    guard case .refused = error(cut, own.privateKey) else {
      Issue.record("a certificate that is cut: \(String(describing: error(cut, own.privateKey)))")
      return
    }
    guard case .refused(let reason) = error(Array(weakCertificate.utf8), Array(weakKey.utf8)) else {
      Issue.record("a key of 1024 bits")
      return
    }
    #expect(reason.contains("too small"))
  }

  @Test("a certificate of our own making is for the names it was made for, and for its time")
  func selfSigned() throws {
    let made = try SelfSignedCertificate(
      hosts: ["school.example", "localhost", "192.0.2.1", "2001:db8::1"], validFromUnixSeconds: 1_000_000_000,
      to: 1_000_086_400)
    let certificate = try TLSCertificate(pem: made.certificate)
    let hosts = [
      "school.example", "192.0.2.1", "2001:db8::1", "other.example", "192.0.2.2", "2001:db8::2", "a.localhost",
    ]
    let areCovered = hosts.map { certificate.covers($0) }
    #expect(areCovered == [true, true, true, false, false, false, false])
    let areValid = [999_999_999, 1_000_000_001, 1_000_086_401].map { certificate.isValid(atUnixSeconds: $0) }
    #expect(areValid == [false, true, false])
  }

  @Test("two certificates of our own making have different keys and numbers")
  func unique() throws {
    #expect(try Samples.own.get().privateKey != Samples.other.get().privateKey)
  }

  @Test("a host that would mean something else in a certificate is refused", arguments: ["a,DNS:b", "", "a b", "é"])
  func hosts(host: String) {
    #expect(throws: TLSCredentialError.self) {
      try SelfSignedCertificate(hosts: [host], validFromUnixSeconds: 0, to: 1)
    }
  }
}
