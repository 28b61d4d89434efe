import Persistence

/// A disk in memory that forgets, tears and reorders what was not synced, and fails on demand. It belongs to one thread.
///
/// Unchecked, because a simulation never leaves its thread.
final class SimulatedDisk: Storage, @unchecked Sendable {
  /// The same as of the disk.
  final class Inode: @unchecked Sendable {
    enum Change {
      case write(offset: Int, bytes: [UInt8])
      case truncate(Int)
    }

    var name = ""
    var live: [UInt8] = []
    var durable: [UInt8] = []
    /// Not synced. What a failed sync dropped stays visible, but no later sync writes it.
    var pending: [(change: Change, isDropped: Bool)] = []

    static func apply(_ change: Change, to bytes: inout [UInt8]) {
      switch change {
      case .write(let offset, let new):
        if offset == bytes.count {
          bytes += new
        } else {
          if bytes.count < offset + new.count { resize(&bytes, to: offset + new.count) }
          bytes.replaceSubrange(offset..<offset + new.count, with: new)
        }
      case .truncate(let size): resize(&bytes, to: size)
      }
    }

    static func resize(_ bytes: inout [UInt8], to size: Int) {
      if bytes.count > size { bytes.removeLast(bytes.count - size) }
      if bytes.count < size { bytes.append(contentsOf: repeatElement(0, count: size - bytes.count)) }
    }

    func change(_ change: Change) {
      Self.apply(change, to: &live)
      pending.append((change, false))
    }

    func copy() -> Inode {
      let copy = Inode()
      (copy.name, copy.live, copy.durable, copy.pending) = (name, live, durable, pending)
      return copy
    }
  }

  struct File: Sendable {
    let inode: Inode
  }

  private var names: [String: Inode] = [:]
  private var durableNames: [String: Inode] = [:]
  private var pendingNames: [[(name: String, inode: Inode?)]] = []

  /// The machine, or the process, stops in the middle of the operation that comes after so many others.
  var operationsLeft: Int?
  private(set) var hasStopped = false
  /// How much of a write that fails is taken, out of 256.
  var tornShare = 128
  /// The probability that an operation of this kind fails with an input/output error.
  var faults: [StorageError.Operation: Double] = [:]
  /// The bytes that fit.
  var capacity = Int.max
  var randomness: Randomness
  /// Called before each operation that changes something.
  var onOperation: (() -> Void)?
  /// How many operations have failed on demand.
  private(set) var failures = 0

  init(randomness: Randomness) {
    self.randomness = randomness
  }

  /// The bytes of all files.
  var usedBytes: Int { names.values.reduce(0) { $0 + $1.live.count } }

  /// Whether an operation may fail now.
  var isInTrouble: Bool { !faults.isEmpty || capacity != .max }

  func heal() {
    faults = [:]
    capacity = .max
  }

  /// The disk that the next process finds after this one was killed: the system keeps all that it was told, synced or not.
  func afterKill() -> SimulatedDisk {
    var copies: [ObjectIdentifier: Inode] = [:]
    func copy(_ inode: Inode) -> Inode {
      if let copy = copies[ObjectIdentifier(inode)] { return copy }
      let copy = inode.copy()
      copies[ObjectIdentifier(inode)] = copy
      return copy
    }
    let next = SimulatedDisk(randomness: randomness.split())
    next.names = names.mapValues(copy)
    next.durableNames = durableNames.mapValues(copy)
    next.pendingNames = pendingNames.map { change in change.map { ($0.name, $0.inode.map(copy)) } }
    (next.faults, next.capacity) = (faults, capacity)
    return next
  }

  /// The disk after the power failed: of each unsynced change all, nothing or a part is there.
  func afterPowerLoss() -> SimulatedDisk {
    var random = randomness.split()
    var kept = durableNames
    for change in pendingNames where random.chance(0.5) {
      for (name, inode) in change { kept[name] = inode }
    }
    let next = SimulatedDisk(randomness: random.split())
    for name in kept.keys.sorted() {
      guard let inode = kept[name] else { continue }
      let copy = Inode()
      copy.name = name
      copy.durable = inode.durable
      for (change, _) in inode.pending { Self.lose(change, &copy.durable, using: &random) }
      copy.live = copy.durable
      next.names[name] = copy
    }
    next.durableNames = next.names
    (next.faults, next.capacity) = (faults, capacity)
    return next
  }

