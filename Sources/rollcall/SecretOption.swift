import SignalingServer

/// The secret as a command needs it.
enum SecretOption {
  static func read(_ path: String) throws(CommandFailure) -> [UInt8] {
    do throws(SecretFile.Failure) {
      return try SecretFile.read(path)
    } catch {
      throw CommandFailure(sentence: "\(error)")
    }
  }

  static func readOrCreate(_ path: String) throws(CommandFailure) -> [UInt8] {
    do throws(SecretFile.Failure) {
      return try SecretFile.readOrCreate(path)
    } catch {
      throw CommandFailure(sentence: "\(error)")
    }
  }

  /// A secret that the environment gave.
  static func check(_ secret: String) throws(CommandFailure) -> [UInt8] {
    do throws(SecretFile.Failure) {
      return try SecretFile.check(secret)
    } catch {
      throw CommandFailure(sentence: "\(error)")
    }
  }

  /// The secret that is shared with the TURN server; empty when there is none.
  static func turn(_ settings: ServerSettings) throws(CommandFailure) -> [UInt8] {
    if let secret = settings.turnSecret { return Array(secret.utf8) }
    guard let file = settings.turnSecretFile else { return [] }
    do throws(SecretFile.Failure) {
      return try SecretFile.read(file, minimumBytes: 1)
    } catch {
      throw CommandFailure(sentence: "\(error)")
    }
  }
}
