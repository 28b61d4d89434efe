import Classroom
import JSON
import SignalingProtocol
import Tokens

/// Attendance reports that somebody who was not there can trust.
///
/// What is signed is the canonical form (RFC 8785) of the report without its member `signature`.
public enum SignedReport {
  /// The name of the signature's algorithm.
  static let algorithm = "Ed25519"

  /// A report as JSON with its signature.
  public static func make(_ report: AttendanceReport, by key: ReportKey) -> [UInt8] {
    var bytes = unsigned(report)
    let signature = key.sign(bytes)
    var member = JSONWriter(reserving: 320)
    member.object { member in
      member.field("algorithm", algorithm)
      member.field("key_id", key.publicKey.id)
      member.field("public_key", key.publicKey.text)
      member.field("value", String(decoding: Base64URL.encode(signature), as: UTF8.self))
    }
    bytes.removeLast()
    bytes += ",\"signature\":".utf8
    bytes += member.bytes
    bytes.append(UInt8(ascii: "}"))
    return bytes
  }

  /// A report as JSON without a signature.
  public static func unsigned(_ report: AttendanceReport) -> [UInt8] {
    var writer = JSONWriter(reserving: 1024 + 640 * report.people.count)
    AttendanceDocument.write(report, into: &writer)
    return writer.bytes
  }

  /// What became of checking a report.
  public enum Verdict: Sendable, Equatable {
    /// Signed by the key that was given.
    case valid(Facts)
    /// Whole, and signed by the key that it names itself, for which nothing speaks.
    case intact(Facts)
    /// Why it is not to be trusted.
    case invalid(String)
  }

  /// What a signed report says it is.
  public struct Facts: Sendable, Equatable {
    public var document: String
    public var session: String
    public var status: String
    public var generatedAt: String
    public var keyID: String
    /// How many people it tells of.
    public var people: Int
  }

  /// Checks a report.
  /// - Parameter keys: those of which one must have signed it; nil takes the key that the report itself names.
  public static func verify(_ text: [UInt8], keys: [ReportPublicKey]?) -> Verdict {
    var reader = JSONReader()
    return text.withUnsafeBytes { bytes in
      do throws(JSONError) {
        return verdict(try reader.read(bytes), keys: keys)
      } catch {
        return .invalid("this is not JSON: \(error)")
      }
    }
  }

  private static func verdict(_ report: JSONView, keys: [ReportPublicKey]?) -> Verdict {
    guard let document = report["document"]?.string, AttendanceDocument.Kind(rawValue: document) != nil else {
      return .invalid("this is no attendance report: the member `document` does not say so")
    }
    guard report["format"]?.integer == Int64(AttendanceDocument.format) else {
      return .invalid("this report has a form that is not known here")
    }
    guard let member = report["signature"], member.kind == .object else { return .invalid("there is no signature") }
    guard member["algorithm"]?.equals(algorithm) == true else {
      return .invalid("the signature's algorithm is not \(algorithm)")
    }
    guard let signature = member["value"]?.string.flatMap({ Base64URL.decode(Array($0.utf8)) }),
      signature.count == ReportKey.signatureBytes
    else { return .invalid("the signature is not one of \(ReportKey.signatureBytes) bytes in base64url") }
    guard
      let named = member["public_key"]?.string.flatMap({ Base64URL.decode(Array($0.utf8)) })
        .flatMap(ReportPublicKey.init(bytes:)), let keyID = member["key_id"]?.string
    else { return .invalid("the signature names no key") }
    guard keyID == named.id else { return .invalid("key_id is not the name of the key in public_key") }
    if let keys, !keys.contains(named) {
      return .invalid("it is signed by the key \(keyID), which is none of those that were given")
    }
    var canonical = JSONWriter(reserving: report.raw.count)
    do throws(CanonicalJSON.Failure) {
      try CanonicalJSON.write(report, omitting: "signature", into: &canonical)
    } catch {
      return .invalid("the report has no canonical form: it holds a number that is not an integer")
    }
    guard named.verify(signature, of: canonical.bytes) else {
      return .invalid("the signature does not fit: the report was changed after it was signed")
    }
    let facts = Facts(
      document: document, session: report["session"]?.string ?? "", status: report["status"]?.string ?? "",
      generatedAt: report["generated_at"]?.string ?? "", keyID: keyID, people: report["participants"]?.count ?? 0)
    return keys == nil ? .intact(facts) : .valid(facts)
  }
}