  private static func lose(_ change: Inode.Change, _ bytes: inout [UInt8], using random: inout Randomness) {
    guard case .write(let offset, let new) = change else {
      if random.chance(0.5) { Inode.apply(change, to: &bytes) }
      return
    }
    switch random.int(0...3) {
    case 0: break
    case 1: Inode.apply(change, to: &bytes)
    case 2:
      let torn = Array(new.prefix(random.int(0...new.count)))
      Inode.apply(.write(offset: offset, bytes: torn), to: &bytes)
    default:
      // Sectors in any order: some are there, some are not.
      let sector = random.pick([16, 64, 512]) ?? 512
      for start in stride(from: 0, to: new.count, by: sector) where random.chance(0.5) {
        let end = min(start + sector, new.count)
        Inode.apply(.write(offset: offset + start, bytes: Array(new[start..<end])), to: &bytes)
      }
    }
  }

  /// - Returns: the error number that the operation is to fail with.
  private func begin(_ operation: StorageError.Operation, _ file: String) throws(StorageError) -> Int32? {
    if hasStopped { throw StorageError(operation, file: file, code: 5) }
    onOperation?()
    if let left = operationsLeft {
      if left == 0 {
        hasStopped = true
        return 5
      }
      operationsLeft = left - 1
    }
    if !faults.isEmpty, let probability = faults[operation], randomness.chance(probability) {
      failures += 1
      return 5
    }
    return nil
  }

  private func check(_ operation: StorageError.Operation, _ file: String) throws(StorageError) {
    if let code = try begin(operation, file) { throw StorageError(operation, file: file, code: code) }
  }

  func list() throws(StorageError) -> [String] {
    if hasStopped { throw StorageError(.list, file: "", code: 5) }
    return names.keys.sorted()
  }

  func open(_ name: String, _ mode: OpenMode) throws(StorageError) -> File {
    if mode == .replace { try check(.open, name) }
    if let inode = names[name] {
      if mode == .replace { inode.change(.truncate(0)) }
      return File(inode: inode)
    }
    guard mode == .replace else { throw StorageError(.open, file: name, code: 2) }
    let inode = Inode()
    inode.name = name
    names[name] = inode
    pendingNames.append([(name, inode)])
    return File(inode: inode)
  }

  func size(of file: File) throws(StorageError) -> UInt64 { UInt64(file.inode.live.count) }

  func read(_ file: File, at offset: UInt64, into buffer: inout MutableRawSpan) throws(StorageError) -> Int {
    if hasStopped { throw StorageError(.read, file: file.inode.name, code: 5) }
    let live = file.inode.live
    let start = min(Int(clamping: offset), live.count)
    let count = min(buffer.byteCount, live.count - start)
    buffer.withUnsafeMutableBytes { target in
      live.withUnsafeBytes { source in
        target.copyMemory(from: UnsafeRawBufferPointer(rebasing: source[start..<start + count]))
      }
    }
    return count
  }

  func write(_ bytes: RawSpan, to file: File, at offset: UInt64) throws(StorageError) {
    var code = try begin(.write, file.inode.name)
    let bytes = bytes.withUnsafeBytes { [UInt8]($0) }
    var taken = code == nil ? bytes.count : bytes.count * tornShare / 256
    if capacity != .max {
      let free = capacity - usedBytes + max(0, file.inode.live.count - Int(offset))
      if taken > free {
        taken = max(0, free)
        code = code ?? 28
        failures += 1
      }
    }
    if taken > 0 {
      file.inode.change(
        .write(offset: Int(offset), bytes: taken == bytes.count ? bytes : Array(bytes.prefix(taken))))
    }
    if let code { throw StorageError(.write, file: file.inode.name, code: code, written: taken) }
  }

  func sync(_ file: File) throws(StorageError) {
    let inode = file.inode
    if let code = try begin(.sync, inode.name) {
      // Who is killed while syncing has no failed sync: the system goes on with it.
      if hasStopped { throw StorageError(.sync, file: inode.name, code: code) }
      for index in inode.pending.indices { inode.pending[index].isDropped = true }
      throw StorageError(.sync, file: inode.name, code: code)
    }
    for (change, isDropped) in inode.pending where !isDropped { Inode.apply(change, to: &inode.durable) }
    Inode.resize(&inode.durable, to: inode.live.count)
    inode.pending = []
  }

  func truncate(_ file: File, to size: UInt64) throws(StorageError) {
    try check(.truncate, file.inode.name)
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
