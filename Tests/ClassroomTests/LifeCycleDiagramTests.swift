import Foundation
import Testing

@testable import Classroom

/// Draws the table of the life cycle for people who read `protocol/`.
@Suite("The diagram of the life of a session")
struct LifeCycleDiagramTests {
  private static let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("protocol/life-cycle.md")

  /// Where to write the diagram anew: `ROLLCALL_WRITE_DIAGRAM=1 swift test --filter LifeCycleDiagramTests`.
  private static let variable = "ROLLCALL_WRITE_DIAGRAM"

  private static var text: String {
    var lines = [
      "# The life of a session", "",
      "Made from the table in `Sources/Classroom/LifeCycle.swift`; a test holds the two equal.", "",
      "```mermaid", "stateDiagram-v2",
    ]
    for step in LifeCycle.steps {
      let parties = step.parties.map(\.rawValue).joined(separator: ", ")
      let condition = step.condition.map { "; \($0)" } ?? ""
      let sources = SessionStatus.allCases.filter { step.from.contains($0) }.map(\.rawValue)
      for source in sources.isEmpty ? ["[*]"] : sources {
        lines.append("  \(source) --> \(step.to.rawValue): \(step.transition.rawValue) (\(parties)\(condition))")
      }
    }
    lines += ["```", "", "| transition | from | to | who | if |", "| --- | --- | --- | --- | --- |"]
    for step in LifeCycle.steps {
      let sources = SessionStatus.allCases.filter { step.from.contains($0) }.map(\.rawValue).joined(separator: ", ")
      lines.append(
        "| \(step.transition.rawValue) | \(sources) | \(step.to.rawValue) | "
          + "\(step.parties.map(\.rawValue).joined(separator: ", ")) | \(step.condition ?? "") |")
    }
    return lines.joined(separator: "\n") + "\n"
  }

  @Test("it shows the table as it is")
  func isCurrent() throws {
    if ProcessInfo.processInfo.environment[Self.variable] != nil {
      try Self.text.write(to: Self.file, atomically: true, encoding: .utf8)
    }
    #expect(try String(contentsOf: Self.file, encoding: .utf8) == Self.text)
  }

  @Test("from every state and by every transition the table leads to one state at most")
  func isUnambiguous() {
    for status in SessionStatus.allCases {
      for transition in Transition.allCases {
        #expect(LifeCycle.steps.count { $0.transition == transition && $0.from.contains(status) } <= 1)
      }
    }
  }
}
