import Bytes
import Classroom
import EventLoop
import Persistence
import RoomShard

// What a loop is told by other threads and tells them: requests and their answers, synced positions, snapshots.
extension ServerLoop {
  func readMail() {
    context.mailbox.drain(into: &messages)
    for message in messages {
      switch message {
      case .adopt(let handover): adopt(handover)
      case .request(let request, let session, let identity, let address):
        ask(request, session: session, identity: identity, for: address)
      case .answer(let result, let connection): answer(connection, with: result)
      case .synced(let position): shard.didSync(through: position)
      case .takeSnapshot(let round): snapshot = (round, shard.sessions[...])
      case .drain: drain()
      }
    }
    messages.removeAll(keepingCapacity: true)
  }

  /// Asks a room, wherever it lives.
  func call(_ request: RoomRequest, session: String, identity: Identity?, from connection: SlotID) {
    let address = RequestAddress.connection(connection, loop: context.index)
    let loop = RoomPlacement.loop(of: session, count: context.mailboxes.count)
    if loop == context.index {
      ask(request, session: session, identity: identity, for: address)
    } else {
      context.mailboxes[loop].post(.request(request, session: session, identity: identity, from: address))
    }
  }

  private func ask(_ request: RoomRequest, session: String, identity: Identity?, for address: RequestAddress) {
    lastRequest += 1
    requests[lastRequest] = address
    shard.handle(request, session: session, id: RequestID(rawValue: lastRequest), by: identity, at: now)
  }

  /// Brings the answer of a room to where the question came from.
  func deliver(_ result: Result<RoomAnswer, Refusal>, of request: RequestID) {
    guard let address = requests.removeValue(forKey: request.rawValue) else { return }
    switch address {
    case .connection(let id, loop: context.index): answer(id, with: result)
    case .connection(let id, let loop): context.mailboxes[loop].post(.answer(result, to: id))
    case .mailbox(let mailbox): mailbox.post(result)
    }
  }

  func takeSnapshotStep() {
    guard var work = snapshot else { return }
    // The records that these states rest on are with the journal first.
    appendRecords()
    var entries: [SnapshotEntry] = []
    var bytes = 0
    while bytes < Self.snapshotBytesPerTick, let session = work.sessions.popFirst() {
      guard let classroom = shard.classroom(session) else { continue }
      SnapshotCodec.encode(classroom) { kind, payload in
        bytes += payload.count
        entries.append(
          SnapshotEntry(session: session, sequence: classroom.sequence, kind: kind.rawValue, payload: payload))
      }
    }
    let isLast = work.sessions.isEmpty
    context.journal.mailbox.post(.snapshotPart(round: work.round, entries: entries, isLast: isLast))
    snapshot = isLast ? nil : work
  }
}
