import Persistence

/// A small generator with a seed, so that a failing case can be replayed.
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64

  init(_ seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 0x1234_5678_9ABC_DEF1 }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }
}

/// A disk in memory that forgets, tears and reorders what was not synced, and fails on demand. For one thread.
final class VirtualStorage: Storage, @unchecked Sendable {
  final class Inode: @unchecked Sendable {
    enum Change {
      case write(offset: Int, bytes: [UInt8])
      case truncate(Int)
    }

    var name = ""
    var live: [UInt8]
    var durable: [UInt8]
    /// Not synced. What a failed sync dropped stays visible, but no later sync writes it.
    var pending: [(change: Change, dropped: Bool)] = []

    init(_ bytes: [UInt8] = []) {
      live = bytes
      durable = bytes
    }

    static func apply(_ change: Change, to bytes: inout [UInt8]) {
      switch change {
      case .write(let offset, let new):
        resize(&bytes, to: max(bytes.count, offset + new.count))
        bytes.replaceSubrange(offset..<offset + new.count, with: new)
      case .truncate(let size): resize(&bytes, to: size)
      }
    }

    static func resize(_ bytes: inout [UInt8], to size: Int) {
      if bytes.count > size { bytes.removeLast(bytes.count - size) }
      bytes.append(contentsOf: repeatElement(0, count: size - bytes.count))
    }

    func change(_ change: Change) {
      Self.apply(change, to: &live)
      pending.append((change, false))
    }
  }

  struct File: Sendable {
    let inode: Inode
    var name: String { inode.name }
  }

  private var names: [String: Inode] = [:]
  private var durableNames: [String: Inode] = [:]
  private var pendingNames: [[(name: String, inode: Inode?)]] = []

  /// Counts the operations that change something.
  private(set) var operations = 0
  /// The kinds and files of those operations.
  private(set) var log: [String] = []
  /// The machine stops in the middle of this operation; 0 is the first.
  var stopsAt: Int?
  private(set) var hasStopped = false
  /// How much of a write that fails is taken, out of 256.
  var tornShare = 128
  /// The error number that an operation on a file is to fail with.
  var fault: ((StorageError.Operation, String) -> Int32?)?
  /// The bytes that fit.
  var capacity = Int.max

  init(_ files: [String: [UInt8]] = [:]) {
    for (name, bytes) in files {
      let inode = Inode(bytes)
      inode.name = name
      names[name] = inode
    }
    durableNames = names
  }

  /// What a reader sees.
  var files: [String: [UInt8]] { names.mapValues(\.live) }

  /// The disk after the process was killed: the system keeps all that it was told, synced or not.
  func afterKill() -> VirtualStorage {
    var copies: [ObjectIdentifier: Inode] = [:]
    func copy(_ inode: Inode) -> Inode {
      if let copy = copies[ObjectIdentifier(inode)] { return copy }
      let copy = Inode(inode.durable)
      copy.name = inode.name
      copy.live = inode.live
      copy.pending = inode.pending
      copies[ObjectIdentifier(inode)] = copy
      return copy
    }
    let next = VirtualStorage()
    next.names = names.mapValues(copy)
    next.durableNames = durableNames.mapValues(copy)
    next.pendingNames = pendingNames.map { change in change.map { ($0.name, $0.inode.map(copy)) } }
    return next
  }

  /// The disk after the power failed: of each unsynced change all, nothing or a part is there.
  func afterPowerLoss(using generator: inout SeededGenerator) -> VirtualStorage {
    var kept = durableNames
    for change in pendingNames where Bool.random(using: &generator) {
      for (name, inode) in change { kept[name] = inode }
    }
    var files: [String: [UInt8]] = [:]
    for name in kept.keys.sorted() {
      guard let inode = kept[name] else { continue }
      var bytes = inode.durable
      for (change, _) in inode.pending { Self.lose(change, &bytes, using: &generator) }
      files[name] = bytes
    }
    return VirtualStorage(files)
  }

  private static func lose(_ change: Inode.Change, _ bytes: inout [UInt8], using generator: inout SeededGenerator) {
    guard case .write(let offset, let new) = change else {
      if Bool.random(using: &generator) { Inode.apply(change, to: &bytes) }
      return
    }
    switch Int.random(in: 0..<4, using: &generator) {
    case 0: break
    case 1: Inode.apply(change, to: &bytes)
    case 2:
      let torn = Array(new.prefix(Int.random(in: 0...new.count, using: &generator)))
      Inode.apply(.write(offset: offset, bytes: torn), to: &bytes)
    default:
      // Sectors of 16 bytes in any order.
      for start in stride(from: 0, to: new.count, by: 16) where Bool.random(using: &generator) {
        Inode.apply(.write(offset: offset + start, bytes: Array(new[start..<min(start + 16, new.count)])), to: &bytes)
      }
    }
  }

