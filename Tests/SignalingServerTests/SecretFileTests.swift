import EventLoop
import Foundation
import Testing

@testable import SignalingServer

@Suite("The secret file")
struct SecretFileTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func write(_ bytes: [UInt8]) throws -> String {
    let path = folder.path + "/secret"
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    return path
  }

  private func message(_ body: () throws -> [UInt8]) -> String {
    let error = #expect(throws: SecretFile.Failure.self) { try body() }
    return error.map { "\($0)" } ?? ""
  }

  @Test("white space at the end does not belong to the secret")
  func trimming() throws {
    let secret = Array(" 0123456789abcdef0123456789abcdef".utf8)
    #expect(try SecretFile.read(try write(secret + Array(" \t\r\n\n".utf8))) == secret)
  }

  @Test("a key or a certificate is no secret: others have its public half")
  func pem() throws {
    let text = Array("-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----\n".utf8)
    let path = try write(text)
    #expect(message { try SecretFile.read(path) }.contains("PEM"))
  }

  @Test("a secret has at least 32 bytes, white space aside")
  func short() throws {
    let bytes = [UInt8](repeating: 7, count: 32)
    #expect(try SecretFile.read(try write(bytes)) == bytes)
    let path = try write(bytes.dropLast() + [0x0A])
    #expect(message { try SecretFile.read(path) }.contains("less than 32 bytes"))
    let empty = try write([])
    #expect(message { try SecretFile.read(empty) }.contains("less than 32 bytes"))
  }

  @Test("a secret that is too long is refused")
  func long() throws {
    #expect(try SecretFile.read(try write([UInt8](repeating: 7, count: 4096))).count == 4096)
    let path = try write([UInt8](repeating: 7, count: 4097))
    #expect(message { try SecretFile.read(path) }.contains("more than 4096 bytes"))
  }

  @Test("a file that cannot be read is named, with the reason")
  func unreadable() {
    #expect(message { try SecretFile.read(folder.path + "/none") }.contains("/none"))
    #expect(message { try SecretFile.read(folder.path) }.contains("cannot be read"))
    #expect(message { try SecretFile.readOrCreate("/dev/null/secret") }.contains("cannot be written"))
  }

  @Test("a secret that is made is the owner's alone, is found again, and leaves nothing beside it")
  func creation() throws {
    let path = folder.path + "/secret"
    let secret = try SecretFile.readOrCreate(path)
    #expect(secret.count >= 32)
    #expect(try SecretFile.readOrCreate(path) == secret)
    #expect(try SecretFile.read(path) == secret)
    #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
    #expect(folder.names == ["secret"])
  }

  @Test("servers that begin at once have one secret")
  func race() throws {
    for round in 0..<20 {
      let path = folder.path + "/secret-\(round)"
      let secrets = Locked<Set<[UInt8]>>([])
      let threads = try (0..<4).map { _ in
        try spawnThread(name: "race") {
          // Nothing at all stands for a failure.
          let secret = (try? SecretFile.readOrCreate(path)) ?? []
          secrets.withLock { _ = $0.insert(secret) }
        }
      }
      for thread in threads { thread.join() }
      #expect(secrets.withLock { $0 } == [try SecretFile.read(path)])
    }
  }
}
