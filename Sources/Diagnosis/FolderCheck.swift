import EventLoop
import Glibc
import Persistence
import SignalingServer

// The data folder, and the disk under it.
extension Examination {
  /// - Returns: whether a server uses the folder now.
  func checkFolder(_ tell: (Finding) -> Void) -> Bool {
    let path = configuration.dataFolder
    guard let facts = FileFacts(path) else {
      let parent = Self.parent(of: path)
      if errno != ENOENT {
        tell(
          .problem(
            "data folder", "\(path) cannot be seen: \(SystemError.message(for: errno))", "give this user access to it"))
      } else if FileFacts(parent)?.isFolder != true {
        tell(
          .problem(
            "data folder", "\(path) does not exist, nor does \(parent)", "make \(parent), or set data to another place")
        )
      } else if access(parent, W_OK) != 0 {
        tell(
          .problem(
            "data folder", "\(path) does not exist, and \(parent) cannot be written",
            "make it for this user, or set data"))
      } else {
        tell(.ok("data folder", "\(path) does not exist and will be made"))
        checkDisk(parent, tell)
      }
      return false
    }
    guard facts.isFolder else {
      tell(.problem("data folder", "\(path) is not a folder", "set data to another place"))
      return false
    }
    guard access(path, R_OK | W_OK | X_OK) == 0 else {
      tell(
        .problem(
          "data folder",
          "\(path) cannot be read and written by this user (\(getuid())); it belongs to user \(facts.owner)",
          "run as that user, or chown -R it"))
      return false
    }
    if facts.mode & 0o077 != 0 {
      tell(.warning("data folder", "others on this machine may look into \(path)", "chmod 700 \(path)"))
    }
    checkFormat(path, tell)
    if facts.modified > WallClock.milliseconds() / 1000 + 60 {
      tell(
        .warning(
          "clock", "\(path) was changed at a time that has not come yet: the clock was ahead, or is behind now",
          "set the clock: the server goes on from its last record's time"))
    }
    let isInUse = DataFolder.isInUse(path: path)
    if isInUse == true { tell(.ok("data folder", "a server uses \(path) now")) }
    checkDisk(path, tell)
    return isInUse == true
  }

  private static func parent(of path: String) -> String {
    var trimmed = Substring(path)
    while trimmed.count > 1, trimmed.hasSuffix("/") { trimmed = trimmed.dropLast() }
    guard let slash = trimmed.lastIndex(of: "/") else { return "." }
    return slash == trimmed.startIndex ? "/" : String(trimmed[..<slash])
  }

  private func checkFormat(_ path: String, _ tell: (Finding) -> Void) {
    do throws(FolderFormat.Failure) {
      let storage: FileStorage
      do throws(StorageError) {
        storage = try FileStorage(path: path)
      } catch {
        throw .storage(error)
      }
      guard let version = try FolderFormat.read(storage) else {
        return tell(.ok("data folder", "\(path) is empty"))
      }
      let age =
        version < FolderFormat.currentVersion
        ? "; this build makes it \(FolderFormat.currentVersion), and earlier ones then refuse it" : ""
      tell(.ok("data folder", "\(path) has format \(version)\(age)"))
    } catch {
      switch error {
      case .newer(let version, let supported):
        tell(
          .problem(
            "data folder", "\(path) has format \(version), this build reads up to \(supported)", "run the newer build"))
      case .unreadable, .missing:
        tell(
          .problem(
            "data folder", "the format file of \(path) is missing or damaged",
            "restore a backup, or look with `rollcall inspect \(path)`"))
      case .storage(let failure): tell(.problem("data folder", "\(path): \(failure)", "look at the disk"))
      }
    }
  }

  // MARK: The disk

  private func checkDisk(_ path: String, _ tell: (Finding) -> Void) {
    var facts = statvfs()
    if statvfs(path, &facts) == 0 {
      let free = UInt64(facts.f_bavail) &* UInt64(facts.f_frsize)
      let text = "\(free >> 20) MiB are free under \(path)"
      if facts.f_flag & UInt(ST_RDONLY) != 0 {
        tell(.problem("disk", "the file system of \(path) is mounted read-only", "mount it for writing, or set data"))
      } else if free < 64 << 20 {
        tell(.problem("disk", text, "make room: without space what must be kept is refused"))
      } else if free < 1 << 30 {
        tell(.warning("disk", text, "make room, or set keep: sessions stay for ever by default"))
      } else if facts.f_files > 0, facts.f_favail < 1000 {
        tell(.warning("disk", "only \(facts.f_favail) more files fit under \(path)", "make room for files"))
      } else {
        tell(.ok("disk", text))
      }
    }
    switch FileFacts.fileSystem(of: path) {
    case "tmpfs", "ramfs":
      tell(
        .warning("disk", "\(path) lies in memory: a restart of the machine forgets every session", "set data to a disk")
      )
    case let kind? where ["nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs"].contains(kind):
      tell(
        .warning(
          "disk", "\(path) lies on another machine (\(kind)): its locks and syncs may not hold what they promise",
          "set data to a local disk"))
    default: break
    }
    measureSyncs(path, tell)
  }

  private func measureSyncs(_ path: String, _ tell: (Finding) -> Void) {
    // Without a name nothing is left behind, whatever happens.
    let temporary = "\(path)/.rollcall-doctor-\(getpid())"
    let descriptor = FileDescriptor(owning: open(temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600))
    guard descriptor.isOpen else {
      tell(
        .problem(
          "disk", "no file can be made in \(path): \(SystemError.message(for: errno))",
          "look at its rights and its space"))
      return
    }
    unlink(temporary)
    let record = [UInt8](repeating: 0x52, count: 512)
    var times: [Int64] = []
    for _ in 0..<20 {
      let begin = MonotonicClock.nanoseconds()
      guard write(descriptor.rawValue, record, record.count) == record.count, fdatasync(descriptor.rawValue) == 0 else {
        tell(
          .problem("disk", "a file in \(path) cannot be synced: \(SystemError.message(for: errno))", "look at the disk")
        )
        return
      }
      times.append(MonotonicClock.nanoseconds() - begin)
    }
    times.sort()
    let (middle, longest) = (times[times.count / 2] / 1000, (times.last ?? 0) / 1000)
    let text = "a sync takes \(Self.milliseconds(middle)), at most \(Self.milliseconds(longest)) of \(times.count)"
    if middle > 50_000 {
      tell(.warning("disk", text, "every message in a chat waits for a sync: use a faster disk, or durability relaxed"))
    } else {
      tell(.ok("disk", text))
    }
  }

  private static func milliseconds(_ microseconds: Int64) -> String {
    let tenths = (microseconds + 50) / 100
    return "\(tenths / 10).\(tenths % 10) ms"
  }
}
