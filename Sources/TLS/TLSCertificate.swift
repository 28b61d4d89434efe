import COpenSSL
import OpenSSLSupport

/// What a certificate says.
public struct TLSCertificate: ~Copyable {
  private let certificate: OpaquePointer

  /// Reads the first certificate of a PEM text.
  public init(pem: [UInt8]) throws(TLSCredentialError) {
    let certificates = try PEM.certificates(pem)
    for other in certificates.dropFirst() { X509_free(other) }
    certificate = certificates[0]
  }

  deinit { X509_free(certificate) }

  /// Whether it holds at this time, in seconds since 1970.
  public func isValid(atUnixSeconds seconds: Int64) -> Bool {
    var time = Int(seconds)
    // X509_cmp_time: -1 when the certificate's time is at or before the given one, 1 when it is after it.
    return X509_cmp_time(X509_get0_notBefore(certificate), &time) < 0
      && X509_cmp_time(X509_get0_notAfter(certificate), &time) > 0
  }

  /// Whether it is for this name or numeric address.
  public func covers(_ host: String) -> Bool {
    X509_check_ip_asc(certificate, host, 0) == 1
      || X509_check_host(certificate, host, host.utf8.count, UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS), nil) == 1
  }
}

/// A certificate that its own key has signed: for trying things on a local network, where every browser asks first.
public struct SelfSignedCertificate: Sendable {
  /// PEM.
  public let certificate: [UInt8]
  /// PEM, not encrypted.
  public let privateKey: [UInt8]

  /// Makes a key (ECDSA on P-256) and a certificate of it.
  ///
  /// - Parameters:
  ///   - hosts: names and numeric addresses that it is for, at least one; letters, digits, `.`, `-`, `_` and `:` alone.
  ///   - begin: from when it holds, in seconds since 1970.
  ///   - end: until when.
  public init(hosts: [String], validFromUnixSeconds begin: Int64, to end: Int64) throws(TLSCredentialError) {
    OpenSSLErrors.clear()
    guard let first = hosts.first, hosts.allSatisfy(Self.canName) else { throw .refused("not a host") }
    guard let key = copenssl_generate_p256() else { throw .refused(OpenSSLErrors.takeReason()) }
    defer { EVP_PKEY_free(key) }
    guard let certificate = X509_new() else { throw .refused(OpenSSLErrors.takeReason()) }
    defer { X509_free(certificate) }
    guard Self.fill(certificate, key, name: first, from: begin, to: end), Self.extend(certificate, hosts),
      X509_sign(certificate, key, EVP_sha256()) > 0,
      let certificateText = PEM.text({ PEM_write_bio_X509($0, certificate) }),
      let keyText = PEM.text({ PEM_write_bio_PKCS8PrivateKey($0, key, nil, nil, 0, nil, nil) })
    else { throw .refused(OpenSSLErrors.takeReason()) }
    self.certificate = certificateText
    privateKey = keyText
  }

  /// Whether a certificate can be for this name or address: it is nothing that means something else in a list of them.
  public static func canName(_ host: String) -> Bool {
    let others = Array(".-_:".utf8)
    return !host.isEmpty && host.utf8.count <= 253
      && host.utf8.allSatisfy { byte in
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
          || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || others.contains(byte)
      }
  }

  private static func fill(
    _ certificate: OpaquePointer, _ key: OpaquePointer, name: String, from begin: Int64, to end: Int64
  ) -> Bool {
    // RFC 5280, 4.1.2.2: unique and positive. 4.1.2.5: UTCTime or GeneralizedTime as the year wants it.
    let serial = (1...16).map { $0 == 1 ? UInt8.random(in: 1...0x7F) : UInt8.random(in: 0...0xFF) }
    guard let number = BN_bin2bn(serial, Int32(serial.count), nil) else { return false }
    defer { BN_free(number) }
    // 64 characters are what a common name may have (RFC 5280, A.1); what counts are the alternative names.
    let commonName = Array(name.utf8.prefix(64))
    let subject = X509_get_subject_name(certificate)
    return X509_set_version(certificate, Int(X509_VERSION_3)) == 1
      && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != nil
      && ASN1_TIME_set(X509_getm_notBefore(certificate), Int(begin)) != nil
      && ASN1_TIME_set(X509_getm_notAfter(certificate), Int(end)) != nil
      && X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, commonName, Int32(commonName.count), -1, 0) == 1
      && X509_set_issuer_name(certificate, subject) == 1 && X509_set_pubkey(certificate, key) == 1
  }

  private static func extend(_ certificate: OpaquePointer, _ hosts: [String]) -> Bool {
    let names = hosts.map { host in
      let isAddress = a2i_IPADDRESS(host).map { address in
        ASN1_OCTET_STRING_free(address)
        return true
      }
      return (isAddress ?? false ? "IP:" : "DNS:") + host
    }
    OpenSSLErrors.clear()
    let extensions: [(Int32, String)] = [
      (NID_basic_constraints, "critical,CA:FALSE"), (NID_key_usage, "critical,digitalSignature"),
      (NID_ext_key_usage, "serverAuth"), (NID_subject_alt_name, names.joined(separator: ",")),
      (NID_subject_key_identifier, "hash"), (NID_authority_key_identifier, "keyid:always"),
    ]
    return extensions.allSatisfy { copenssl_add_extension(certificate, $0.0, $0.1) == 1 }
  }
}
