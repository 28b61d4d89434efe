import JSON
import Testing

@testable import Classroom
@testable import SignalingProtocol

@Suite("The attendance report as JSON and as a table")
struct AttendanceDocumentTests {
  private static func at(_ minutes: Int64) -> Timestamp {
    Timestamp(milliseconds: 1_767_225_600_000 + minutes * 60_000)
  }

  /// A class of an hour with these people, each with name and address, half of it.
  private static func report(
    _ people: [(user: String, name: String, email: String?)], scope: AttendanceReport.Scope = .everybody
  ) throws -> AttendanceReport {
    let details = try SessionDraft(title: "Algebra \"1\"\u{1}").validated(
      id: "algebra", roomName: "r", host: "emmy", at: at(0))
    var classroom = try #require(Classroom(Classroom.creation(details, epoch: "e", by: "emmy")))
    let host = Actor(user: "emmy", name: "Emmy", role: .host)
    _ = try classroom.handle(.start, by: host, at: at(0))
    for person in people {
      let actor = Actor(user: person.user, name: person.name, role: .participant, email: person.email)
      _ = try classroom.handle(.join, by: actor, at: at(10))
      _ = try classroom.handle(.leave(at: at(40), isEstimated: false), by: actor, at: at(40))
    }
    _ = try classroom.handle(.end, by: host, at: at(60))
    return classroom.report(scope, thresholds: .init(), at: at(61))
  }

  private func json(_ report: AttendanceReport) -> [UInt8] {
    var writer = JSONWriter()
    AttendanceDocument.write(report, into: &writer)
    return writer.bytes
  }

  @Test(
    "what is written is its own canonical form", arguments: [AttendanceReport.Scope.everybody, .only("\u{1F600}=1")])
  func canonical(scope: AttendanceReport.Scope) throws {
    let bytes = json(
      try Self.report([("\u{1F600}=1", "Ada \"the first\"\n\u{7F}", "a@b.c"), ("bo", "Bø\\", nil)], scope: scope))
    var reader = JSONReader()
    var writer = JSONWriter()
    try reader.read(bytes) { view in
      #expect(throws: Never.self) { try CanonicalJSON.write(view, into: &writer) }
    }
    #expect(String(decoding: writer.bytes, as: UTF8.self) == String(decoding: bytes, as: UTF8.self))
  }

  @Test("a certificate has no address and none of the figures of all together")
  func certificate() throws {
    let report = try Self.report([("ada", "Ada", "a@b.c"), ("bo", "Bo", nil)], scope: .only("ada"))
    let text = String(decoding: json(report), as: UTF8.self)
    #expect(text.contains(#""document":"attendance_certificate""#) && !text.contains("a@b.c"))
    for name in ["totals", "series", "attended\":", "bo\""] { #expect(!text.contains("\"\(name)"), "\(name)") }
    #expect(!String(decoding: AttendanceCSV.text(report), as: UTF8.self).contains("a@b.c"))
    let full = String(decoding: json(try Self.report([("ada", "Ada", "a@b.c")])), as: UTF8.self)
    #expect(full.contains(#""email":"a@b.c""#) && full.contains(#""percent":100"#))
  }

  /// The records of a table, by RFC 4180.
  private func records(_ bytes: [UInt8]) -> [[String]] {
    var records: [[String]] = [[]]
    var field: [UInt8] = []
    var isQuoted = false
    var index = 0
    while index < bytes.count {
      let byte = bytes[index]
      index += 1
      if isQuoted {
        if byte != 0x22 {
          field.append(byte)
        } else if index < bytes.count, bytes[index] == 0x22 {
          field.append(0x22)
          index += 1
        } else {
          isQuoted = false
        }
      } else if byte == 0x22 {
        isQuoted = true
      } else if byte == 0x2C || byte == 0x0D {
        records[records.count - 1].append(String(decoding: field, as: UTF8.self))
        field = []
        if byte == 0x0D {
          #expect(bytes[index] == 0x0A)
          index += 1
          records.append([])
        }
      } else {
        field.append(byte)
      }
    }
    #expect(records.last == [] && field.isEmpty, "the last line ends too")
    return records.dropLast()
  }

  @Test("a table has a header and a line for each person, whatever is in the names")
  func table() throws {
    let names = ["Ada", "Lovelace, Ada", "\"Ada\"", "A\r\nB", " Ada ", "Å\u{1F600}", "a'b", "x=1"]
    let report = try Self.report(names.enumerated().map { ("u\($0)", $1, "\($0)@x.y") })
    let records = records(AttendanceCSV.text(report))
    #expect(records.count == names.count + 2 && Set(records.map(\.count)) == [18])
    #expect(records[0].prefix(4) == ["user", "name", "email", "role"])
    #expect(records.dropFirst(2).map { $0[1] } == names)
    #expect(
      records[2] == [
        "u0", "Ada", "0@x.y", "participant", "false", "attended", "true", "true", "2026-01-01T00:10:00.000Z",
        "2026-01-01T00:40:00.000Z", "30", "1800000", "0", "1800000", "0", "1", "false", "false",
      ])
  }

  @Test(
    "what a spreadsheet would take for a formula is text",
    arguments: [
      "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "=HYPERLINK(\"http://x\",\"y\")", "\u{FF1D}1",
      "\u{FF0B}1", "\u{FF0D}1", "\u{FF20}1", "\u{A0}=1", "=cmd|' /C calc'!A0", "-2+3+cmd", "\tx",
    ])
  func formulas(text: String) throws {
    let report = try Self.report([("u", text, text)])
    let record = try #require(records(AttendanceCSV.text(report)).last)
    #expect(record[1] == "'" + text && record[2] == "'" + text)
    let user = try Self.report([(text, "Name", nil)])
    #expect(try #require(records(AttendanceCSV.text(user)).last).first == "'" + text)
  }
}
