import Classroom
import HTTPCore
import JSON
import RoomShard
import SignalingProtocol

// Sessions as the routes show them.
extension HTTPAnswer {
  /// A page of the list.
  static func list(_ sessions: [SessionView], next: String?) -> HTTPAnswer {
    HTTPAnswer(status: 200) { writer in
      writer.object { writer in
        writer.key("sessions")
        writer.array { writer in
          for view in sessions { ServerMessage.writeListed(view, into: &writer) }
        }
        writer.field("next", next)
      }
    }
  }

  /// A page of the list under the names of `live-sessions`: the objects alone, and in a header where it goes on (RFC 8288).
  static func liveSessions(_ sessions: [SessionView], next: String?) -> HTTPAnswer {
    var answer = HTTPAnswer(status: 200) { writer in
      writer.array { writer in
        for view in sessions { writer.object { writeLiveSession(view, into: &$0) } }
      }
    }
    if let next { answer.headers.append("Link", "<?cursor=\(next)>; rel=\"next\"") }
    return answer
  }

  /// The fields of a session under the names that some front ends use.
  private static func writeLiveSession(_ view: SessionView, into writer: inout JSONWriter) {
    let details = view.details
    writer.field("_id", details.id)
    writer.field("title", details.title)
    writer.field("description", details.description)
    writer.field("instructor", details.instructor)
    writer.field("videoUrl", details.videoURL ?? details.recordingURL)
    writer.field("thumbnail", details.thumbnailURL)
    writer.field("startTime", RFC3339.format(details.scheduledAt))
    writer.field("isLive", view.status.isLive)
    writer.field("participants", view.joinedCount)
    writer.field("watching", view.presentCount)
    writer.field("createdAt", RFC3339.format(details.createdAt))
  }

  static func liveSession(_ view: SessionView, status: Int) -> HTTPAnswer {
    HTTPAnswer(status: status) { writer in writer.object { writeLiveSession(view, into: &$0) } }
  }

  /// Somebody watches: where, since when, and for how long so far.
  static func watching(_ report: AttendanceReport, by identity: Identity?) -> HTTPAnswer {
    let details = report.view.details
    let person = report.people.first { $0.user == identity?.user }
    return HTTPAnswer(status: 200) { writer in
      writer.object { writer in
        writer.field("videoUrl", details.videoURL ?? details.recordingURL)
        writer.key("record")
        writer.object { writer in
          writer.field("sessionId", details.id)
          writer.field("userId", identity?.user)
          writer.field("userName", identity?.name)
          writer.field("joinTime", person?.firstJoin.map(RFC3339.format))
          writer.field("watchDuration", person?.minutes ?? 0)
        }
      }
    }
  }

  static func liveStatus(of view: SessionView?, mayJoin: Bool) -> HTTPAnswer {
    HTTPAnswer(status: 200) { writer in
      writer.object { writer in
        writer.field("is_active", view?.status.isLive ?? false)
        writer.field("status", view?.status.rawValue)
        writer.field("room_name", mayJoin ? view?.details.roomName : nil)
      }
    }
  }

  /// The name of the room, of a session that is live and that may be joined.
  static func liveRoom(_ view: SessionView, mayJoin: Bool) -> HTTPAnswer {
    guard mayJoin else { return error(ProtocolError(Refusal.forbidden)) }
    guard view.status.isLive else { return error(ProtocolError(.forbidden, "The session is not live.")) }
    return HTTPAnswer(status: 200) { writer in
      writer.object { writer in
        writer.field("room_name", view.details.roomName)
        writer.field("is_active", view.status.isLive)
      }
    }
  }

  /// A session has gone on: what is said of it, and how it stands.
  static func transition(_ sentence: StaticString, _ view: SessionView) -> HTTPAnswer {
    HTTPAnswer(status: 200) { writer in
      writer.object { writer in
        writer.field("message", sentence)
        writer.key("session")
        writer.object { writer in
          writer.field("id", view.details.id)
          writer.field("status", view.status.rawValue)
          writer.field("scheduled_at", RFC3339.format(view.details.scheduledAt))
          writer.field("time_zone", view.details.timeZone)
          writer.field("duration_minutes", view.details.durationMinutes)
          writer.field("reason", view.reason)
        }
      }
    }
  }

  /// Something is done, and there is nothing to show of it.
  static func done(_ sentence: StaticString) -> HTTPAnswer {
    HTTPAnswer(status: 200) { $0.object { $0.field("message", sentence) } }
  }

  /// A ticket for the socket.
  static func ticket(_ ticket: String, session: String, participants: Int, url: String) -> HTTPAnswer {
    HTTPAnswer(status: 200) { writer in
      writer.object { writer in
        writer.field("message", "You may join.")
        writer.key("session")
        writer.object { writer in
          writer.field("id", session)
          writer.field("participants", participants)
        }
        writer.field("ticket", ticket)
        writer.field("url", url)
      }
    }
  }

  // MARK: People

  /// Who is here.
  static func participants(_ page: Presence.Page) -> HTTPAnswer {
    HTTPAnswer(status: 200) { writer in
      writer.object { writer in
        writer.key("participants")
        writer.array { writer in
          for participant in page.participants { writer.object { write(participant, into: &$0) } }
        }
        writer.field("next", page.next)
      }
    }
  }

  private static func write(_ participant: Presence.Participant, into writer: inout JSONWriter) {
    writer.field("id", participant.user)
    writer.key("user")
    writer.object { writer in
      writer.field("id", participant.user)
      writer.field("name", participant.name)
    }
    writer.field("role", participant.role.rawValue)
    writer.field("joined_at", RFC3339.format(participant.joinedAt))
    writer.field("is_active", true)
    writer.field("audio_enabled", participant.media.audio)
    writer.field("video_enabled", participant.media.video)
  }

  /// A page of the chat.
  static func chat(_ page: ChatLog.Page) -> HTTPAnswer {
    HTTPAnswer(status: 200) { writer in writer.object { ServerMessage.writeChat(page, into: &$0) } }
  }

  /// Who is expected.
  static func registrations(_ entries: [Roster.Entry], as shape: AnswerShape) -> HTTPAnswer {
    var (start, limit) = (0, entries.count)
    if case .registrations(let from, let count) = shape { (start, limit) = (from, count) }
    let next = start + limit < entries.count ? start + limit : nil
    return HTTPAnswer(status: 200) { writer in
      writer.object { writer in
        writer.key("registrations")
        writer.array { writer in
          for entry in entries.dropFirst(start).prefix(limit) { ServerMessage.writeRegistration(entry, into: &writer) }
        }
        writer.field("next", next.map { "\($0)" })
      }
    }
  }

  /// Where somebody stands.
  static func registration(_ sentence: StaticString, of user: String, _ state: Roster.State) -> HTTPAnswer {
    HTTPAnswer(status: 200) { writer in
      writer.object { writer in
        writer.field("message", sentence)
        writer.key("registration")
        writer.object { writer in
          writer.field("user", user)
          writer.field("state", state.rawValue)
        }
      }
    }
  }
}
