import Testing

@testable import loadtest

@Suite("Who does what when")
struct ChoreographyTests {
  private func classroom(seed: UInt64 = 1, attendees: Int = 200, seconds: Double = 60) -> Choreography {
    var random = SeededGenerator(seed: seed)
    return .classroom(attendees: attendees, seconds: seconds, graceSeconds: 20, using: &random)
  }

  @Test("the same seed is the same class, another seed another")
  func seeds() {
    #expect(classroom().steps == classroom().steps)
    #expect(classroom().steps != classroom(seed: 2).steps)
  }

  @Test("everybody comes, and the host starts the class once", arguments: [2, 3, 17, 1000])
  func everybody(_ attendees: Int) {
    let steps = classroom(attendees: attendees).steps
    #expect(Set(steps.filter { $0.act == .arrive }.map(\.place)) == Set(1...attendees))
    #expect(steps.count { $0.act == .start } == 1)
    #expect(steps.allSatisfy { $0.second >= 0 && $0.second < 60 && (0...attendees).contains($0.place) })
  }

  @Test("nothing befalls anybody before they are there, and one destiny is enough")
  func order() {
    for seed in 1...20 as ClosedRange<UInt64> {
      let steps = classroom(seed: seed).steps
      for (place, list) in Dictionary(grouping: steps.filter { $0.place > 0 }, by: \.place) {
        let destinies = list.filter {
          switch $0.act {
          case .leave, .closeTab, .lose, .stopReading: true
          default: false
          }
        }
        #expect(destinies.count <= 1, "\(place)")
        #expect(list.first?.act == .arrive)
      }
    }
  }

  @Test("who closes the tab is gone before the end, or nobody does when there is no time for that")
  func closers() {
    let latest = classroom().steps.filter { $0.act == .closeTab }.map(\.second).max() ?? 0
    #expect(latest > 0)
    #expect(latest < 60 - 20 - 2)
    #expect(!classroom(seconds: 25).steps.contains { $0.act == .closeTab })
  }

  @Test("a tenth loses the network at the same moment")
  func blip() {
    let losses = classroom().steps.filter { if case .lose = $0.act { $0.second == 36 } else { false } }
    #expect(losses.count == 20)
  }

  @Test("who comes and goes has come back before going again")
  func churn() {
    var random = SeededGenerator(seed: 3)
    let plan = Choreography.churn(attendees: 10, seconds: 20, rate: 5, using: &random)
    #expect(plan.steps.count { $0.act == .leave } > 20)
    for list in Dictionary(grouping: plan.steps, by: \.place).values {
      var isHere = true
      for step in list {
        switch step.act {
        case .arrive:
          #expect(!isHere)
          isHere = true
        case .leave:
          #expect(isHere)
          isHere = false
        default: #expect(isHere)
        }
      }
    }
  }

  @Test("faults befall the shares that were asked for, nobody twice")
  func faults() throws {
    var random = SeededGenerator(seed: 4)
    let shares = try #require(FaultShares("reset=10%,cut=0.05,half-open=0.2,slow=0.1"))
    let plan = Choreography.faults(shares, attendees: 100, seconds: 10, using: &random)
    #expect(plan.steps.count == 45)
    #expect(Set(plan.steps.map(\.place)).count == 45)
  }

  @Test("shares that are not shares are refused")
  func shares() {
    #expect(FaultShares("none") == FaultShares())
    #expect(FaultShares("slow=1")?.slow == 1)
    for wrong in [
      "", "reset", "reset=", "reset=2", "reset=-1", "reset=nan", "burn=0.1", "reset=60%,cut=50%", "reset=0.1,",
    ] {
      #expect(FaultShares(wrong) == nil, "\(wrong)")
    }
  }

  @Test("own addresses are a number or a list")
  func sources() {
    #expect(SourceAddressChoice("3") == .loopback(3))
    #expect(SourceAddressChoice("10.0.0.1,10.0.0.2") == .these(["10.0.0.1", "10.0.0.2"]))
    for wrong in ["", "0", "251", "a,,b", "-1,"] { #expect(SourceAddressChoice(wrong) == nil, "\(wrong)") }
  }
}

@Suite("The agenda")
struct AgendaTests {
  @Test("gives what is due by time, and of the same time as it was noted")
  func order() {
    var agenda = Agenda()
    var random = SeededGenerator(seed: 1)
    let times = (0..<500).map { _ in Int64.random(in: 0..<50, using: &random) }
    for (index, time) in times.enumerated() { agenda.note(.arrive, by: index, at: time) }
    var taken: [(time: Int64, person: Int)] = []
    while let entry = agenda.takeDue(30) { taken.append((entry.time, entry.person)) }
    let expected = times.enumerated().filter { $0.element <= 30 }.map { (time: $0.element, person: $0.offset) }
      .sorted { ($0.time, $0.person) < ($1.time, $1.person) }
    #expect(taken.map(\.person) == expected.map(\.person))
    #expect(agenda.next > 30)
  }
}
