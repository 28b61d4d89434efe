import ArgumentParser
import EventLoop
import SignalingServer

/// What `rollcall serve` takes from clients: one option for each setting of a limit, with the name, the default and the words
/// of the server's own table.
struct LimitOptions: ParsableArguments {
  @Option(name: .of(.handshakeTime), help: .of(.handshakeTime)) var handshakeTime = TimeSpan(.handshakeTime)
  @Option(name: .of(.idleTime), help: .of(.idleTime)) var idleTime = TimeSpan(.idleTime)
  @Option(name: .of(.helloTime), help: .of(.helloTime)) var helloTime = TimeSpan(.helloTime)
  @Option(name: .of(.pingInterval), help: .of(.pingInterval)) var pingInterval = TimeSpan(.pingInterval)
  @Option(name: .of(.requestLineBytes), help: .of(.requestLineBytes)) var requestLineBytes = Int64(.requestLineBytes)
  @Option(name: .of(.headerBytes), help: .of(.headerBytes)) var headerBytes = Int64(.headerBytes)
  @Option(name: .of(.headerCount), help: .of(.headerCount)) var headerCount = Int64(.headerCount)
  @Option(name: .of(.bodyBytes), help: .of(.bodyBytes)) var bodyBytes = Int64(.bodyBytes)
  @Option(name: .of(.messageBytes), help: .of(.messageBytes)) var messageBytes = Int64(.messageBytes)
  @Option(name: .of(.inflatedBytes), help: .of(.inflatedBytes)) var inflatedBytes = Int64(.inflatedBytes)
  @Option(name: .of(.messageFragments), help: .of(.messageFragments)) var messageFragments = Int64(.messageFragments)
  @Option(name: .of(.messageRate), help: .of(.messageRate)) var messageRate = Int64(.messageRate)
  @Option(name: .of(.messageBurst), help: .of(.messageBurst)) var messageBurst = Int64(.messageBurst)
  @Option(name: .of(.userMessageRate), help: .of(.userMessageRate)) var userMessageRate = Int64(.userMessageRate)
  @Option(name: .of(.userMessageBurst), help: .of(.userMessageBurst)) var userMessageBurst = Int64(.userMessageBurst)
  @Option(name: .of(.controlFrameRate), help: .of(.controlFrameRate)) var controlFrameRate = Int64(.controlFrameRate)
  @Option(name: .of(.controlFrameBurst), help: .of(.controlFrameBurst)) var controlFrameBurst = Int64(
    .controlFrameBurst)
  @Option(name: .of(.outboundBytes), help: .of(.outboundBytes)) var outboundBytes = Int64(.outboundBytes)
  @Option(name: .of(.connections), help: .of(.connections)) var connections = Int64(.connections)
  @Option(name: .of(.connectionsPerAddress), help: .of(.connectionsPerAddress))
  var connectionsPerAddress = Int64(.connectionsPerAddress)

  private var values: [(setting: LimitSetting, value: Int64)] {
    [
      (.handshakeTime, handshakeTime.milliseconds), (.idleTime, idleTime.milliseconds),
      (.helloTime, helloTime.milliseconds), (.pingInterval, pingInterval.milliseconds),
      (.requestLineBytes, requestLineBytes), (.headerBytes, headerBytes), (.headerCount, headerCount),
      (.bodyBytes, bodyBytes), (.messageBytes, messageBytes), (.inflatedBytes, inflatedBytes),
      (.messageFragments, messageFragments),
      (.messageRate, messageRate), (.messageBurst, messageBurst), (.userMessageRate, userMessageRate),
      (.userMessageBurst, userMessageBurst), (.controlFrameRate, controlFrameRate),
      (.controlFrameBurst, controlFrameBurst), (.outboundBytes, outboundBytes), (.connections, connections),
      (.connectionsPerAddress, connectionsPerAddress),
    ]
  }

  func validate() throws {
    for (setting, value) in values where !setting.range.contains(value) {
      let (least, most) =
        setting.unit == .milliseconds
        ? (
          TimeSpan(milliseconds: setting.range.lowerBound).defaultValueDescription,
          TimeSpan(milliseconds: setting.range.upperBound).defaultValueDescription
        ) : ("\(setting.range.lowerBound)", "\(setting.range.upperBound)")
      throw ValidationError("--\(setting.option) takes \(least) to \(most).")
    }
  }

  /// Sets all of them.
  func apply(to configuration: inout ServerConfiguration) {
    for (setting, value) in values { setting.set(value, in: &configuration) }
  }
}

extension NameSpecification {
  fileprivate static func of(_ setting: LimitSetting) -> NameSpecification { .customLong(setting.option) }
}

extension ArgumentHelp {
  fileprivate static func of(_ setting: LimitSetting) -> ArgumentHelp { ArgumentHelp(setting.help) }
}

extension TimeSpan {
  fileprivate init(_ setting: LimitSetting) { self.init(milliseconds: setting.defaultValue) }
}

extension Int64 {
  fileprivate init(_ setting: LimitSetting) { self = setting.defaultValue }
}
