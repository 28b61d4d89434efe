import ArgumentParser
import EventLoop
import Glibc

/// Plays the cases of the fuzzing server of Autobahn|Testsuite, one after the other: our client machine over a socket.
@main
struct ConformanceClient: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "conformance-client", abstract: "Play the cases of a fuzzing server of Autobahn|Testsuite.")

  @Option(help: "The port of the fuzzing server on this machine.")
  var port: UInt16

  @Option(help: "How many cases the server has.")
  var cases: Int

  @Option(help: "The name in the report.")
  var agent = "testee"

  @Option(help: "How long one case may take, in seconds.")
  var patience: Int64 = 600

  func validate() throws {
    guard cases >= 0, (1...86_400).contains(patience) else {
      throw ValidationError("--cases takes a number from 0, --patience at most a day.")
    }
  }

  func run() throws {
    let address = try SocketAddress.resolve(host: "127.0.0.1", port: port)
    guard let address = address.first else { throw ExitCode.failure }
    for number in stride(from: 1, through: cases, by: 1) {
      do throws(EchoFailure) {
        var echo = try EchoConnection(
          to: address, host: "127.0.0.1:\(port)", path: "/runCase?case=\(number)&agent=\(agent)")
        try echo.run(until: MonotonicClock.milliseconds() + patience * 1000)
      } catch {
        print("case \(number): \(error)")
        // What became of a case is in the report of the fuzzing server; only without a server there is nothing to go on.
        if case .notConnected = error { throw ExitCode.failure }
      }
    }
  }
}
