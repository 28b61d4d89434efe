// What of a configuration changes while the server runs.
extension ServerLoop {
  func reconfigure(_ configuration: ServerConfiguration) {
    limits = configuration.limits
    messageLimit = limits.messages
    userMessageLimit = limits.userMessages
    controlFrameLimit = limits.controlFrames
    patience = configuration.patience
    origins = configuration.origins
    trustedProxies = configuration.trustedProxies
    var announced = context.configuration
    announced.limits = limits
    announced.patience = patience
    welcome = Self.makeWelcome(announced)
    if shard.iceServers as? CallSettings != configuration.calls {
      shard.changeICEServers(to: configuration.calls, at: now)
    }
  }
}
