import EventLoop
import Glibc
import SignalingServer
import TLS

// The certificate that people's browsers are to believe.
extension Examination {
  func checkTLS(_ tell: (Finding) -> Void) {
    switch configuration.tls {
    case nil: return
    case .selfSigned:
      tell(
        .warning(
          "certificate", "the server makes its own, which browsers ask about before they trust it",
          "for more than trying: a certificate of an authority, in tls-cert and tls-key"))
    case .files(let certificate, let key): checkCertificate(certificate, key, tell)
    }
  }

  private func checkCertificate(_ certificate: String, _ key: String, _ tell: (Finding) -> Void) {
    let now = WallClock.milliseconds() / 1000
    let loaded: CertificateExamination
    do throws(TLSFileError) {
      _ = try TLSFileCheck.load(certificate: certificate, key: key, atUnixSeconds: now)
      loaded = try CertificateExamination.read(certificate)
    } catch {
      tell(.problem("certificate", "\(error)", Self.advice(for: error)))
      return
    }
    if let mode = FileFacts(key)?.mode, mode & 0o077 != 0 {
      tell(.warning("certificate", "others on this machine may read the key \(key)", "chmod 600 \(key)"))
    }
    let days = (loaded.notAfter - now) / 86_400
    if now > loaded.notAfter {
      tell(.problem("certificate", "it ended \(-days) days ago (\(certificate))", "renew it; SIGHUP takes it over"))
    } else if now < loaded.notBefore {
      tell(.problem("certificate", "it does not hold yet (\(certificate))", "look at the machine's clock"))
    } else if days < 14 {
      tell(.warning("certificate", "it ends in \(days) days (\(certificate))", "renew it; SIGHUP takes it over"))
    } else {
      tell(
        .ok(
          "certificate", "it fits its key and holds for \(days) days: \(loaded.names.prefix(4).joined(separator: ", "))"
        ))
    }
    switch loaded.trust {
    case .trusted: break
    case .selfSigned:
      tell(
        .warning(
          "certificate", "it is signed by nobody but itself: browsers ask before they trust it",
          "have an authority sign it"))
    case .incomplete:
      tell(
        .problem(
          "certificate", "the certificate of its issuer is missing: phones and other programs will refuse it",
          "put the chain behind it in \(certificate) (with certbot: fullchain.pem)"))
    case .refused(let reason):
      tell(
        .warning(
          "certificate", "this machine would not trust it: \(reason)", "look whether browsers know the authority"))
    }
    checkName(loaded, tell)
  }

  /// The certificate is for the name in the address, if one is given, else for a host that is a name.
  private func checkName(_ certificate: CertificateExamination, _ tell: (Finding) -> Void) {
    let address = url.flatMap { CheckedURL($0)?.host }
    let host = address ?? configuration.host
    let isWildcard = host == "0.0.0.0" || host == "::" || host.hasPrefix("127.")
    guard !isWildcard || address != nil, !certificate.covers(host) else { return }
    tell(
      .problem(
        "certificate", "it is not for \(host), but for \(certificate.names.joined(separator: ", "))",
        "get one for the name under which people come"))
  }

  private static func advice(for error: TLSFileError) -> String {
    switch error {
    case .unreadable: "give this user the right to read it, or correct the path"
    case .unusable(.mismatch, _, _): "take the certificate and the key that were made together"
    case .unusable, .tooLong, .unwritable: "look at what the files hold: openssl x509 -in FILE -text"
    }
  }
}

extension CertificateExamination {
  fileprivate static func read(_ path: String) throws(TLSFileError) -> CertificateExamination {
    let pem: [UInt8]?
    do throws(SystemError) {
      pem = try PrivateFile.read(path, limit: 1 << 20)
    } catch {
      throw .unreadable(path: path, reason: SystemError.message(for: error.code))
    }
    guard let pem else { throw .tooLong(path: path) }
    do throws(TLSCredentialError) {
      return try CertificateExamination(pem: pem)
    } catch {
      throw .unusable(error, certificate: path, key: path)
    }
  }
}
