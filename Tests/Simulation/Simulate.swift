import ArgumentParser
import Foundation

#if PLANTED_BUGS
  import PlantedBugs
#endif

/// Runs whole simulated worlds, each from a seed.
@main
struct Simulate: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "simulate",
    abstract: "Run the real room shard, protocol machines and persistence in simulated worlds, each from a seed.")

  @Option(help: "How many seeds to run.")
  var seeds: UInt64 = 1000

  @Option(help: "The first of the seeds.")
  var first: UInt64 = 1

  @Option(help: "Run this one seed and print its trace.")
  var seed: UInt64?

  @Option(help: "How many of the last lines of a trace to print; 0 for all.")
  var lines = 60

  @Option(help: "How many seeds to run at the same time.")
  var jobs = 2

  @Option(help: "Switch a planted bug on and look for it: its name, or 'all' for one after another.")
  var planted: String?

  @Flag(help: "Fail if a command, a request or a fault was exercised by no seed.")
  var coverage = false

  func validate() throws {
    guard jobs > 0, seeds > 0 else { throw ValidationError("At least one seed and one job are needed.") }
  }

  func run() throws {
    if planted == "all" { return try lookForAll() }
    try plant()
    Traps.install(exitCode: planted == nil ? 3 : 0)
    if let seed { return try replay(seed) }
    let start = Self.processorSeconds()
    let batch = Batch(first: first, count: seeds)
    DispatchQueue.concurrentPerform(iterations: jobs) { batch.work(as: $0) }
    let seconds = Self.processorSeconds() - start
    if let (seed, violation) = batch.failure {
      if let planted {
        print("\(planted): found by seed \(seed): \(violation.invariant): \(violation.detail.prefix(160))")
        return
      }
      try replay(seed)
      throw ExitCode.failure
    }
    let speed = Int(batch.classHours / max(0.001, seconds) * 60)
    print(
      "\(seeds) seeds from \(first): every invariant holds; \(Int(batch.classHours)) class-hours in \(Int(seconds)) CPU "
        + "seconds, \(speed) class-hours per CPU minute; \(batch.facts) facts, \(batch.acknowledged) acknowledgements")
    if let planted {
      print("\(planted): NOT FOUND in \(seeds) seeds")
      throw ExitCode.failure
    }
    let missing = batch.coverage.missing
    if !missing.isEmpty {
      print("not exercised: \(missing.joined(separator: ", "))")
      if coverage { throw ExitCode.failure }
    }
  }

  private func replay(_ seed: UInt64) throws {
    let world = World(seed: seed, isReadable: true)
    world.run()
    for line in lines == 0 ? world.trace.lines[...] : world.trace.lines.suffix(lines) { print(line) }
    print("seed \(seed): \(world.scheduler.steps) steps, hash \(String(world.trace.hash, radix: 16))")
    guard let violation = world.violation else { return print("every invariant holds") }
    print("VIOLATION of \"\(violation.invariant)\" by seed \(seed): \(violation.detail)")
    print("replay it with: make simulate SEED=\(seed)")
    throw ExitCode.failure
  }

  private func plant() throws {
    guard let planted else { return }
    #if PLANTED_BUGS
      guard let bug = PlantedBug(rawValue: planted) else {
        throw ValidationError(
          "There is no planted bug \(planted): \(PlantedBug.allCases.map(\.rawValue).joined(separator: ", "))")
      }
      PlantedBugs.active = bug
    #else
      throw ValidationError("This build has no planted bugs; make simulate makes one that has.")
    #endif
  }

  /// Each in a process of its own, since some of them trap.
  private func lookForAll() throws {
    #if PLANTED_BUGS
      var missed: [String] = []
      for bug in PlantedBug.allCases {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: CommandLine.arguments[0])
        process.arguments = [
          "--planted", bug.rawValue, "--seeds", "\(seeds)", "--first", "\(first)", "--jobs", "\(jobs)",
        ]
        try process.run()
        process.waitUntilExit()
        if process.terminationStatus != 0 { missed.append(bug.rawValue) }
      }
      let all = PlantedBug.allCases.count
      print("\(all - missed.count) of \(all) planted bugs found")
      if !missed.isEmpty { throw ExitCode.failure }
    #else
      throw ValidationError("This build has no planted bugs; make simulate makes one that has.")
    #endif
  }

  private static func processorSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}

/// Seeds that several threads run, each in a world of its own.
///
/// Unchecked, because everything that changes is behind the lock.
private final class Batch: @unchecked Sendable {
  private let lock = NSLock()
  private var next: UInt64
  private let end: UInt64
  private(set) var classHours = 0.0
  private(set) var facts = 0
  private(set) var acknowledged = 0
  private(set) var coverage = Coverage()
  private(set) var failure: (seed: UInt64, violation: Violation)?

  init(first: UInt64, count: UInt64) {
    next = first
    end = first + count
  }

  private func take() -> UInt64? {
    lock.withLock {
      guard next < end, failure == nil else { return nil }
      next += 1
      return next - 1
    }
  }

  func work(as worker: Int) {
    while let seed = take() {
      Traps.note(seed, by: worker)
      let world = World(seed: seed, isReadable: false)
      world.run()
      lock.withLock {
        classHours += world.classHours
        facts += world.history.factCount
        acknowledged += world.history.acknowledgedCount
        coverage.merge(world.coverage)
        // The lowest seed is reported, whichever thread is first.
        if let violation = world.violation, failure.map({ seed < $0.seed }) ?? true { failure = (seed, violation) }
      }
    }
  }
}

/// A trap ends the process: this says during which seeds.
private enum Traps {
  /// Written by one thread each, read by a signal handler: nothing safer is allowed there.
  nonisolated(unsafe) private static let seeds = UnsafeMutablePointer<UInt64>.allocate(capacity: 64)
  nonisolated(unsafe) private static var exitCode: Int32 = 3

  static func install(exitCode code: Int32) {
    seeds.initialize(repeating: 0, count: 64)
    exitCode = code
    for number in [SIGILL, SIGTRAP, SIGSEGV, SIGBUS, SIGABRT] {
      signal(number) { _ in
        Traps.say("a trap while running seed")
        for worker in 0..<64 where Traps.seeds[worker] > 0 { Traps.say(Traps.seeds[worker]) }
        Traps.say("\n")
        _exit(Traps.exitCode)
      }
    }
  }

  static func note(_ seed: UInt64, by worker: Int) { if worker < 64 { seeds[worker] = seed } }

  private static func say(_ text: StaticString) { _ = write(1, text.utf8Start, text.utf8CodeUnitCount) }

  private static func say(_ number: UInt64) {
    var digit: UInt8 = UInt8(ascii: " ")
    _ = write(1, &digit, 1)
    var divisor: UInt64 = 1
    while number / divisor >= 10 { divisor *= 10 }
    while divisor > 0 {
      digit = UInt8(ascii: "0") + UInt8(number / divisor % 10)
      _ = write(1, &digit, 1)
      divisor /= 10
    }
  }
}
