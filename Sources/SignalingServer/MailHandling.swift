import Bytes
import Classroom
import EventLoop
import RoomShard

// What a loop is told by other threads, and the requests and answers that go between them.
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
      case .storageFailed(let isCertain): noteStorageFailure(isCertain: isCertain)
      case .storageHealed(let classrooms): noteStorageHealing(classrooms)
      case .takeSnapshot(let round): beginSnapshot(round)
      case .archived(let session, let sequence): noteArchived(session, sequence: sequence)
      case .loaded(let session, let classroom): noteLoaded(session, classroom)
      case .notices(let notices, let session): tell(notices, of: session)
      case .listChanged(let changes): takeListChanges(changes)
      case .pictureKept(let isKept, let connection): pictureKept(isKept, for: connection)
      case .pictureRead(let content, let connection): pictureRead(content, for: connection)
      case .reconfigure(let configuration): reconfigure(configuration)
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
}
