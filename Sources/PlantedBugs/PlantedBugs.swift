#if PLANTED_BUGS
  /// Mistakes that can be switched on in a build of their own, to see that the simulator finds each. No release has them.
  public enum PlantedBug: String, CaseIterable, Sendable {
    /// A batch counts as safe although nothing was synced.
    case syncSkipped
    /// A new file's name is not synced with its folder.
    case directorySyncSkipped
    /// Records are read without looking at their checksums.
    case checksumUnchecked
    /// What was refused after a failed write stays in the journal.
    case rejectedRecordReturns
    /// A snapshot says that it covers one record more than it does.
    case snapshotAheadOfItself
    /// A record that a snapshot includes already is done once more.
    case replayOverlaps
    /// Snapshots leave out the idempotency keys.
    case keysMissingFromSnapshot
    /// Messages do not wait for the disk.
    case answerBeforeSync
    /// Requests are answered from state that is not safe.
    case readPastBarrier
    /// A resume leaves out the first of the missed events.
    case resumeOffByOne
    /// Who catches up takes part in what is said meanwhile.
    case catchUpOverlaps
    /// A resume leaves out the oldest of the kept signals.
    case signalForgotten
    /// The end of a connection that another has taken over takes the peer with it.
    case lateCloseOfOldSocket
    /// Who came back in time is sent away all the same.
    case graceForgotten
    /// The grace counts as presence.
    case graceCounted
    /// A second tab opens a second attendance.
    case secondTabCounted
    /// A repeated command is done once more.
    case duplicateKeyExecuted
    /// Who leaves stays in the others' presence.
    case departureUntold
    /// Who left a session still gets its events.
    case eventsAfterLeaving
    /// A page of chat leaves out one message.
    case pageSkipsOne
    /// Who is banned comes in again by going on where the connection stopped.
    case banForgottenOnResume
    /// Nobody waits from one message to the next.
    case slowModeIgnored
    /// Who was let in by a host has to wait again after a restart.
    case admissionMissingFromSnapshot
    /// Who is muted may turn the microphone on.
    case muteIgnored
    /// What was taken back is still said to those who come back.
    case deletedMessageReturns
    /// The time in the waiting room counts as attendance.
    case waitingCounted
    /// An address from before the end of a class comes back when the class goes on and the server was restarted.
    case addressOutlivesClass
  }

  /// Which mistake is made.
  public enum PlantedBugs {
    /// Set before anything runs, and not changed while something does: that is why no lock is needed.
    nonisolated(unsafe) public static var active: PlantedBug?

    /// Whether this mistake is made.
    @inline(__always)
    public static func isActive(_ bug: PlantedBug) -> Bool { active == bug }
  }
#endif
