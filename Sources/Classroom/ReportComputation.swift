extension Classroom {
  /// Somebody who was invited, or let in by the host beforehand.
  struct ExpectedPerson {
    var user: String
    var name: String
    var email: String?
  }

  /// Who was invited, or let in by the host beforehand, in that order.
  var expectedPeople: [ExpectedPerson] {
    roster.entries.values.compactMap { entry in
      entry.state.isIn ? ExpectedPerson(user: entry.user, name: entry.name, email: entry.email) : nil
    }
  }

  /// The person of that id, if invited, or let in by the host beforehand.
  func expected(_ user: String) -> ExpectedPerson? {
    guard let entry = roster[user], entry.state.isIn else { return nil }
    return ExpectedPerson(user: entry.user, name: entry.name, email: entry.email)
  }

  /// The attendance as it stands.
  /// - Parameters:
  ///   - scope: whose figures are asked for. Of somebody who neither came nor was invited the report has no row.
  ///   - now: the time until which what is open counts.
  public func report(
    _ scope: AttendanceReport.Scope, thresholds: AttendanceReport.Thresholds, at now: Timestamp
  ) -> AttendanceReport {
    let reading = ReportReading(self, thresholds: thresholds, at: now)
    var report = AttendanceReport(
      view: view, at: now, scope: scope, thresholds: thresholds, spans: attendance.spans,
      liveMilliseconds: reading.liveMilliseconds, people: [], totals: nil, series: nil)
    switch scope {
    case .only(let user):
      let expected = expected(user)
      if let row = attendance[user] {
        report.people = [reading.person(row, expected: expected)]
      } else if let expected {
        report.people = [reading.person(expected)]
      }
    case .everybody:
      report.people = reading.people(of: self)
      var curve = PresenceCurve()
      report.totals = reading.totals(of: report.people, curve: &curve)
      report.series = curve.series(in: attendance.spans, at: now)
    }
    return report
  }

  /// The figures of all together, without those of each.
  public func attendanceTotals(
    _ thresholds: AttendanceReport.Thresholds, at now: Timestamp
  ) -> AttendanceReport.Totals {
    let reading = ReportReading(self, thresholds: thresholds, at: now)
    var curve = PresenceCurve()
    return reading.totals(of: reading.people(of: self), curve: &curve)
  }
}

/// What the figures of everybody in a report have in common.
private struct ReportReading {
  let host: String
  let attendance: Attendance
  let now: Timestamp
  let liveMilliseconds: Int64
  let minimum: Int64
  /// Who first comes later is late; nil when the session was never live.
  let lateAfter: Timestamp?
  /// Who is last seen earlier has left early; nil while the session is live.
  let leftEarlyBefore: Timestamp?

  init(_ classroom: Classroom, thresholds: AttendanceReport.Thresholds, at now: Timestamp) {
    let spans = classroom.attendance.spans
    host = classroom.details.host
    attendance = classroom.attendance
    self.now = now
    liveMilliseconds = spans.reduce(0) { $0 + max(0, ($1.to ?? now).milliseconds(since: $1.from)) }
    minimum = thresholds.minimum(ofLive: liveMilliseconds)
    let planned = classroom.details.scheduledAt
    let plannedEnd = planned.advanced(byMilliseconds: Int64(classroom.details.durationMinutes) * 60_000)
    lateAfter = spans.first.map { span in
      Self.beginning(of: span, planned: planned, now).advanced(byMilliseconds: thresholds.lateAfterMilliseconds)
    }
    leftEarlyBefore = spans.last.flatMap { span in
      span.to.map { end in
        Self.end(of: span, to: end, planned: plannedEnd)
          .advanced(byMilliseconds: -thresholds.leftEarlyBeforeMilliseconds)
      }
    }
  }

  /// When the class began for who comes to it: doors that open early make nobody late, nor does a late start.
  private static func beginning(of span: Attendance.Span, planned: Timestamp, _ now: Timestamp) -> Timestamp {
    span.from < planned && planned < span.to ?? now ? planned : span.from
  }

