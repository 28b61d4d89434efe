import Bytes
import EventLoop
import SignalingProtocol
import TLS

/// What a loop needs for its connections with TLS.
final class SecureLayer {
  let credentials: TLSCredentials
  let wire = TLSWire()
  /// What the bytes of one read are decrypted to.
  let plaintext: UnsafeMutableRawBufferPointer

  init(_ credentials: TLSCredentials) {
    self.credentials = credentials
    plaintext = .allocate(
      byteCount: TLSSession.plaintextCapacity(forCiphertext: TransportLimits.readBytes), alignment: 64)
  }

  deinit { plaintext.deallocate() }
}

// How a loop's connections speak TLS: between their sockets and their machines, which know nothing of it.
extension ServerLoop {
  // MARK: Receiving

  /// Decrypts what a socket brought and gives it to the machine of the connection.
  ///
  /// All of it is decrypted at once. So nothing but the beginning of a record ever waits encrypted, inside the session, and
  /// what the machine does not take waits like the bytes of a plain connection.
  func decrypt(_ ciphertext: UnsafeRawBufferPointer, from id: SlotID) {
    guard let secure, let connection = connections.pointer(to: id) else { return }
    if connection.pointee.awaitsTLS {
      guard beginTLS(ciphertext, on: secure, of: id) else { return }
    }
    let wasEstablished = connection.pointee.tls?.isEstablished ?? true
    guard let receipt = connection.pointee.tls?.receive(ciphertext, into: secure.plaintext, on: secure.wire) else {
      return
    }
    // Who makes us answer (a renegotiation refused, for example) and does not read it has no end to it.
    if !secure.wire.output.isEmpty, connection.pointee.backlog.count > limits.outboundBytes {
      secure.wire.removeOutput()
      fail(id)
      return
    }
    transmit(secure.wire, to: id)
    if !wasEstablished, connection.pointee.tls?.isEstablished == true {
      figures.count(connection.pointee.tls?.isResumed == true ? .resumedHandshakes : .fullHandshakes)
      connection.pointee.deadline = monotonicNow + patience.request
    }
    if receipt.count > 0 {
      takeIn(UnsafeMutableRawBufferPointer(rebasing: secure.plaintext[..<receipt.count]), from: id)
    }
    switch receipt.condition {
    case .open: break
    case .endOfStream: endIfOtherSideHas(id)
    case .failed:
      if !wasEstablished { figures.count(.failedHandshakes) }
      abandonTLS(id)
    }
  }

  /// - Returns: whether the connection goes on with TLS.
  private func beginTLS(_ ciphertext: UnsafeRawBufferPointer, on secure: SecureLayer, of id: SlotID) -> Bool {
    guard let connection = connections.pointer(to: id), let first = ciphertext.first else { return false }
    connection.pointee.awaitsTLS = false
    if TLSSession.isPlainHTTP(firstByte: first) {
      figures.count(.failedHandshakes)
      write(
        HTTPAnswer.error(ProtocolError(.badRequest, "This port speaks TLS: use https:// and wss://."), status: 400),
        keepsAlive: false, isHead: false, to: id)
      return false
    }
    connection.pointee.tls = TLSSession(server: secure.credentials.context, on: secure.wire)
    if connection.pointee.tls == nil {
      context.logger.error("no memory for a TLS session")
      close(id)
      return false
    }
    return true
  }

  /// Ends a connection whose client has said that it sends nothing more, once everything before that is taken in.
  ///
  /// That word and the bare end of the stream mean the same here: whoever cuts the stream can at most take away the end of a
  /// request or of a message, and of those each says itself where it ends.
  func endIfOtherSideHas(_ id: SlotID) {
    guard let connection = connections.pointer(to: id), connection.pointee.input.isEmpty,
      connection.pointee.tls?.hasOtherSideEnded == true
    else { return }
    noteEndOfStream(id)
  }

  /// The session has failed. Its alert is sent, and nothing that comes is looked at any more.
  private func abandonTLS(_ id: SlotID) {
    guard let connection = connections.pointer(to: id), !connection.pointee.isLingering else { return }
    if connection.pointee.backlog.isEmpty {
      linger(id)
    } else {
      close(id)
    }
  }

  // MARK: Sending

  /// Encrypts what the tick has for a connection, and sends it in one piece.
  func sendEncrypted(_ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer, to id: SlotID) {
    guard let secure else { return }
    if encrypt(first, on: secure, of: id), encrypt(second, on: secure, of: id) {
      transmit(secure.wire, to: id)
    } else {
      secure.wire.removeOutput()
      fail(id)
    }
  }

  private func encrypt(_ bytes: UnsafeRawBufferPointer, on secure: SecureLayer, of id: SlotID) -> Bool {
    connections.pointer(to: id)?.pointee.tls?.send(bytes, on: secure.wire) ?? false
  }

  /// Sends what is on the wire to the connection that it is for; what the socket does not take waits, as ciphertext.
  func transmit(_ wire: TLSWire, to id: SlotID) {
    defer { wire.removeOutput() }
    let output = wire.output
    guard !output.isEmpty, let connection = connections.pointer(to: id), !connection.pointee.hasFailed else { return }
    var sent = 0
    if connection.pointee.backlog.isEmpty {
      switch StreamSocket.send(connection.pointee.socket.rawValue, output) {
      case .bytes(let count):
        sent = count
        figures.count(.bytesOut, count)
      case .wouldBlock: break
      case .failed:
        fail(id)
        return
      }
    }
    guard sent < output.count else { return }
    if connection.pointee.backlog.append(UnsafeRawBufferPointer(rebasing: output[sent...])) {
      setInterest(connection.pointee.interest.union(.writable), of: id)
    } else {
      fail(id)
    }
  }

  /// Says that nothing more comes from us (RFC 8446, 6.1), before our half of the connection is closed.
  /// - Returns: whether that is on its way, and not still waiting for the socket.
  func sendCloseNotify(to id: SlotID) -> Bool {
    guard let secure, let connection = connections.pointer(to: id),
      connection.pointee.tls?.close(on: secure.wire) == true
    else { return true }
    transmit(secure.wire, to: id)
    return connection.pointee.backlog.isEmpty
  }
}
