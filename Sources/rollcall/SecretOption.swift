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
}