  /// Counts an operation.
  /// - Returns: the error number that it is to fail with.
  private func begin(_ operation: StorageError.Operation, _ file: String) throws(StorageError) -> Int32? {
    if hasStopped { throw StorageError(operation, file: file, code: 5) }
    switch operation {
    case .list, .size, .read: break
    default:
      log.append("\(operation.rawValue) \(file)")
      defer { operations += 1 }
      if operations == stopsAt {
        hasStopped = true
        return 5
      }
    }
    return fault?(operation, file)
  }

  private func check(_ operation: StorageError.Operation, _ file: String) throws(StorageError) {
    if let code = try begin(operation, file) { throw StorageError(operation, file: file, code: code) }
  }

  func list() throws(StorageError) -> [String] {
    try check(.list, "")
    return Array(names.keys)
  }

  func open(_ name: String, _ mode: OpenMode) throws(StorageError) -> File {
    if mode == .replace { try check(.open, name) } else { try check(.size, name) }
    if let inode = names[name] {
      if mode == .replace { inode.change(.truncate(0)) }
      return File(inode: inode)
    }
    guard mode == .replace else { throw StorageError(.open, file: name, code: 2) }
    let inode = Inode()
    link(name, inode)
    return File(inode: inode)
  }

  private func link(_ name: String, _ inode: Inode) {
    inode.name = name
    names[name] = inode
    pendingNames.append([(name, inode)])
  }

  func size(of file: File) throws(StorageError) -> UInt64 {
    try check(.size, file.name)
    return UInt64(file.inode.live.count)
  }

  func read(_ file: File, at offset: UInt64, into buffer: inout MutableRawSpan) throws(StorageError) -> Int {
    try check(.read, file.name)
    let live = file.inode.live
    let start = min(Int(offset), live.count)
    let count = min(buffer.byteCount, live.count - start)
    for index in 0..<count { buffer.storeBytes(of: live[start + index], toByteOffset: index, as: UInt8.self) }
    return count
  }

  func write(_ bytes: RawSpan, to file: File, at offset: UInt64) throws(StorageError) {
    var code = try begin(.write, file.name)
    let bytes = bytes.withUnsafeBytes { Array($0) }
    var taken = code == nil ? bytes.count : bytes.count * tornShare / 256
    let used = names.values.reduce(0) { $0 + $1.live.count }
    let free = capacity - used + max(0, file.inode.live.count - Int(offset))
    if taken > free {
      taken = max(0, free)
      code = code ?? 28
    }
    if taken > 0 { file.inode.change(.write(offset: Int(offset), bytes: Array(bytes.prefix(taken)))) }
    if let code { throw StorageError(.write, file: file.name, code: code, written: taken) }
  }

  func sync(_ file: File) throws(StorageError) {
    let inode = file.inode
    if let code = try begin(.sync, file.name) {
      for index in inode.pending.indices { inode.pending[index].dropped = true }
      throw StorageError(.sync, file: file.name, code: code)
    }
    for (change, dropped) in inode.pending where !dropped { Inode.apply(change, to: &inode.durable) }
    Inode.resize(&inode.durable, to: inode.live.count)
    inode.pending = []
  }

  func truncate(_ file: File, to size: UInt64) throws(StorageError) {
    try check(.truncate, file.name)
    file.inode.change(.truncate(Int(size)))
  }

  func rename(_ old: String, to new: String) throws(StorageError) {
    try check(.rename, old)
    guard let inode = names.removeValue(forKey: old) else { throw StorageError(.rename, file: old, code: 2) }
    inode.name = new
    names[new] = inode
    pendingNames.append([(old, nil), (new, inode)])
  }

  func remove(_ name: String) throws(StorageError) {
    try check(.remove, name)
    guard names.removeValue(forKey: name) != nil else { throw StorageError(.remove, file: name, code: 2) }
    pendingNames.append([(name, nil)])
  }

  func syncDirectory() throws(StorageError) {
    try check(.syncDirectory, "")
    durableNames = names
    pendingNames = []
  }
}
