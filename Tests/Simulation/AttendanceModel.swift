import Classroom

/// When people really were in a session, from what happened to their connections: the least and the most that a report
/// may say. All times are the server's, in milliseconds.
final class AttendanceModel {
  /// What happened to one connection, as its server's socket saw it.
  final class Connection {
    /// When bytes last came in.
    var lastHeard: Int64 = 0
    /// When the server noticed that it is gone.
    var lostAt: Int64?
    /// Whether it is none: somebody who came in over HTTP, who is there until the end of the class, or until being sent
    /// out, if that comes before the next word.
    var isWithoutSocket = false
  }

  /// The time that one tab spent in a session.
  final class Span {
    enum End {
      /// It goes on; once it has begun, to the end of that class.
      case open
      case left(earliest: Int64, latest: Int64)
      /// The connection is gone; a leave that was sent then, and not answered, may have been done.
      case lost(Connection, leaving: Int64?)
    }

    var user: String
    let session: String
    /// When the join was sent, before which the time does not begin.
    private(set) var asked: Int64
    /// When the time had begun at the latest; nil while it may never have.
    var begun: Int64?
    var end = End.open
    let connection: Connection

    init(user: String, session: String, asked: Int64, connection: Connection) {
      self.user = user
      self.session = session
      self.asked = asked
      self.connection = connection
    }

    /// The server says when it let the tab in.
    func begin(at time: Int64) {
      asked = max(asked, time)
      begun = time
    }

    /// What becomes of it when the class ends: the tab reads, and is there again from some time on if the class goes on.
    func readingOn() -> Span {
      Span(user: user, session: session, asked: asked, connection: connection)
    }
  }

  /// An end of the server's process that it did not choose.
  private struct Outage {
    var at: Int64
    /// When the journal last said that the server lives.
    var lastAlive: Int64
  }

  /// That somebody who leads a class asked to send somebody out, or somebody over HTTP to leave.
  final class Expulsion {
    let user: String
    let session: String
    let asked: Int64
    /// Until when it may have been done.
    var answered: Int64
    /// Whether the person asked: who has no connection then was there all the same.
    let isOwnWish: Bool

    init(user: String, session: String, asked: Int64, isOwnWish: Bool = false) {
      self.user = user
      self.session = session
      self.asked = asked
      self.isOwnWish = isOwnWish
      answered = asked + 90_000
    }
  }

  private var spans: [Span] = []
  private var expulsions: [Expulsion] = []
  private var outages: [Outage] = []
  /// From the end of one process to the beginning of the next.
  private var downtimes: [(from: Int64, to: Int64)] = []
  private var stoppedAt: Int64?
  /// When a loop's records could not be written: nobody's time ends meanwhile.
  private var troubles: [(from: Int64, to: Int64)] = []
  private var failedAt: [Int: Int64] = [:]

  func add(_ span: Span) { spans.append(span) }
  func add(_ expulsion: Expulsion) { expulsions.append(expulsion) }
  func remove(_ span: Span) { spans.removeAll { $0 === span } }
  func crashed(at time: Int64, lastAlive: Int64) {
    outages.append(Outage(at: time, lastAlive: lastAlive))
    stopped(at: time)
  }
  func stopped(at time: Int64) { stoppedAt = stoppedAt ?? time }
  func restarted(at time: Int64) {
    if let stoppedAt { downtimes.append((stoppedAt, time)) }
    stoppedAt = nil
    for loop in failedAt.keys.sorted() { storageHealed(loop: loop, at: time) }
  }
  func storageFailed(loop: Int, at time: Int64) { failedAt[loop] = failedAt[loop] ?? time }
  func storageHealed(loop: Int, at time: Int64) {
    if let begin = failedAt.removeValue(forKey: loop) { troubles.append((begin, time)) }
  }

  /// The bounds for one user until `now`, in a session that was held at these times: the first begins with the session,
  /// the others are those for which it was opened again.
  func bounds(
    user: String, session: String, held: [(from: Int64, to: Int64)], now: Int64, grace: Int64
  ) -> (least: Int64, most: Int64) {
    /// When the class ends in which somebody is at that time, or is to be soon.
    func end(after time: Int64) -> Int64 { held.first { $0.to > time }?.to ?? now }
    // Who was here or awaited when the server or its disk went is awaited anew when it is back.
    let delays = (downtimes + troubles + failedAt.values.map { ($0, now) }).sorted { $0 < $1 }
    var certain: [(Int64, Int64)] = []
    var possible: [(from: Int64, to: Int64, until: Int64)] = []
    for span in spans where span.user == user && span.session == session {
      var earliest: Int64
      var latest: Int64
      switch span.end {
      case .open: (earliest, latest) = (now, span.begun.map(end(after:)) ?? now)
      case .left(let low, let high): (earliest, latest) = (low, high)
      case .lost(let connection, let leaving):
        (earliest, latest) = (min(connection.lastHeard, leaving ?? .max), connection.lostAt ?? now)
      }
      // What was not yet written down when the server went is reconstructed after it.
      for outage in outages {
        if outage.at >= span.begun ?? span.asked, outage.at <= latest + 5000 {
          latest = max(latest, outage.at)
          earliest = min(earliest, outage.lastAlive)
        }
      }
      for expulsion in expulsions where expulsion.user == user && expulsion.session == session {
        // From then on nothing is certain any more.
        if expulsion.answered >= span.asked { earliest = min(earliest, max(expulsion.asked, span.asked)) }
      }
      if let begun = span.begun {
        let limit = min(earliest, end(after: begun))
        if begun < limit { certain.append((begun, limit)) }
      }
      var until = latest + grace
      for (from, to) in delays where to >= latest - 5000 && from <= until + 2000 { until = max(until, to + grace) }
      if case .lost(let connection, _) = span.end {
        let ended = end(after: span.asked)
        if connection.isWithoutSocket, ended <= until + 2000 { latest = max(latest, ended) }
        for expulsion in expulsions where expulsion.user == user && expulsion.session == session {
          guard connection.isWithoutSocket || expulsion.isOwnWish else { continue }
          if expulsion.answered >= span.asked, expulsion.asked <= until + 2000 {
            latest = max(latest, min(expulsion.answered, until))
          }
        }
      }
      possible.append((span.asked, max(latest, span.asked), until))
    }
    certain.sort { $0 < $1 }
    possible.sort { ($0.from, $0.to) < ($1.from, $1.to) }
    let most = bridged(possible).flatMap { span in
      held.map { (max(span.0, $0.from), min(span.1, $0.to)) }.filter { $0.0 < $0.1 }
    }
    return (Self.length(certain), Self.length(most.sorted { $0 < $1 }))
  }

  /// Who came back in time was never gone.
  private func bridged(_ spans: [(from: Int64, to: Int64, until: Int64)]) -> [(Int64, Int64)] {
    var result: [(Int64, Int64)] = []
    var until = Int64.min
    for span in spans {
      if let last = result.last, span.from <= until + 2000 {
        result[result.count - 1] = (last.0, max(last.1, span.to))
      } else {
        result.append((span.from, span.to))
      }
      until = max(until, span.until)
    }
    return result
  }

  private static func length(_ intervals: [(Int64, Int64)]) -> Int64 {
    var sum: Int64 = 0
    var end = Int64.min
    for (from, to) in intervals where to > end {
      sum += to - max(from, end)
      end = to
    }
    return sum
  }
}
