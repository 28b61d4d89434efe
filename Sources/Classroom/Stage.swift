/// Who may send sound and pictures to the class. Everybody else is the audience: it sees and hears.
///
/// Hosts, cohosts and administrators always may, and take no place.
public struct Stage: Sendable, Hashable {
  /// Who else may.
  public enum Mode: String, Sendable, CaseIterable {
    /// Whoever begins to send while a place is free; who stops gives it back.
    case open
    /// Only who is invited.
    case invited
  }

  public var mode = Mode.open
  /// For how many people there is a place; nil for as many as the server's settings say.
  public var places: Int?
  /// Who may send whatever the mode, in the order of the invitations. An invitation holds for who goes and comes back.
  public internal(set) var invited: [String] = []

  /// The stage of a new session.
  public init() {}

  /// A stage as it was kept.
  public init(mode: Mode, places: Int?, invited: [String]) {
    (self.mode, self.places, self.invited) = (mode, places, invited)
  }

  /// The bounds of ``places``.
  public static let placesRange = 0...64

  func names(_ user: String) -> Bool { invited.contains(user) }

  mutating func erase(_ user: String, as pseudonym: String) {
    invited = invited.map { $0 == user ? pseudonym : $0 }
  }

  /// The bytes of the ids in it.
  var textBytes: Int { invited.reduce(0) { $0 + $1.utf8.count } }
}

/// A wish to change a ``Stage``; nil leaves a part as it is.
public struct StageChange: Sendable, Hashable {
  public var mode: Stage.Mode?
  public var places: Int?

  /// A change of nothing.
  public init(mode: Stage.Mode? = nil, places: Int? = nil) {
    (self.mode, self.places) = (mode, places)
  }

  var digestFields: [String] { [mode?.rawValue ?? "", places.map { "\($0)" } ?? ""] }
}

// Who is let onto the stage, and who has to leave it.
extension Classroom {
  /// Decides on a command about the stage.
  func decideOnStage(_ command: Command, by actor: Actor, rules: ConductRules) throws(Refusal) -> [Event] {
    var stage = conduct.stage
    switch command {
    case .setStage(let change):
      try require(.manageStage, of: actor)
      if let places = change.places, !Stage.placesRange.contains(places) {
        throw .invalidField(
          "places", "A stage has \(Stage.placesRange.lowerBound) to \(Stage.placesRange.upperBound) places.")
      }
      stage.mode = change.mode ?? stage.mode
      stage.places = change.places ?? stage.places

    case .inviteToStage(let user):
      try require(.manageStage, of: actor)
      guard attendance.isActive(user) else { throw .noSuchParticipant }
      guard !stage.invited.contains(user) else { return [] }
      // Who is not here takes no place, and gives way when there are too many to remember.
      if stage.invited.count >= Stage.placesRange.upperBound {
        stage.invited = stage.invited.filter(attendance.isActive)
      }
      let taken = stage.invited.count { attendance.isActive($0) }
      guard taken < stage.places ?? rules.stagePlaces, stage.invited.count < Stage.placesRange.upperBound else {
        throw .stageFull
      }
      stage.invited.append(user)

    case .removeFromStage(let user):
      try require(.manageStage, of: actor)
      guard attendance.isActive(user) else { throw .noSuchParticipant }
      stage.invited.removeAll { $0 == user }
      return (stage == conduct.stage ? [] : [.stageChanged(stage)]) + [.takenOffStage(user: user)]

    case .leaveStage:
      try require(.takeStage, of: actor)
      guard attendance.isActive(actor.user) else { throw .notPresent }
      stage.invited.removeAll { $0 == actor.user }
      return (stage == conduct.stage ? [] : [.stageChanged(stage)]) + [.takenOffStage(user: actor.user)]

    default: preconditionFailure("the other commands are not about the stage")
    }
    return stage == conduct.stage ? [] : [.stageChanged(stage)]
  }

  /// Takes in an event about the stage.
  mutating func applyStage(_ recorded: RecordedEvent) {
    switch recorded.event {
    case .stageChanged(let stage):
      conduct.stage = stage
      stream.append(
        StreamEvent(sequence: stream.last + 1, at: recorded.at, by: recorded.by, content: .stage(stage)))
    case .takenOffStage(let user):
      conduct.append(.takenOffStage, to: .user(user), at: recorded.at, by: recorded.by)
    default: preconditionFailure("the other events are not about the stage")
    }
  }

  /// Puts back the stage as a snapshot kept it.
  public mutating func restore(_ stage: Stage) { conduct.stage = stage }
}
