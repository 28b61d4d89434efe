import CCurl

/// Fetches something small over https, by libcurl. The thread that asks waits.
///
/// The other side's certificate is checked against the authorities that the system trusts, or those of a file; no redirect
/// is followed, nothing is decompressed, and time and size are bounded.
public struct HTTPDownload: Sendable {
  /// An address with the scheme `https`.
  public let address: String
  /// The bytes of the body that are taken.
  public var maximumBytes = 256 * 1024
  /// How long it may take until there is a connection, in milliseconds.
  public var connectMilliseconds = 5000
  /// How long all of it may take, in milliseconds.
  public var totalMilliseconds = 10_000
  /// A file with the certificates, in PEM, of the authorities to be trusted; nil for those of the system.
  public var authorityFile: String?

  /// Why there is nothing.
  public enum Failure: Error, Equatable, Sendable, CustomStringConvertible {
    /// The address is none, or not one that is fetched from.
    case address(String)
    /// The answer has this status instead of 200.
    case status(Int)
    case tooLong(maximumBytes: Int)
    /// `isCancelled` said so.
    case cancelled
    /// In libcurl's words.
    case transfer(String)

    public var description: String {
      switch self {
      case .address(let reason): reason
      case .status(let status): "the answer has the status \(status)"
      case .tooLong(let bytes): "the answer has more than \(bytes) bytes"
      case .cancelled: "it was given up"
      case .transfer(let reason): reason
      }
    }
  }

  /// A download from this address.
  ///
  /// - Parameter permitsPlainLoopback: whether `http` to this machine itself is fine too, for tests.
  public init(address: String, permitsPlainLoopback: Bool = false) throws(Failure) {
    let parts = try AddressParts(address)
    guard parts.user == nil, parts.password == nil else {
      throw .address("an address must not hold a name or a password")
    }
    switch parts.scheme {
    case "https": break
    case "http" where permitsPlainLoopback && parts.isLoopback: break
    default: throw .address("the address is not one with https")
    }
    self.address = address
    isLoopback = parts.isLoopback
  }

  private let isLoopback: Bool

  private static let isReady = ccurl_begin() == CURLE_OK

  /// Fetches.
  ///
  /// - Parameter isCancelled: asked about once a second whether nobody waits for it any more.
  public func body(isCancelled: @escaping @Sendable () -> Bool = { false }) throws(Failure) -> [UInt8] {
    guard Self.isReady, let handle = curl_easy_init() else { throw .transfer("libcurl cannot be used") }
    defer { curl_easy_cleanup(handle) }
    let receiver = Receiver(maximumBytes: maximumBytes, isCancelled: isCancelled)
    let code = withExtendedLifetime(receiver) {
      let context = Unmanaged.passUnretained(receiver).toOpaque()
      let setting = configure(handle, context)
      return setting == CURLE_OK ? curl_easy_perform(handle) : setting
    }
    guard !receiver.isTooLong else { throw .tooLong(maximumBytes: maximumBytes) }
    guard code != CURLE_ABORTED_BY_CALLBACK else { throw .cancelled }
    guard code == CURLE_OK else { throw .transfer(String(cString: curl_easy_strerror(code))) }
    let status = ccurl_status(handle)
    guard status == 200 else { throw .status(status) }
    return receiver.bytes
  }

  private func configure(_ handle: UnsafeMutableRawPointer, _ context: UnsafeMutableRawPointer) -> CURLcode {
    var numbers: [(CURLoption, Int)] = [
      // Signals are the process's own.
      (CURLOPT_NOSIGNAL, 1), (CURLOPT_FOLLOWLOCATION, 0), (CURLOPT_SSL_VERIFYPEER, 1), (CURLOPT_SSL_VERIFYHOST, 2),
      (CURLOPT_CONNECTTIMEOUT_MS, connectMilliseconds), (CURLOPT_TIMEOUT_MS, totalMilliseconds),
      (CURLOPT_MAXFILESIZE, maximumBytes),
    ]
    numbers.append((CURLOPT_HTTPGET, 1))
    for (option, number) in numbers {
      let code = ccurl_set_number(handle, option, number)
      guard code == CURLE_OK else { return code }
    }
    var texts: [(CURLoption, String)] = [
      (CURLOPT_URL, address), (CURLOPT_PROTOCOLS_STR, isLoopback ? "http,https" : "https"),
      (CURLOPT_USERAGENT, "rollcall"),
    ]
    // The machine itself is not reached by way of another.
    if isLoopback { texts.append((CURLOPT_PROXY, "")) }
    if let authorityFile { texts.append((CURLOPT_CAINFO, authorityFile)) }
    for (option, text) in texts {
      let code = ccurl_set_text(handle, option, text)
      guard code == CURLE_OK else { return code }
    }
    let code = ccurl_set_watch(
      handle,
      { context, _, _, _, _ in
        guard let context else { return 1 }
        return Unmanaged<Receiver>.fromOpaque(context).takeUnretainedValue().isCancelled() ? 1 : 0
      }, context)
    guard code == CURLE_OK else { return code }
    return ccurl_set_receiver(
      handle,
      { bytes, size, count, context in
        guard let context, let bytes else { return 0 }
        let receiver = Unmanaged<Receiver>.fromOpaque(context).takeUnretainedValue()
        return receiver.take(UnsafeRawBufferPointer(start: bytes, count: size * count)) ? size * count : 0
      }, context)
  }
}

/// What has come.
private final class Receiver {
  let maximumBytes: Int
  let isCancelled: @Sendable () -> Bool
  private(set) var bytes: [UInt8] = []
  private(set) var isTooLong = false

  init(maximumBytes: Int, isCancelled: @escaping @Sendable () -> Bool) {
    self.maximumBytes = maximumBytes
    self.isCancelled = isCancelled
  }

  /// - Returns: false when it is too much.
  func take(_ piece: UnsafeRawBufferPointer) -> Bool {
    guard bytes.count + piece.count <= maximumBytes else {
      isTooLong = true
      return false
    }
    bytes += piece
    return true
  }
}

/// The parts of an address, as libcurl understands it.
private struct AddressParts {
  var scheme: String
  var host: String
  var user: String?
  var password: String?

  init(_ address: String) throws(HTTPDownload.Failure) {
    guard let url = curl_url() else { throw .transfer("libcurl cannot be used") }
    defer { curl_url_cleanup(url) }
    guard curl_url_set(url, CURLUPART_URL, address, 0) == CURLUE_OK else { throw .address("this is no address") }
    func part(_ name: CURLUPart) -> String? {
      var text: UnsafeMutablePointer<CChar>?
      guard curl_url_get(url, name, &text, 0) == CURLUE_OK, let text else { return nil }
      defer { curl_free(text) }
      return String(cString: text)
    }
    scheme = part(CURLUPART_SCHEME)?.lowercased() ?? ""
    host = part(CURLUPART_HOST)?.lowercased() ?? ""
    user = part(CURLUPART_USER)
    password = part(CURLUPART_PASSWORD)
  }

  /// Whether it is this machine itself.
  var isLoopback: Bool { host == "localhost" || host == "127.0.0.1" || host == "[::1]" || host == "::1" }
}
