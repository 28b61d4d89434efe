import Classroom
import RoomShard
import SignalingProtocol

// What a loop itself knows of who checks in.
extension ServerLoop {
  /// Somebody says to be in the place where the class is held, and which code is shown there.
  func checkIn(_ call: RouteCall) throws(ProtocolError) {
    let session = try call.session()
    let code = try call.body { fields throws(ProtocolError) in try fields.string("code") }
    let isRight = code.map { context.checkInCodes.isRight($0, for: session, at: now) } ?? false
    ask(.checkIn(isCodeRight: isRight), session: session, .attendance(.checkIn), call)
  }
}
