/// Session ids already made into strings: a journal names the same few over and over, and a new string each time
/// would be an allocation per record.
struct SessionNameCache {
  private static let slots = 1024
  private var names = [String](repeating: "", count: slots)

  /// The string of these bytes; nil when they are not UTF-8.
  mutating func name(_ bytes: RawSpan) -> String? {
    bytes.withUnsafeBytes { (bytes: UnsafeRawBufferPointer) -> String? in
      var hash: UInt32 = 2_166_136_261
      for byte in bytes { hash = (hash ^ UInt32(byte)) &* 16_777_619 }
      let slot = Int(hash ^ hash >> 16) & (Self.slots - 1)
      let matches = names[slot].utf8.withContiguousStorageIfAvailable {
        $0.count == bytes.count && UnsafeRawBufferPointer($0).elementsEqual(bytes)
      }
      if matches == true { return names[slot] }
      guard let name = String(validating: bytes, as: UTF8.self) else { return nil }
      names[slot] = name
      return name
    }
  }
}
