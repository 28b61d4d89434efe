import Testing

@testable import Simulation

@Suite("Simulated worlds")
struct SimulationTests {
  @Test("the same seed leads to the same world, step by step", arguments: [3, 11] as [UInt64])
  func determinism(seed: UInt64) {
    let first = World(seed: seed, isReadable: false)
    first.run()
    let second = World(seed: seed, isReadable: true)
    second.run()
    #expect(first.trace.hash == second.trace.hash)
    #expect(first.scheduler.steps == second.scheduler.steps)
    #expect(!second.trace.lines.isEmpty)
  }

  @Test("every invariant holds", arguments: 1...4 as ClosedRange<UInt64>)
  func invariants(seed: UInt64) {
    let world = World(seed: seed, isReadable: false)
    world.run()
    #expect(world.violation == nil, "\(world.violation?.invariant ?? ""): \(world.violation?.detail ?? "")")
    #expect(world.history.factCount > 0)
  }
}
