import Bytes
import EventLoop
import HTTPCore

// How the server sees who asks: for who sets up a proxy.
extension ServerLoop {
  /// Says as which address the connection counts, and through which proxy it came.
  func respondWithClient(to request: HTTPRequest, of id: SlotID) {
    guard let connection = connections.pointer(to: id) else { return }
    let direct = StreamSocket.peerAddress(connection.pointee.socket.rawValue)?.hostBytes ?? []
    let entries = request.headers.list("x-forwarded-for")
    let isTrusted = isTrustedProxy(direct)
    let forwarded =
      isTrusted
      ? entries.reversed().lazy.compactMap { SocketAddress.numericHostBytes(String($0)) }
        .first { !self.isTrustedProxy($0) } : nil
    respond(
      to: request,
      with: HTTPAnswer(status: 200) { writer in
        writer.object { writer in
          writer.field("address", SocketAddress.numericHost(forwarded ?? direct))
          if !entries.isEmpty || isTrusted {
            writer.field("proxy", SocketAddress.numericHost(direct))
            writer.field("trusted", isTrusted)
          }
        }
      }, of: id)
  }
}
