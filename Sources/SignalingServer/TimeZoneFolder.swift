import Classroom
import EventLoop

/// The time zones of the machine: the tz database in a folder. Without one every name that could be a zone's counts.
public final class TimeZoneFolder: TimeZones {
  /// Where systems keep it.
  public static let defaultPath = "/usr/share/zoneinfo"

  private static let maximumBytes = 1 << 17
  /// More zones than there are.
  private static let maximumZones = 1024

  private let path: String
  private let known = Locked<[String: TimeZoneRules]>([:])
  /// Whether there is a database.
  public let isThere: Bool

  /// The database in that folder.
  public init(path: String = TimeZoneFolder.defaultPath) {
    self.path = path
    isThere = Self.read("UTC", in: path) != nil
  }

  public func contains(_ name: String) -> Bool {
    isThere ? rules(of: name) != nil : AnyTimeZone.isPlausible(name)
  }

  public func instant(of local: LocalTime, in name: String) -> LocalTimeResult {
    guard isThere else { return AnyTimeZone().instant(of: local, in: name) }
    guard let rules = rules(of: name) else { return .unknownZone }
    guard let seconds = rules.instant(of: local) else { return .skipped }
    let (milliseconds, overflow) = seconds.multipliedReportingOverflow(by: 1000)
    return overflow ? .skipped : .instant(Timestamp(milliseconds: milliseconds))
  }

  private func rules(of name: String) -> TimeZoneRules? {
    if let rules = known.withLock({ $0[name] }) { return rules }
    guard let rules = Self.read(name, in: path) else { return nil }
    known.withLock { known in
      if known.count < Self.maximumZones { known[name] = rules }
    }
    return rules
  }

  private static func read(_ name: String, in path: String) -> TimeZoneRules? {
    // Names have no dots, so no path leads out of the folder. `right` counts leap seconds, which nobody else does.
    guard AnyTimeZone.isPlausible(name), !name.hasPrefix("/"), !name.hasPrefix("right/"), !name.hasPrefix("posix/")
    else { return nil }
    do throws(SystemError) {
      guard let bytes = try PrivateFile.read("\(path)/\(name)", limit: maximumBytes) else { return nil }
      return TimeZoneRules(bytes)
    } catch {
      return nil  // there is no such file: no such zone
    }
  }
}
