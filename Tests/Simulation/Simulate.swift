import ArgumentParser

/// Runs whole simulated worlds, each from a seed.
@main
struct Simulate: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "simulate",
    abstract: "Run the real room shard, protocol machines and persistence in simulated worlds, each from a seed.")

  @Option(help: "How many seeds to run.")
  var seeds: UInt64 = 100

  @Option(help: "The first of the seeds.")
  var first: UInt64 = 1

  @Option(help: "Run one seed, and print its trace.")
  var seed: UInt64?

  @Option(help: "How many lines of the trace to print at most.")
  var lines = 200

  func run() throws {
    if let seed {
      let world = World(seed: seed, isReadable: true)
      world.run()
      for line in world.trace.lines.suffix(lines) { print(line) }
      print("seed \(seed): \(world.scheduler.steps) steps, hash \(String(world.trace.hash, radix: 16))")
      if let violation = world.violation {
        print("VIOLATION of \(violation.invariant): \(violation.detail)")
        throw ExitCode.failure
      }
      return
    }
    var hours = 0.0
    var coverage = Coverage()
    for seed in first..<first + seeds {
      let world = World(seed: seed, isReadable: false)
      world.run()
      hours += world.classHours
      coverage.merge(world.coverage)
      if let violation = world.violation {
        print("seed \(seed): \(violation.invariant): \(violation.detail)")
        throw ExitCode.failure
      }
    }
    print("\(seeds) seeds, \(hours) class-hours; not exercised: \(coverage.missing)")
  }
}
