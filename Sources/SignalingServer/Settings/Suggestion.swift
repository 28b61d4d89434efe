/// What somebody may have meant by a name that is not there.
enum Suggestion {
  /// The nearest of the names, if one is near: by insertions, removals, replacements and swaps of neighbours.
  static func nearest(to word: String, among names: [String]) -> String? {
    let most = max(1, word.count / 3)
    let candidates = names.map { (name: $0, distance: distance(word, $0)) }
    guard let best = candidates.min(by: { ($0.distance, $0.name) < ($1.distance, $1.name) }), best.distance <= most
    else { return names.filter { word.count >= 3 && $0.hasPrefix(word) }.min() }
    return best.name
  }

  private static func distance(_ first: String, _ second: String) -> Int {
    let (a, b) = (Array(first.utf8), Array(second.utf8))
    var rows = [Array(0...b.count)]
    for i in 0..<a.count {
      var row = [i + 1]
      for j in 0..<b.count {
        var cost = min(rows[i][j + 1] + 1, row[j] + 1, rows[i][j] + (a[i] == b[j] ? 0 : 1))
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { cost = min(cost, rows[i - 1][j - 1] + 1) }
        row.append(cost)
      }
      rows.append(row)
    }
    return rows[a.count][b.count]
  }
}
