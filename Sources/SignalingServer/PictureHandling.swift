import Bytes
import Classroom
import EventLoop
import HTTPCore
import Persistence
import RoomShard
import SignalingProtocol
import Tokens

// Thumbnails that came with a form: kept in the data folder, served under names that nobody can guess.
extension ServerLoop {
  /// What stands before the name of a picture in the address that a session has of it.
  static let picturePath = WebAddress.picturePath

  /// The name of the picture that an address is of; nil for an address elsewhere.
  static func pictureName(in address: String?) -> String? {
    guard let address, address.hasPrefix(picturePath) else { return nil }
    return String(address.dropFirst(picturePath.count))
  }

  /// Keeps a picture, and then asks what the request was about.
  func keep(_ picture: [UInt8], as name: String, then question: RoomRequest, _ pending: PendingRequest, of id: SlotID) {
    guard let state = connections.pointer(to: id)?.pointee.http else { return }
    state.pending = pending
    state.afterPicture = question
    context.pictures.mailbox.post(.write(picture, name: name, id, loop: context.index))
  }

  /// The name and the address of a picture.
  /// - Throws: when the content is no picture of a kind that is taken, or too large.
  func nameOfPicture(_ content: [UInt8]) throws(ProtocolError) -> String {
    guard content.count <= Picture.maximumBytes else {
      throw ProtocolError(.payloadTooLarge, "A thumbnail has at most 5 MB.", field: "thumbnail")
    }
    guard let kind = Picture(content) else {
      throw ProtocolError(.invalidField, "A thumbnail is a JPEG, PNG or GIF picture.", field: "thumbnail")
    }
    // The same picture has the same name, so that a repeated request is the same request; nobody else can tell it.
    let code = TokenKey(context.configuration.secret).sign(Array("picture\0".utf8) + content)
    return "\(Identifiers.name(of: code.prefix(26))).\(kind.rawValue)"
  }

  /// The picture of a request is kept, or cannot be.
  func pictureKept(_ isKept: Bool, for id: SlotID) {
    guard let state = connections.pointer(to: id)?.pointee.http, let pending = state.pending,
      let question = state.afterPicture
    else { return }
    state.afterPicture = nil
    guard isKept else { return answer(id, with: .failure(.storageUnavailable(isCertain: true))) }
    call(question, session: pending.session, identity: pending.identity, from: id)
  }

  /// A picture, for whoever knows its name: a page that shows it has no place for a token.
  func sendPicture(_ call: RouteCall) throws(ProtocolError) {
    let name = call.parameter("name")
    guard PictureStore<FileStorage>.isName(name), let state = connections.pointer(to: call.connection)?.pointee.http
    else { throw ProtocolError(.notFound, "There is no such picture.") }
    state.pending = pending(.picture, session: "", call)
    context.pictures.mailbox.post(.read(name: name, call.connection, loop: context.index))
  }

  /// A picture was read, or is not there.
  func pictureRead(_ content: [UInt8]?, for id: SlotID) {
    guard let connection = connections.pointer(to: id), let pending = connection.pointee.http?.pending else { return }
    connection.pointee.http?.pending = nil
    connection.pointee.deadline = monotonicNow + patience.idle
    let answer =
      content.flatMap(HTTPAnswer.picture) ?? .error(ProtocolError(.notFound, "There is no such picture."))
    finish(pending, with: answer, to: id)
  }
}

extension HTTPAnswer {
  /// A picture as whatever its content shows it to be, to be looked at and nothing else.
  fileprivate static func picture(_ content: [UInt8]) -> HTTPAnswer? {
    guard let kind = Picture(content) else { return nil }
    return HTTPAnswer(
      status: 200,
      headers: [
        "Content-Type": kind.contentType, "Content-Disposition": "inline",
        "Content-Security-Policy": "default-src 'none'; sandbox", "Cross-Origin-Resource-Policy": "cross-origin",
        // The name is that of this content and of no other, ever.
        "Cache-Control": "private, max-age=86400, immutable",
      ], body: content)
  }
}
