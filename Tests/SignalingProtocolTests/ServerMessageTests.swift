import Classroom
import JSON
import Testing

@testable import SignalingProtocol

/// The bytes of each message, field by field in the order of `protocol/README.md`.
@Suite("Messages of the server")
struct ServerMessageTests {
  private func text(_ body: (inout JSONWriter) -> Void) -> String {
    var writer = JSONWriter()
    body(&writer)
    return String(decoding: writer.bytes, as: UTF8.self)
  }

  private let moment = Timestamp(milliseconds: 1_767_225_600_123)

  private var core: Classroom.Core {
    let details = SessionDetails(
      id: "algebra", title: "T", description: "D", instructor: "I", kind: .inPerson, host: "u17", scheduledAt: moment,
      timeZone: "UTC", durationMinutes: 60, capacity: nil, admission: .open, visibility: .listed, allowsGuests: true,
      roomName: "secret", createdAt: moment)
    return Classroom.Core(
      details: details, epoch: "e1",
      statusChange: StatusChange(status: .ongoing, revision: 2, startedAt: moment, endedAt: nil), startedBy: "u17",
      sequence: 2, streamSequence: 1)
  }

  @Test("welcome")
  func welcome() {
    #expect(
      text {
        ServerMessage.welcome(
          server: "rollcall/0.1.0", pingIntervalMilliseconds: 25_000, graceMilliseconds: 20_000, into: &$0)
      }
        == #"{"type":"welcome","version":"rollcall.v1","server":"rollcall/0.1.0","#
        + #""features":["guests","chat","presence","signal","resume","renewal","moderation"],"limits":{"message_bytes":65536,"chat_text_bytes":4096,"#
        + #""name_bytes":120,"key_bytes":128,"history_page":100,"presence_page":200,"resume_ms":20000,"#
        + #""resume_token_ms":86400000,"resume_events":4096,"resume_signals":256,"token_warning_ms":60000},"ping_interval_ms":25000,"#
        + #""hello_timeout_ms":5000}"#)
  }