  /// When the class ended for who leaves it: a class that runs over its time holds nobody back.
  private static func end(of span: Attendance.Span, to end: Timestamp, planned: Timestamp) -> Timestamp {
    span.from < planned && planned < end ? planned : end
  }

  // MARK: People

  func people(of classroom: Classroom) -> [AttendanceReport.Person] {
    let expected = classroom.expectedPeople
    var people: [AttendanceReport.Person] = []
    people.reserveCapacity(classroom.attendance.rows.count + expected.count)
    for row in classroom.attendance.rows.values {
      people.append(person(row, expected: classroom.expected(row.user)))
    }
    for invitee in expected where invitee.user != host && classroom.attendance[invitee.user] == nil {
      people.append(person(invitee))
    }
    return people
  }

  func person(_ row: Attendance.Row, expected: Classroom.ExpectedPerson?) -> AttendanceReport.Person {
    let milliseconds = row.milliseconds(until: now)
    let leads = row.user == host || row.firstRole.isHosting || row.firstRole == .admin
    let isExpected = expected != nil && row.user != host
    let hasAttended = row.isActive || !row.segments.isEmpty && milliseconds >= minimum
    var person = AttendanceReport.Person(
      user: row.user, name: row.name, email: expected?.email ?? row.email, role: row.role, isInvited: isExpected,
      isCounted: isExpected || !leads, hasAttended: hasAttended, isLate: false, hasLeftEarly: false,
      isActive: row.isActive, segments: row.segments, liveMilliseconds: milliseconds, breakoutMilliseconds: 0,
      waitingMilliseconds: waiting(row.user, outside: row.segments))
    if hasAttended, let first = person.firstJoin, let lateAfter { person.isLate = first > lateAfter }
    if hasAttended, let last = person.lastLeave, let leftEarlyBefore { person.hasLeftEarly = last < leftEarlyBefore }
    return person
  }

  /// Somebody who did not come.
  func person(_ expected: Classroom.ExpectedPerson) -> AttendanceReport.Person {
    AttendanceReport.Person(
      user: expected.user, name: expected.name, email: expected.email, role: .participant, isInvited: true,
      isCounted: true, hasAttended: false, isLate: false, hasLeftEarly: false, isActive: false, segments: [],
      liveMilliseconds: 0, breakoutMilliseconds: 0, waitingMilliseconds: waiting(expected.user, outside: []))
  }

  /// The time that somebody waited, as far as that was not at the same time attendance.
  private func waiting(_ user: String, outside segments: [Attendance.Segment]) -> Int64 {
    guard let waits = attendance.waits[user] else { return 0 }
    return waits.segments.reduce(0) { sum, wait in
      let end = min(wait.to ?? now, now)
      let inClass = segments.reduce(into: Int64(0)) { overlap, segment in
        let common = min(end, segment.to ?? now).milliseconds(since: max(wait.from, segment.from))
        overlap += max(0, common)
      }
      return sum + max(0, end.milliseconds(since: wait.from) - inClass)
    }
  }

  // MARK: Everybody together

  func totals(of people: [AttendanceReport.Person], curve: inout PresenceCurve) -> AttendanceReport.Totals {
    var totals = AttendanceReport.Totals()
    for person in people where person.isCounted {
      totals.people += 1
      if person.isInvited { totals.invited += 1 }
      if person.hasAttended { totals.attended += 1 }
      if person.isLate { totals.late += 1 }
      if person.hasLeftEarly { totals.leftEarly += 1 }
      if person.isActive { totals.present += 1 }
      totals.milliseconds += person.milliseconds
      for segment in person.segments { curve.add(from: segment.from, to: segment.to ?? now) }
    }
    (totals.peak, totals.peakAt) = curve.peak()
    if liveMilliseconds > 0 {
      let (product, overflow) = totals.milliseconds.multipliedReportingOverflow(by: 100)
      totals.averageHundredths = overflow ? 0 : product / liveMilliseconds
    }
    return totals
  }
}
