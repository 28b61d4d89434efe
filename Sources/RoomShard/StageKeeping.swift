import Classroom
import SignalingProtocol

// Who may send sound and pictures, of those who are connected.
extension RoomShard {
  /// Whether a tab may send this from now on.
  func checkStage(_ media: Presence.Media, of member: Member) throws(ProtocolError) {
    let room = member.room
    if media.video || media.screen, room.classroom.details.kind == .audio {
      throw ProtocolError(.audioOnly, "This class is held by sound alone.", field: media.video ? "video" : "screen")
    }
    // To stop is always possible, and who has a place keeps it.
    guard media != Presence.Media(), room.presence[member.actor.user]?.isOnStage == false else { return }
    let stage = room.conduct.stage
    guard stage.mode == .open else {
      throw ProtocolError(.stageClosed, "Only those who are invited to the stage may send sound and pictures now.")
    }
    guard room.presence.placesTaken < stage.places ?? configuration.rules.conduct.stagePlaces else {
      throw ProtocolError(Refusal.stageFull)
    }
  }

  /// Who may send is another: who may not any more stops.
  func didChangeStage(to stage: Stage, in room: Room, at now: Timestamp) {
    for user in Set(room.presence.placeHolders + stage.invited).sorted() { showMarks(of: user, in: room, at: now) }
    guard stage.mode == .invited else { return }
    clearStage(of: room, at: now) { user, _ in !stage.invited.contains(user) }
  }

  /// Turns off everything that those send whom the predicate picks; it is asked about those only who take a place.
  func clearStage(of room: Room, at now: Timestamp, where isPicked: (_ user: String, Role) -> Bool) {
    for user in room.presence.placeHolders {
      guard let participant = room.presence[user], isPicked(user, participant.role) else { continue }
      for peer in participant.peers where peer.media != Presence.Media() {
        room.presence.setMedia(Presence.Media(), of: peer.id, user: user)
        room.peers[peer.id]?.media = Presence.Media()
      }
      scheduleFlush(of: room, at: now)
    }
  }
}
