import Glibc

/// What this process uses, as the system counts it.
public struct ProcessFigures: Sendable {
  /// Processor time in user and system mode together, in seconds.
  public let processorSeconds: Double
  /// Memory that is in RAM, in bytes.
  public let residentBytes: Int
  /// Address space, in bytes.
  public let virtualBytes: Int
  /// Open file descriptors.
  public let openDescriptors: Int
  /// How many may be open.
  public let maximumDescriptors: Int
  /// Threads.
  public let threads: Int

  /// The figures of this moment; what the system does not tell is 0.
  public init() {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    processorSeconds = Self.seconds(usage.ru_utime) + Self.seconds(usage.ru_stime)
    let pages = Self.fields(of: "/proc/self/statm")
    let pageSize = Int(sysconf(Int32(_SC_PAGESIZE)))
    virtualBytes = (pages.first ?? 0) * pageSize
    residentBytes = (pages.dropFirst().first ?? 0) * pageSize
    openDescriptors = Self.countDescriptors()
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    maximumDescriptors = Int(clamping: limit.rlim_cur)
    var folder = stat()
    // A folder of folders has a link for each, and two of its own.
    threads = stat("/proc/self/task", &folder) == 0 ? max(0, Int(folder.st_nlink) - 2) : 0
  }

  private static func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }

  private static func countDescriptors() -> Int {
    // Linux 6.2 and later tell their number as the size of the folder, without listing it.
    var folder = stat()
    if stat("/proc/self/fd", &folder) == 0, folder.st_size > 0 { return Int(folder.st_size) }
    guard let listing = opendir("/proc/self/fd") else { return 0 }
    defer { closedir(listing) }
    var count = 0
    while readdir(listing) != nil { count += 1 }
    // Without the two entries of every folder, and the listing's own descriptor.
    return max(0, count - 3)
  }

  private static func fields(of path: String) -> [Int] {
    let descriptor = FileDescriptor(owning: open(path, O_RDONLY | O_CLOEXEC))
    guard descriptor.isOpen else { return [] }
    return withUnsafeTemporaryAllocation(byteCount: 256, alignment: 1) { buffer in
      let count = max(0, read(descriptor.rawValue, buffer.baseAddress, buffer.count))
      return String(decoding: buffer[..<count], as: UTF8.self).split(whereSeparator: \.isWhitespace).compactMap {
        Int($0)
      }
    }
  }
}
