import Classroom
import SignalingProtocol

/// What stays in memory of a session that is over and lies in the archive.
public struct ArchiveStub: Sendable, Equatable {
  public var view: SessionView
  /// The number of the session's last event.
  public var sequence: UInt64

  /// A stub of these facts.
  public init(view: SessionView, sequence: UInt64) {
    self.view = view
    self.sequence = sequence
  }

  /// What a session in memory shows of itself.
  var shown: SessionView {
    var shown = view
    shown.attendees = []
    return shown
  }

  /// As much of the session as it takes to say who may see and enter it.
  var outline: Classroom { Classroom(outlining: view, sequence: sequence) }
}

// Sessions that are over leave memory, and come back when somebody asks. To who asks there is no difference but time.
extension RoomShard {
  /// The bounds of moving sessions to the archive.
  public enum ArchiveLimits {
    /// How many sessions ``archivable(at:)`` names at a time.
    public static let sessionsAtATime = 64
    /// After how long a session is named again that was named and is still in memory.
    public static let retryMilliseconds: Int64 = 60_000
  }

  /// Sessions that may be moved to the archive, those first that ended first: over for a while, nobody connected, everything
  /// synced. Each is named once, and after a while again if it has not been archived.
  public func archivable(at now: Timestamp) -> [String] {
    guard let first = archiveCandidates.first, first.due <= now else { return [] }
    let occupied = occupiedRooms()
    var named: [String] = []
    var later: [String] = []
    while named.count < ArchiveLimits.sessionsAtATime, let candidate = archiveCandidates.first, candidate.due <= now {
      archiveCandidates.removeFirst()
      let session = candidate.session
      guard let room = rooms[session], stubs[session] == nil, room.classroom.status.isOver, !room.classroom.isDeleted
      else { continue }
      later.append(session)
      guard !room.isFrozen, room.position <= synced, !occupied.contains(ObjectIdentifier(room)) else { continue }
      room.hasVisitors = false
      named.append(session)
    }
    let due = now.advanced(byMilliseconds: ArchiveLimits.retryMilliseconds)
    for session in later { archiveCandidates.append((due, session)) }
    return named
  }

  /// The session is over: it may go to the archive after a while.
  func noteArchivable(_ room: Room, at now: Timestamp) {
    let ended = room.classroom.endedAt ?? now
    archiveCandidates.append(
      (ended.advanced(byMilliseconds: configuration.archiveAfterMilliseconds), room.classroom.id))
  }

  /// The rooms that somebody is in.
  private func occupiedRooms() -> Set<ObjectIdentifier> {
    var occupied = Set(members.values.map { ObjectIdentifier($0.room) })
    for generations in departing.values { occupied.formUnion(generations.map { ObjectIdentifier($0.room) }) }
    return occupied
  }

  /// The archive has this session up to the event of that number. It leaves memory, unless somebody came or something
  /// happened since ``archivable(at:)`` named it.
  public func didArchive(_ session: String, sequence: UInt64) {
    guard let room = rooms[session], !room.isFrozen, !room.hasVisitors, room.classroom.status.isOver,
      room.classroom.sequence == sequence, room.position <= synced
    else { return }
    stubs[session] = ArchiveStub(view: room.classroom.archiveView, sequence: sequence)
    rooms[session] = nil
  }

  /// The sessions in the archive, loaded for a while or not, sorted by id.
  public var archived: [ArchiveStub] { stubs.values.sorted { $0.view.details.id < $1.view.details.id } }

  /// The stub of a session in the archive, loaded for a while or not.
  public func archived(_ session: String) -> ArchiveStub? { stubs[session] }

  /// Puts the stub of an archived session back as the snapshot kept it; it is published only when it changes.
  public func restoreArchived(_ stub: ArchiveStub) { stubs[stub.view.details.id] = stub }

  /// The archive no longer has the session: it does not exist any more, and the catalog hears so.
  /// - Returns: whether it is forgotten: false for one that is not in the archive, or that somebody is in or asks for.
  @discardableResult
  public func forget(_ session: String, at now: Timestamp) -> Bool {
    guard stubs[session] != nil, parking.isEmpty(session) else { return false }
    if let room = rooms[session] {
      guard room.isLoaded, !occupiedRooms().contains(ObjectIdentifier(room)) else { return false }
      rooms[session] = nil
    }
    stubs[session] = nil
    outbox.append(.retract(session), restingOn: 0)
    return true
  }

  // MARK: Loading

  /// The archived sessions that somebody has asked for since the last call, in order; each is to be answered with
  /// ``didLoad(_:at:)`` or ``didFailToLoad(_:at:)``.
  public func takeLoads() -> [String] { parking.takeLoads() }

  /// A session is back from the archive: what was asked of it is done now. It stays in memory as long as it is used.
  public func didLoad(_ classroom: Classroom, at now: Timestamp) {
    let session = classroom.id
    guard rooms[session] == nil, let stub = stubs[session] else { return }
    guard classroom.sequence == stub.sequence else {
      didFailToLoad(session, at: now)
      return
    }
    let room = Room(classroom)
    room.isLoaded = true
    rooms[session] = room
    timers.evictions.append((now.advanced(byMilliseconds: configuration.archiveIdleMilliseconds), room))
    for input in parking.take(session) { replay(input, at: now) }
  }

