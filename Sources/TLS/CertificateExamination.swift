import COpenSSL
import Glibc
import OpenSSLSupport

/// What a certificate and its chain are worth to somebody who knows the system's authorities alone.
public struct CertificateExamination: Sendable {
  /// Whether it is believed.
  public enum Trust: Equatable, Sendable {
    case trusted
    /// It is its own issuer.
    case selfSigned
    /// The certificate of an issuer is missing.
    case incomplete
    /// OpenSSL's words.
    case refused(String)
  }

  /// From when it holds, in seconds since 1970.
  public let notBefore: Int64
  /// Until when, in seconds since 1970.
  public let notAfter: Int64
  /// The names and addresses that it is for.
  public let names: [String]
  public let trust: Trust
  private let pem: [UInt8]

  /// Reads a PEM text: the certificate first, its chain behind it.
  public init(pem: [UInt8]) throws(TLSCredentialError) {
    let certificates = try PEM.certificates(pem)
    defer { for certificate in certificates { X509_free(certificate) } }
    let own = certificates[0]
    self.pem = pem
    notBefore = Self.seconds(X509_get0_notBefore(own))
    notAfter = Self.seconds(X509_get0_notAfter(own))
    names = Self.names(of: own)
    trust = Self.trust(own, chain: Array(certificates.dropFirst()))
  }

  /// Whether it is for this name or numeric address.
  public func covers(_ host: String) -> Bool { (try? TLSCertificate(pem: pem))?.covers(host) ?? false }

  private static func seconds(_ time: UnsafePointer<ASN1_TIME>?) -> Int64 {
    guard let time, let epoch = ASN1_TIME_set(nil, 0) else { return 0 }
    defer { ASN1_TIME_free(epoch) }
    var (days, seconds): (Int32, Int32) = (0, 0)
    guard ASN1_TIME_diff(&days, &seconds, epoch, time) == 1 else { return 0 }
    return Int64(days) * 86_400 + Int64(seconds)
  }

  private static func names(of certificate: OpaquePointer) -> [String] {
    guard let list = copenssl_alternative_names(certificate) else { return [] }
    defer { free(list) }
    return String(cString: list).split(separator: "\n").map(String.init)
  }

  private static func trust(_ own: OpaquePointer, chain: [OpaquePointer]) -> Trust {
    OpenSSLErrors.clear()
    defer { OpenSSLErrors.clear() }
    if X509_self_signed(own, 0) == 1 { return .selfSigned }
    guard let store = X509_STORE_new(), let context = X509_STORE_CTX_new() else { return .refused("no memory") }
    defer {
      X509_STORE_CTX_free(context)
      X509_STORE_free(store)
    }
    X509_STORE_set_default_paths(store)
    guard let untrusted = copenssl_new_stack() else { return .refused("no memory") }
    defer { copenssl_free_stack(untrusted) }
    for certificate in chain { copenssl_push(untrusted, certificate) }
    guard X509_STORE_CTX_init(context, store, own, untrusted) == 1 else { return .refused("no memory") }
    // When it holds is said by itself.
    X509_STORE_CTX_set_flags(context, UInt(X509_V_FLAG_NO_CHECK_TIME))
    if X509_verify_cert(context) == 1 { return .trusted }
    let code = X509_STORE_CTX_get_error(context)
    switch code {
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT,
      X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      // With its chain the authority is one that only some know; without it, it cannot be told.
      return chain.isEmpty ? .incomplete : .refused("its authority is not known here")
    default: return .refused(X509_verify_cert_error_string(Int(code)).map { String(cString: $0) } ?? "error \(code)")
    }
  }
}
