import Glibc

/// What the system says of a file, without opening it.
struct FileFacts {
  /// Who may do what: the lowest nine bits.
  let mode: UInt32
  let owner: UInt32
  let isFolder: Bool
  /// In seconds since 1970.
  let modified: Int64

  /// Nil when there is no such file, or it cannot be seen.
  init?(_ path: String) {
    var facts = stat()
    guard stat(path, &facts) == 0 else { return nil }
    mode = facts.st_mode & 0o777
    owner = facts.st_uid
    isFolder = facts.st_mode & S_IFMT == S_IFDIR
    modified = Int64(facts.st_mtim.tv_sec)
  }

  /// The words of a small file of the system, such as those in `/proc/sys`; nil when it cannot be read.
  static func words(_ path: String) -> [String]? {
    guard let file = fopen(path, "re") else { return nil }
    defer { fclose(file) }
    var text: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 4096)
    while text.count < 1 << 20, case let count = fread(&piece, 1, piece.count, file), count > 0 {
      text += piece[..<count]
    }
    return String(decoding: text, as: UTF8.self).split(whereSeparator: \.isWhitespace).map(String.init)
  }

  /// The number in such a file.
  static func number(_ path: String) -> Int? { words(path)?.first.flatMap { Int($0) } }

  /// The kind of file system that a path lies on, for example `ext4` or `tmpfs`.
  static func fileSystem(of path: String) -> String? {
    guard let real = realpath(path, nil) else { return nil }
    defer { free(real) }
    let place = String(cString: real)
    guard let words = words("/proc/self/mounts") else { return nil }
    var best: (point: String, kind: String)?
    // Each line has six words: device, mount point, kind, options and two numbers.
    var index = 0
    while index + 5 < words.count {
      let (point, kind) = (words[index + 1], words[index + 2])
      index += 6
      let isAbove = point == "/" || place == point || place.hasPrefix(point + "/")
      if isAbove, point.utf8.count >= best?.point.utf8.count ?? 0 { best = (point, kind) }
    }
    return best?.kind
  }
}
