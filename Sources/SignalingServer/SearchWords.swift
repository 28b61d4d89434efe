import Classroom

/// The words of titles, instructors, courses and tags, and which sessions have them. A search is for words that begin so.
struct SearchWords {
  private struct Entry {
    var word: String
    /// Ascending.
    var slots: [Int32]
  }

  /// A word is known by so many bytes of its beginning: they need no memory of their own.
  private static let wordBytes = 15
  /// The words of a session that count, and those of a question.
  private static let maximumWords = 64

  /// By the first two bytes of their words, each ascending.
  private var entries: [UInt16: [Entry]] = [:]

  // MARK: Words

  /// The words of some texts, in small letters, each once.
  static func words(of texts: [String]) -> [String] {
    var words: [String] = []
    for text in texts {
      for part in text.split(whereSeparator: { !$0.isLetter && !$0.isNumber }) where words.count < maximumWords {
        let word = known(part.lowercased())
        if !word.isEmpty, !words.contains(word) { words.append(word) }
      }
    }
    return words
  }

  private static func known(_ word: String) -> String {
    guard word.utf8.count > wordBytes else { return word }
    var word = word
    while word.utf8.count > wordBytes { word.unicodeScalars.removeLast() }
    return word
  }

  private static func head(_ word: String) -> UInt16 {
    var bytes = word.utf8.makeIterator()
    return UInt16(bytes.next() ?? 0) << 8 | UInt16(bytes.next() ?? 0)
  }

  // MARK: Changing

  mutating func insert(_ slot: Int32, words: [String]) {
    for word in words {
      let head = Self.head(word)
      var bucket = entries.removeValue(forKey: head) ?? []
      let index = Self.firstIndex(in: bucket, from: word)
      if index < bucket.count, bucket[index].word == word {
        let place = Self.firstIndex(in: bucket[index].slots, from: slot)
        if place == bucket[index].slots.count || bucket[index].slots[place] != slot {
          bucket[index].slots.insert(slot, at: place)
        }
      } else {
        bucket.insert(Entry(word: word, slots: [slot]), at: index)
      }
      entries[head] = bucket
    }
  }

  mutating func remove(_ slot: Int32, words: [String]) {
    for word in words {
      let head = Self.head(word)
      guard var bucket = entries.removeValue(forKey: head) else { continue }
      let index = Self.firstIndex(in: bucket, from: word)
      if index < bucket.count, bucket[index].word == word {
        let place = Self.firstIndex(in: bucket[index].slots, from: slot)
        if place < bucket[index].slots.count, bucket[index].slots[place] == slot {
          bucket[index].slots.remove(at: place)
        }
        if bucket[index].slots.isEmpty { bucket.remove(at: index) }
      }
      if !bucket.isEmpty { entries[head] = bucket }
    }
  }

  // MARK: Searching

  /// The sessions of which some word begins with each of these.
  func sessions(withWords words: [String], capacity: Int) -> SlotSet {
    var found: SlotSet?
    for word in words {
      var some = SlotSet(capacity: capacity)
      for bucket in buckets(of: word) {
        var index = Self.firstIndex(in: bucket, from: word)
        while index < bucket.count, bucket[index].word.utf8.starts(with: word.utf8) {
          for slot in bucket[index].slots { some.insert(slot) }
          index += 1
        }
      }
      if found == nil { found = some } else { found?.formIntersection(some) }
    }
    return found ?? SlotSet(capacity: capacity)
  }

  private func buckets(of word: String) -> [[Entry]] {
    let head = Self.head(word)
    if word.utf8.count > 1 { return entries[head].map { [$0] } ?? [] }
    return (head...(head | 0xFF)).compactMap { entries[$0] }
  }

  /// By bytes: the order of what begins alike, whatever the characters.
  private static func firstIndex(in bucket: [Entry], from word: String) -> Int {
    var low = 0
    var high = bucket.count
    while low < high {
      let middle = low + (high - low) / 2
      if bucket[middle].word.utf8.lexicographicallyPrecedes(word.utf8) { low = middle + 1 } else { high = middle }
    }
    return low
  }

  private static func firstIndex(in slots: [Int32], from slot: Int32) -> Int {
    var low = 0
    var high = slots.count
    while low < high {
      let middle = low + (high - low) / 2
      if slots[middle] < slot { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
