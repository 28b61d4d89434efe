import Foundation
import Testing

@testable import Persistence
@testable import SignalingServer

/// Folders as earlier versions left them.
@Suite("Folders of earlier formats")
struct EarlierFormatTests {
  /// The journal of a server of format 1: `algebra`, in which Ada said two things and stayed, and `over`, which is.
  private static let journalOfFormat1 = """
    UkNKT1VSTkwBAAAAAAAAANTVXdklJE0TQ1yGezBnRA4BAAAAAAAAAOP4Jv6hAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
    AAAAAAAAAAAACyZhE71NVd2SUkTRNDXIZ7MGdEDn0BAAABAAAAAQAAAAAAAAAsG4FbdQEAAOVQF+oBAAAAAAAAAAEAAAAAAAAAAQcAYWxnZWJy
    YXsiYXQiOjE3OTUyNjUzMzExMjIsImJ5IjoidGVhY2hlciIsImVwb2NoIjoiZXgzeGhpNGljYWl4ZGJhb3IiLCJ0aXRsZSI6IkFsZ2VicmEiLC
    JkZXNjcmlwdGlvbiI6IiIsImluc3RydWN0b3IiOiIiLCJraW5kIjoidmlkZW8iLCJob3N0IjoidGVhY2hlciIsInNjaGVkdWxlZF9hdCI6MTc5
    NTI2NTMzMTEyMiwidGltZV96b25lIjoiVVRDIiwiZHVyYXRpb25fbWludXRlcyI6NjAsImFkbWlzc2lvbiI6Im9wZW4iLCJ2aXNpYmlsaXR5Ij
    oibGlzdGVkIiwiZ3Vlc3RzIjpmYWxzZSwicm9vbV9uYW1lIjoiYWxnZWJyYV9sajVjajRuandyNTYydWljdngzd3M1cG5ubSIsImNyZWF0ZWRf
    YXQiOjE3OTUyNjUzMzExMjJ91NVd2SUkTRNDXIZ7MGdEDskAAAACAAAAAgAAAAAAAADGjYb5UAAAAE/ql8ACAAAAAAAAAAIAAAAAAAAAAgcAYW
    xnZWJyYXsiYXQiOjE3OTUyNjUzMzExMjgsImJ5IjoidGVhY2hlciIsInN0YXR1cyI6Im9uZ29pbmcifWkAAAAdNWgnAwAAAAAAAAADAAAAAAAA
    AAMHAGFsZ2VicmF7ImF0IjoxNzk1MjY1MzMxMTI4LCJieSI6InRlYWNoZXIiLCJ1c2VyIjoidGVhY2hlciIsIm5hbWUiOiJBZGEiLCJyb2xlIj
    oiaG9zdCJ91NVd2SUkTRNDXIZ7MGdEDnQBAAABAAAABAAAAAAAAAC/xklIbAEAAIeh1xEEAAAAAAAAAAEAAAAAAAAAAQQAb3ZlcnsiYXQiOjE3
    OTUyNjUzMzExMzEsImJ5IjoidGVhY2hlciIsImVwb2NoIjoiZWFtcGt4bDRscWM3N3dod2UiLCJ0aXRsZSI6Ik92ZXIiLCJkZXNjcmlwdGlvbi
    I6IiIsImluc3RydWN0b3IiOiIiLCJraW5kIjoidmlkZW8iLCJob3N0IjoidGVhY2hlciIsInNjaGVkdWxlZF9hdCI6MTc5NTI2NTMzMTEzMSwi
    dGltZV96b25lIjoiVVRDIiwiZHVyYXRpb25fbWludXRlcyI6NjAsImFkbWlzc2lvbiI6Im9wZW4iLCJ2aXNpYmlsaXR5IjoibGlzdGVkIiwiZ3
    Vlc3RzIjpmYWxzZSwicm9vbV9uYW1lIjoib3Zlcl82aGVrc3hqMmRzbTJobGh5aWh1dXI2YW55NyIsImNyZWF0ZWRfYXQiOjE3OTUyNjUzMzEx
    MzF91NVd2SUkTRNDXIZ7MGdEDsMAAAACAAAABQAAAAAAAADoys5rTQAAAKPy6CEFAAAAAAAAAAIAAAAAAAAAAgQAb3ZlcnsiYXQiOjE3OTUyNj
    UzMzExMzIsImJ5IjoidGVhY2hlciIsInN0YXR1cyI6Im9uZ29pbmcifWYAAABOsMq5BgAAAAAAAAADAAAAAAAAAAMEAG92ZXJ7ImF0IjoxNzk1
    MjY1MzMxMTMyLCJieSI6InRlYWNoZXIiLCJ1c2VyIjoidGVhY2hlciIsIm5hbWUiOiJBZGEiLCJyb2xlIjoiaG9zdCJ91NVd2SUkTRNDXIZ7MG
    dEDtQAAAACAAAABwAAAAAAAAAB1Gw6dQAAABygA/8HAAAAAAAAAAQAAAAAAAAABAQAb3ZlcnsiYXQiOjE3OTUyNjUzMzExMzcsImJ5IjoidGVh
    Y2hlciIsInVzZXIiOiJ0ZWFjaGVyIiwibGVmdF9hdCI6MTc5NTI2NTMzMTEzMiwiZXN0aW1hdGVkIjpmYWxzZX1PAAAAOPST9QgAAAAAAAAABQ
    AAAAAAAAACBABvdmVyeyJhdCI6MTc5NTI2NTMzMTEzNywiYnkiOiJ0ZWFjaGVyIiwic3RhdHVzIjoiY29tcGxldGVkIn3U1V3ZJSRNE0Nchnsw
    Z0QOrQAAAAEAAAAJAAAAAAAAAEwtu4GlAAAAics39wkAAAAAAAAABAAAAAAAAAAFBwBhbGdlYnJheyJhdCI6MTc5NTI2NTMzMTEzOSwiYnkiOi
    J0ZWFjaGVyIiwia2V5IjoiazIiLCJkaWdlc3QiOi04NDk3Mjc5NzEzMzE0NjUxMzYyLCJ1c2VyIjoidGVhY2hlciIsIm5hbWUiOiJBZGEiLCJy
    b2xlIjoiaG9zdCIsInRleHQiOiJtZXNzYWdlIDIifdTVXdklJE0TQ1yGezBnRA6tAAAAAQAAAAoAAAAAAAAAJar/WqUAAACEBBQSCgAAAAAAAA
    AFAAAAAAAAAAUHAGFsZ2VicmF7ImF0IjoxNzk1MjY1MzMxMTQ3LCJieSI6InRlYWNoZXIiLCJrZXkiOiJrMyIsImRpZ2VzdCI6LTg0OTcyNzg2
    MTM4MDMwMjMxNTEsInVzZXIiOiJ0ZWFjaGVyIiwibmFtZSI6IkFkYSIsInJvbGUiOiJob3N0IiwidGV4dCI6Im1lc3NhZ2UgMyJ91NVd2SUkTR
    NDXIZ7MGdEDjwAAAABAAAACwAAAAAAAAC7t9hGNAAAACu4PgILAAAAAAAAAAAAAAAAAAAAIAAAeyJhdCI6MTc5NTI2NTMzMTE4NywiY2xlYW4i
    OnRydWV9
    """

