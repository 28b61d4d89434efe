/// What the clocks of some place show, in seconds since they showed the beginning of 1970.
public struct LocalTime: Sendable, Hashable {
  public var seconds: Int64

  /// A local time of so many seconds.
  public init(seconds: Int64) {
    self.seconds = seconds
  }
}

/// When something shall begin, as somebody wrote it.
public enum ScheduledTime: Sendable, Hashable {
  /// A point in time: the text had an offset.
  case instant(Timestamp)
  /// What the clocks show in the session's time zone.
  case local(LocalTime)

  /// Reads a date-time of RFC 3339, or one without an offset (`2026-03-29T09:30` or `…:00`).
  public init?(_ text: String) {
    guard let time = RFC3339.parse(text, allowingLocal: true) else { return nil }
    self = time
  }

  /// The point in time that this is in a time zone. A time that the clocks show twice is the first of the two.
  /// - Throws: ``Refusal/invalidField(_:_:)`` of `scheduled_at` for a time that the clocks leave out there.
  public func resolved(in zone: String, of zones: any TimeZones) throws(Refusal) -> Timestamp {
    switch self {
    case .instant(let time): return time
    case .local(let local):
      switch zones.instant(of: local, in: zone) {
      case .instant(let time): return time
      case .skipped:
        throw .invalidField(
          "scheduled_at", "The clocks of \(zone) leave this time out: it is in the hour that summer time skips.")
      case .unknownZone:
        throw .invalidField("scheduled_at", "This server knows no clocks of \(zone): give the time with an offset.")
      }
    }
  }

  /// For digests: of an instant the milliseconds alone, as ever.
  var digestText: String {
    switch self {
    case .instant(let time): "\(time.milliseconds)"
    case .local(let local): "local \(local.seconds)"
    }
  }
}

/// The time zones that there are.
public protocol TimeZones: Sendable {
  /// Whether there is a time zone of this IANA name.
  func contains(_ name: String) -> Bool
  /// The point in time at which the clocks of a zone show this.
  func instant(of local: LocalTime, in name: String) -> LocalTimeResult
}

/// What a local time is in a time zone.
public enum LocalTimeResult: Sendable, Hashable {
  case instant(Timestamp)
  /// The clocks go from before it to after it.
  case skipped
  case unknownZone
}

/// Where nothing is known of time zones: every name that could be one counts, and only UTC has clocks.
public struct AnyTimeZone: TimeZones {
  /// The only one of its kind.
  public init() {}

  public func contains(_ name: String) -> Bool { Self.isPlausible(name) }

  public func instant(of local: LocalTime, in name: String) -> LocalTimeResult {
    guard name == "UTC" || name == "Etc/UTC" else { return .unknownZone }
    let (milliseconds, overflow) = local.seconds.multipliedReportingOverflow(by: 1000)
    return overflow ? .skipped : .instant(Timestamp(milliseconds: milliseconds))
  }

  /// Whether the text has the form of an IANA name.
  public static func isPlausible(_ name: String) -> Bool {
    !name.isEmpty
      && name.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "+"),
          UInt8(ascii: "/"):
          true
        default: false
        }
      }
  }
}
