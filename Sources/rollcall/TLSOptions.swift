import ArgumentParser
import SignalingServer

/// How the server speaks TLS.
struct TLSOptions: ParsableArguments {
  @Option(
    name: .customLong("tls-cert"),
    help: """
      Speak TLS (https and wss) with the certificate in this file: PEM, with the chain behind it. SIGHUP reads it anew.
      """)
  var certificateFile: String?

  @Option(name: .customLong("tls-key"), help: "The file with the certificate's private key: PEM, not encrypted.")
  var keyFile: String?

  @Flag(
    name: .customLong("tls-self-signed"),
    help: """
      Speak TLS with a certificate of the server's own making, to try things on a local network, where browsers ask before \
      they trust it. It is kept in the data folder as `self-signed.crt`, and made anew before it expires or when the machine \
      has another address.
      """)
  var isSelfSigned = false

  @Option(
    name: .customLong("hsts"),
    help: """
      Tell browsers to use nothing but https for so long, for example 365d (Strict-Transport-Security). It counts for every \
      port of the host name, so it is not said by default.
      """)
  var strictTransportSecurityTime: TimeSpan?

  func validate() throws {
    guard (certificateFile == nil) == (keyFile == nil) else {
      throw ValidationError("--tls-cert and --tls-key go together.")
    }
    guard certificateFile == nil || !isSelfSigned else {
      throw ValidationError("--tls-self-signed takes no --tls-cert.")
    }
    if let strictTransportSecurityTime {
      guard source != nil else { throw ValidationError("--hsts needs TLS.") }
      guard strictTransportSecurityTime.milliseconds >= 1000 else { throw ValidationError("--hsts takes at least 1s.") }
    }
  }

  /// Where the certificate comes from; nil without TLS.
  var source: TLSSource? {
    if isSelfSigned { return .selfSigned }
    guard let certificateFile, let keyFile else { return nil }
    return .files(certificate: certificateFile, key: keyFile)
  }

  /// The value of the header field.
  var strictTransportSecurity: String? {
    strictTransportSecurityTime.map { "max-age=\($0.milliseconds / 1000)" }
  }
}