  @Test("a folder of format 1 is read whole, goes on, and is one of the present format then")
  func format1() throws {
    let folder = try TemporaryFolder()
    let journal = try #require(Data(base64Encoded: Self.journalOfFormat1, options: .ignoreUnknownCharacters))
    try journal.write(to: URL(fileURLWithPath: folder.path + "/journal-00000000000000000001.rcj"))
    try Data("rollcall-data 1\n".utf8).write(to: URL(fileURLWithPath: folder.path + "/format"))
    let first = try TestServer(folder: folder)
    let root = first.token("root", role: .admin)
    let sessions = try first.get("/api/sessions/", as: root).json["sessions"]?.array ?? []
    let statuses = sessions.map { "\($0["id"]?.string ?? "") \($0["status"]?.string ?? "")" }
    #expect(statuses.sorted() == ["algebra ongoing", "over completed"])
    let client = try TestClient(first, as: first.token("bob"))
    #expect(try texts(client.join("algebra")) == ["message 2", "message 3"])
    let answer = try client.ask(#"{"type":"chat.send","id":9,"text":"message 4"}"#, id: 9)
    #expect(answer["seq"]?.integer == 4)
    first.stop()
    #expect(try String(contentsOfFile: folder.path + "/format", encoding: .utf8) == "rollcall-data 3\n")
    let second = try TestServer(folder: folder)
    let again = try TestClient(second, as: second.token("bob"))
    #expect(try texts(again.join("algebra")) == ["message 2", "message 3", "message 4"])
  }

  private func texts(_ joined: VectorJSON) -> [String] {
    (joined["chat"]?["messages"]?.array ?? []).compactMap { $0["text"]?.string }
  }
}