  /// A session cannot be read from the archive: who asked for it is told that the storage is unavailable.
  public func didFailToLoad(_ session: String, at now: Timestamp) {
    guard rooms[session] == nil else { return }
    for input in parking.take(session) {
      switch input {
      case .join(_, _, _, _, let id, let connection), .command(_, let id, let connection):
        refuseParked(id: id, connection: connection)
      case .request(_, _, let id, _):
        outbox.append(.respond(id, .failure(.storageUnavailable(isCertain: true))), restingOn: 0)
      }
    }
  }

  private func refuseParked(id: Int64?, connection: ConnectionID) {
    refuse(ProtocolError(Refusal.storageUnavailable(isCertain: true)), id: id, to: connection, restingOn: 0)
  }

  private func replay(_ input: ParkedInput, at now: Timestamp) {
    switch input {
    case .join(let identity, let session, let mode, let resume, let id, let connection):
      if members[connection] == nil, !parking.contains(connection), rooms[session] == nil, stubs[session] == nil {
        // Asked for behind a join that was refused; the session may be one of another loop.
        refuse(ProtocolError(.unavailable, "Join again."), id: id, to: connection, restingOn: 0)
        return
      }
      join(identity, session: session, presence: mode, resume: resume, id: id, connection: connection, at: now)
    case .command(let command, let id, let connection):
      command.withMessage { handle($0, id: id, from: connection, at: now) }
    case .request(let request, let session, let id, let identity):
      handle(request, session: session, id: id, by: identity, at: now)
    }
  }

  /// Lets go of loaded sessions that nobody has used for a while.
  func evict(at now: Timestamp) {
    guard let first = timers.evictions.first, first.deadline <= now else { return }
    let occupied = occupiedRooms()
    while let (deadline, room) = timers.evictions.first, deadline <= now {
      timers.evictions.removeFirst()
      guard room.isLoaded, rooms[room.classroom.id] === room else { continue }
      if room.hasVisitors || occupied.contains(ObjectIdentifier(room)) {
        room.hasVisitors = false
        timers.evictions.append((now.advanced(byMilliseconds: configuration.archiveIdleMilliseconds), room))
      } else {
        rooms[room.classroom.id] = nil
      }
    }
  }

  // MARK: Parking

  /// Keeps a join for when its session is loaded.
  /// - Returns: whether that is so, or the join is answered.
  func park(
    _ identity: Identity, session: String, presence mode: PresenceMode, resume: ClientMessage.Resume?, id: Int64?,
    connection: ConnectionID
  ) -> Bool {
    let waitsFor: String
    if let earlier = parking[connection] {
      waitsFor = earlier
    } else {
      guard members[connection] == nil, rooms[session] == nil, let stub = stubs[session] else { return false }
      do throws(Refusal) {
        _ = try stub.outline.role(of: identity)
      } catch {
        refuse(ProtocolError(error), id: id, to: connection, restingOn: 0)
        return true
      }
      waitsFor = session
    }
    let input = ParkedInput.join(identity, session: session, mode, resume, id: id, connection)
    if !parking.park(input, for: waitsFor) { refuseParked(id: id, connection: connection) }
    return true
  }

  /// Keeps a command for when the session is loaded that its connection waits for.
  /// - Returns: whether that is so.
  func park(_ message: ClientMessage, id: Int64?, from connection: ConnectionID) -> Bool {
    guard let session = parking[connection] else { return false }
    if !parking.park(.command(ParkedCommand(message), id: id, connection), for: session) {
      refuseParked(id: id, connection: connection)
    }
    return true
  }

  /// Keeps a request for when its session is loaded.
  /// - Returns: whether that is so, or the request is answered.
  func park(_ request: RoomRequest, session: String, id: RequestID, by identity: Identity?) -> Bool {
    guard rooms[session] == nil, let stub = stubs[session] else { return false }
    let result: Result<RoomAnswer, Refusal>
    do throws(Refusal) {
      switch request {
      case .read: result = .success(try read(stub.outline, of: stub.shown, by: identity))
      case .create(_, _, _, _, key: nil): return false
      case .create, .start, .end, .join, .attendance, .perform, .registrations, .attendanceOf, .joinLive, .leave,
        .heartbeat,
        .checkIn, .checkInCode, .participants, .chat, .readNotices:
        guard let identity else { throw .notFound }
        switch request {
        case .create: guard identity.mayCreateSessions else { throw .forbidden }
        // Who was told may not be among its people any more.
        case .readNotices:
          guard stub.view.notices.list.contains(where: { stub.view.isAddressed($0, to: identity.user) }) else {
            throw .notFound
          }
        default: _ = try stub.outline.role(of: identity)
        }
        if parking.park(.request(request, session: session, id: id, identity), for: session) { return true }
        throw .storageUnavailable(isCertain: true)
      }
    } catch {
      result = .failure(error)
    }
    outbox.append(.respond(id, result), restingOn: position(of: result, session: session))
    return true
  }
}
