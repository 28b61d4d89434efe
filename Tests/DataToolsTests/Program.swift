import Foundation
import Testing

/// The built `rollcall`, run as an operator runs it.
struct Program {
  /// What a run came to.
  struct Run {
    var code: Int32
    var output: String
    var complaint: String
  }

  /// Beside the program of these tests.
  static var url: URL {
    URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath().deletingLastPathComponent()
      .appendingPathComponent("rollcall")
  }

  /// Runs it to its end.
  static func run(_ arguments: String...) throws -> Run { try run(arguments) }

  /// Runs it to its end.
  static func run(_ arguments: [String]) throws -> Run {
    let process = Process()
    let (output, complaint) = (Pipe(), Pipe())
    process.executableURL = url
    process.arguments = arguments
    process.standardOutput = output
    process.standardError = complaint
    try process.run()
    let text = output.fileHandleForReading.readDataToEndOfFile()
    let errors = complaint.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return Run(
      code: process.terminationStatus, output: String(decoding: text, as: UTF8.self),
      complaint: String(decoding: errors, as: UTF8.self))
  }
}

/// A running server on a folder; stopped with SIGTERM.
final class RunningServer {
  private let process = Process()
  private let output = Pipe()
  private let port: UInt16

  init(data: String, secret: String) throws {
    process.executableURL = Program.url
    process.arguments = ["serve", "--data", data, "--port", "0", "--secret-file", secret, "--loops", "1"]
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    var line = ""
    while !line.hasSuffix("\n"), let byte = try output.fileHandleForReading.read(upToCount: 1), !byte.isEmpty {
      line += String(decoding: byte, as: UTF8.self)
    }
    port = try #require(line.split(separator: ":").last.flatMap { UInt16($0.dropLast()) }, "\(line)")
  }

  /// Sends a request on a connection of its own.
  /// - Returns: the status and the body.
  func request(_ method: String, _ path: String, token: String, body: String = "") throws -> (status: Int, body: String)
  {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let connected = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    try #require(connected == 0)
    let text = """
      \(method) \(path) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nAuthorization: Bearer \(token)\r\nConnection: close\r\n\
      Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)
      """
    try handle.write(contentsOf: Data(text.utf8))
    let answer = String(decoding: try handle.readToEnd() ?? Data(), as: UTF8.self)
    let status = answer.split(separator: " ").dropFirst().first.flatMap { Int($0) }
    let parts = answer.components(separatedBy: "\r\n\r\n")
    return (try #require(status), parts.dropFirst().joined(separator: "\r\n\r\n"))
  }

  func stop() {
    process.terminate()
    process.waitUntilExit()
  }

  deinit { if process.isRunning { process.terminate() } }
}

/// A folder that goes with the test.
final class TemporaryFolder {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "rollcall-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
  }

  /// A file with a secret that a server takes.
  func secretFile() throws -> String {
    let file = path + "/secret"
    try Data("a secret of more than thirty-two bytes\n".utf8).write(to: URL(fileURLWithPath: file))
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file)
    return file
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Whether any file in it, or below, has these bytes.
  func contains(_ text: String) throws -> Bool {
    for name in try FileManager.default.subpathsOfDirectory(atPath: path) {
      let file = try? Data(contentsOf: URL(fileURLWithPath: "\(path)/\(name)"))
      if file?.range(of: Data(text.utf8)) != nil { return true }
    }
    return false
  }
}
