/// Where the rooms live.
enum RoomPlacement {
  /// The loop of a session: FNV-1a of its id, so that it is the same in every loop.
  static func loop(of session: String, count: Int) -> Int {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in session.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return Int((hash ^ hash >> 32) % UInt64(count))
  }
}
