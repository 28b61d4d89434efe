import Glibc

/// What a process has used.
struct ProcessUsage: Sendable {
  /// User and system time of all its threads, in seconds.
  var cpuSeconds: Double
  /// Its resident memory.
  var residentBytes: Int

  /// What the process has used until now; nil when there is no such process.
  init?(of process: Int32) {
    guard let content = try? SmallFile.read("/proc/\(process)/stat", maximumBytes: 4096) else { return nil }
    self.init(stat: String(decoding: content, as: UTF8.self))
  }

  /// Reads the text of `/proc/PID/stat` (proc(5)).
  init?(stat: String) {
    // The name of the process, in parentheses, may hold spaces and parentheses itself.
    guard let end = stat.lastIndex(of: ")") else { return nil }
    let fields = stat[stat.index(after: end)...].split(whereSeparator: \.isWhitespace)
    // Fields 14, 15 and 24; the first behind the name is the third.
    guard fields.count > 21, let user = UInt64(fields[11]), let system = UInt64(fields[12]), let pages = Int(fields[21])
    else { return nil }
    cpuSeconds =
      Double(user) / Double(sysconf(Int32(_SC_CLK_TCK))) + Double(system) / Double(sysconf(Int32(_SC_CLK_TCK)))
    residentBytes = pages * Int(sysconf(Int32(_SC_PAGESIZE)))
  }

  /// What this process has used of all cores, in seconds.
  static var ownCPUSeconds: Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  /// How many files a process has open; nil when that cannot be seen.
  static func openFiles(of process: Int32) -> Int? {
    guard let folder = opendir("/proc/\(process)/fd") else { return nil }
    defer { closedir(folder) }
    var count = -2
    while readdir(folder) != nil { count += 1 }
    return count
  }
}
