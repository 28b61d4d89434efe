import EventLoop
import Foundation

@testable import Diagnosis
@testable import SignalingServer

/// A TURN server of a test's own, as much of one as the doctor asks for, over UDP.
final class TURNServer: @unchecked Sendable {
  private let socket: Int32
  private let secret: [UInt8]
  private let relayed: [UInt8]
  private let answers: Bool
  private let done = DispatchSemaphore(value: 0)
  let port: UInt16

  init(secret: String, relayed: [UInt8] = [203, 0, 113, 7], answers: Bool = true) throws {
    self.secret = Array(secret.utf8)
    (self.relayed, self.answers) = (relayed, answers)
    socket = Glibc.socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let socket = socket
    port = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(socket, $0, length)
        getsockname(socket, $0, &length)
      }
      return UInt16(bigEndian: pointer.pointee.sin_port)
    }
    var time = timeval(tv_sec: 0, tv_usec: 50_000)
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
    Thread.detachNewThread { self.serve() }
  }

  /// Ends the thread.
  func stop() {
    shutdown(socket, Int32(SHUT_RDWR))
    close(socket)
    done.wait()
  }

  private func serve() {
    defer { done.signal() }
    var bytes = [UInt8](repeating: 0, count: 2048)
    var sender = sockaddr_storage()
    while true {
      var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
      let count = withUnsafeMutablePointer(to: &sender) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { recvfrom(socket, &bytes, bytes.count, 0, $0, &length) }
      }
      if count < 0, errno == EAGAIN || errno == EINTR { continue }
      guard count > 0 else { return }
      guard answers, let request = STUNMessage(Array(bytes.prefix(count))) else { continue }
      let answer = answer(to: request, Array(bytes.prefix(count))).encoded()
      _ = withUnsafeMutablePointer(to: &sender) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { sendto(socket, answer, answer.count, 0, $0, length) }
      }
    }
  }

  private func answer(to request: STUNMessage, _ bytes: [UInt8]) -> STUNMessage {
    var answer = request
    answer.attributes = []
    answer.kind = STUNMessage.Class.success.rawValue
    if request.method == STUNMessage.Method.binding.rawValue {
      answer.append(.mappedAddress, masked([127, 0, 0, 1], answer))
    } else if isAuthentic(request, bytes) {
      if request.method == STUNMessage.Method.allocate.rawValue {
        answer.append(.relayedAddress, masked(relayed, answer))
      }
    } else {
      answer.kind = STUNMessage.Class.failure.rawValue
      answer.append(.errorCode, [0, 0, 4, 1] + Array("Unauthorized".utf8))
      answer.append(.realm, Array("school.example".utf8))
      answer.append(.nonce, Array("once".utf8))
    }
    return answer
  }

  /// Whether the credentials are those of the convention, and not over.
  private func isAuthentic(_ request: STUNMessage, _ bytes: [UInt8]) -> Bool {
    guard let name = request[.username].map({ String(decoding: $0, as: UTF8.self) }),
      let end = name.split(separator: ":").first.flatMap({ Int64($0) }), end > Int64(time(nil)),
      let user = name.split(separator: ":", maxSplits: 1).last
    else { return false }
    let credentials = TURNCredentials(user: String(user), expiresAtUnixSeconds: end, secret: secret)
    var unsigned = request
    unsigned.attributes.removeAll { $0.type == STUNMessage.AttributeType.messageIntegrity.rawValue }
    let key = STUNMessage.key(username: name, realm: "school.example", password: credentials.password)
    return unsigned.encoded(key: key) == bytes
  }

  private func masked(_ host: [UInt8], _ message: STUNMessage) -> [UInt8] {
    let mask: [UInt8] = [0x21, 0x12, 0xA4, 0x42] + message.transaction
    return [0, 1, 0xC0, 0x00] + zip(host, mask).map { $0 ^ $1 }
  }
}