  @Test("ready, with a guest token only for guests")
  func ready() {
    var identity = Identity(user: "u17", name: "A\"da", role: .host, session: nil, isGuest: false, expiresAt: moment)
    #expect(
      text { ServerMessage.ready(id: 1, identity: identity, connection: "c9", guestToken: nil, at: moment, into: &$0) }
        == #"{"type":"ready","id":1,"user":{"id":"u17","name":"A\"da","role":"host","guest":false},"#
        + #""connection_id":"c9","expires_at":"2026-01-01T00:00:00.123Z","at":1767225600123}"#)
    identity.isGuest = true
    #expect(
      text { ServerMessage.ready(id: nil, identity: identity, connection: "c", guestToken: "t", at: moment, into: &$0) }
        .contains(
          #""guest":true},"connection_id":"c","expires_at":"2026-01-01T00:00:00.123Z","guest_token":"t","at":1767225600123}"#
        ))
  }

  @Test("ready tells what the token says of the person, without the address for mail")
  func profile() {
    var identity = Identity(user: "u", name: "A", role: .host, session: nil, isGuest: false, expiresAt: moment)
    identity.profile = Profile(
      firstName: "Ada", lastName: "Lovelace", username: "ada", email: "ada@example.org", avatar: "https://x/a")
    #expect(
      text { ServerMessage.ready(id: 1, identity: identity, connection: "c", guestToken: nil, at: moment, into: &$0) }
        .contains(
          #""guest":false,"first_name":"Ada","last_name":"Lovelace","username":"ada","avatar":"https://x/a"},"connection"#
        ))
  }

  @Test("the end of a token, and of the one that takes its place")
  func tokens() {
    #expect(
      text { ServerMessage.tokenExpiring(moment, at: moment.advanced(byMilliseconds: -60_000), into: &$0) }
        == #"{"type":"token.expiring","at":1767225540123,"expires_at":"2026-01-01T00:00:00.123Z","in_ms":60000}"#)
    #expect(
      text { ServerMessage.tokenExpiring(moment, at: moment.advanced(byMilliseconds: 1), into: &$0) }
        .contains(#""in_ms":0}"#))
    #expect(
      text { ServerMessage.renewed(id: 4, until: moment, guestToken: nil, into: &$0) }
        == #"{"type":"ok","id":4,"expires_at":"2026-01-01T00:00:00.123Z"}"#)
    #expect(
      text { ServerMessage.renewed(id: 4, until: moment, guestToken: "t", into: &$0) }
        .contains(#"Z","guest_token":"t"}"#))
  }

  @Test("pong, draining, ok")
  func small() {
    #expect(text { ServerMessage.pong(id: 3, at: moment, into: &$0) } == #"{"type":"pong","id":3,"at":1767225600123}"#)
    #expect(
      text { ServerMessage.draining(retryAfterMilliseconds: 1500, into: &$0) }
        == #"{"type":"server.draining","retry_after_ms":1500}"#)
    #expect(text { ServerMessage.ok(id: -1, into: &$0) } == #"{"type":"ok","id":-1}"#)
  }

  @Test("an error names code, sentence, whether to retry, and the detail")
  func error() {
    #expect(
      text { ServerMessage.error(ProtocolError(.missingField, "No.", field: "text"), id: 7, into: &$0) }
        == #"{"type":"error","id":7,"code":"missing_field","message":"No.","retryable":false,"details":{"field":"text"}}"#
    )
    #expect(
      text { ServerMessage.error(ProtocolError(.sessionFull), id: nil, into: &$0) }
        == #"{"type":"error","code":"session_full","message":"The session is full.","retryable":true,"details":{}}"#)
    #expect(
      text { ServerMessage.error(ProtocolError(.peerUnavailable, "Gone.", peer: "p1"), id: nil, into: &$0) }
        .hasSuffix(#""details":{"peer":"p1"}}"#))
  }

  @Test("session.status, numbered for the room and without a number for who waits")
  func status() {
    let change = StatusChange(status: .ongoing, revision: 2, startedAt: moment, endedAt: nil)
    let rest =
      #""at":1767225600123,"session":"algebra","status":"ongoing","is_live":true,"rev":2,"by":"u17","#
      + #""started_at":"2026-01-01T00:00:00.123Z","ended_at":null}"#
    #expect(
      text { ServerMessage.sessionStatus(change, session: "algebra", by: "u17", sequence: 1, at: moment, into: &$0) }
        == #"{"type":"session.status","stream":"room","seq":1,"# + rest)
    #expect(
      text { ServerMessage.sessionStatus(change, session: "algebra", by: "u17", sequence: nil, at: moment, into: &$0) }
        == #"{"type":"session.status","# + rest)
  }

  @Test("chat.message and a page of chat")
  func chat() throws {
    let message = ChatMessage(
      streamSequence: 12, sequence: 31, at: moment, user: "u17", name: "Ada", role: .host, text: "<b>\n")
    let rest = #""message_id":"m31","user":"u17","name":"Ada","role":"host","text":"<b>\n"}"#
    #expect(
      text { ServerMessage.chatMessage(message, into: &$0) }
        == #"{"type":"chat.message","stream":"room","seq":12,"at":1767225600123,"# + rest)
    var classroom = Classroom(restoring: core)
    classroom.restore(message)
    classroom.restore(message)
    let page = classroom.chat.page(before: nil, limit: 1, textBytes: .max)
    let written = text { writer in
      writer.beginObject()
      ServerMessage.writeChat(page, into: &writer)
      writer.endObject()
    }
    #expect(written == #"{"messages":[{"seq":12,"at":1767225600123,"# + rest + #"],"has_more":true}"#)
  }

  @Test("presence.diff and presence.count")
  func presence() throws {
    var presence = Presence()
    presence.enter(user: "u3", name: "Bob", role: .participant, at: moment)
    _ = presence.takeDifference()
    presence.enter(user: "u17", name: "Ada", role: .host, at: moment)
    presence.addPeer("p1", of: "u17")
    presence.leave(user: "u3")
    let taken = presence.takeDifference()
    let difference = try #require(taken)
    let ada =
      #"{"user":"u17","name":"Ada","role":"host","joined_at":"2026-01-01T00:00:00.123Z","audio_enabled":false,"#
      + #""video_enabled":false,"screen_enabled":false,"peers":["p1"],"reconnecting":false,"on_stage":true}"#
    #expect(
      text { ServerMessage.presenceDifference(difference, at: moment, where: { _ in true }, into: &$0) }
        == #"{"type":"presence.diff","at":1767225600123,"presence_seq":2,"count":1,"joined":[\#(ada)],"updated":[],"#
        + #""left":[{"user":"u3"}]}"#)
    #expect(
      text { ServerMessage.presenceDifference(difference, at: moment, where: \.isHosting, into: &$0) }
        .hasSuffix(#""joined":[\#(ada)],"updated":[],"left":[]}"#))
    #expect(
      text { ServerMessage.presenceCount(1, sequence: 2, at: moment, into: &$0) }
        == #"{"type":"presence.count","at":1767225600123,"presence_seq":2,"count":1}"#)
  }

  @Test("waiting.count")
  func waiting() {
    #expect(
      text { ServerMessage.waitingCount(3, session: "a", at: moment, into: &$0) }
        == #"{"type":"waiting.count","at":1767225600123,"session":"a","count":3}"#)
  }

  @Test("a signal carries its payload byte for byte")
  func signal() {
    let payload = Array(#"{"sdp" : "v=0\r\n", "n": 1.50e+3}"#.utf8)
    let written = payload.withUnsafeBytes { payload in
      text {
        ServerMessage.beginSignal(
          from: "p1", isReaderPolite: true, kind: .endOfCandidates, negotiation: "n1", payload: payload, into: &$0)
      }
    }
    #expect(
      written == #"{"type":"signal","from":"p1","polite":true,"kind":"end_of_candidates","negotiation":"n1","payload":"#
        + String(decoding: payload, as: UTF8.self))
    #expect(String(decoding: ServerMessage.signalEnd(sequence: 7), as: UTF8.self) == #","signal_seq":7}"#)
  }

  @Test("a session object, with its room name only when asked for")
  func session() {
    let view = Classroom(restoring: core).view
    let time = #""2026-01-01T00:00:00.123Z""#
    let fields =
      #"{"id":"algebra","title":"T","description":"D","instructor":"I","kind":"in_person","status":"ongoing","#
      + #""is_live":true,"rev":2,"host":"u17","scheduled_at":\#(time),"time_zone":"UTC","duration_minutes":60,"#
      + #""capacity":null,"admission":"open","visibility":"listed","guests":true,"created_at":\#(time),"#
      + #""started_at":\#(time),"ended_at":null,"started_by":"u17","#
      + #""proposed_by":null,"reason":null,"waiting_room":false,"reminders":[1440,60,30],"course":"","tags":[],"#
      + #""materials":[],"video_url":null,"thumbnail":null,"recording_url":null"#
    #expect(text { ServerMessage.writeSession(view, includingRoomName: false, into: &$0) } == fields + "}")
    #expect(
      text { ServerMessage.writeSession(view, includingRoomName: true, into: &$0) } == fields
        + #","room_name":"secret","meeting_url":null}"#)
    let template = MeetingTemplate("https://meet.example.org/{room_name}")
    #expect(
      text { ServerMessage.writeSession(view, includingRoomName: true, meetings: template, into: &$0) } == fields
        + #","room_name":"secret","meeting_url":"https://meet.example.org/secret"}"#)
  }
}
