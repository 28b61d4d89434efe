import Classroom

/// Figures as people read them.
enum Figures {
  /// `512 B`, `40.1 KiB`, `3.0 GiB`.
  static func bytes(_ count: UInt64) -> String {
    guard count >= 1024 else { return "\(count) B" }
    var tenths = min(count, UInt64.max / 10) * 10
    for unit in ["KiB", "MiB", "GiB"] {
      tenths /= 1024
      if tenths < 10_240 { return "\(tenths / 10).\(tenths % 10) \(unit)" }
    }
    return "\(tenths / 10_240) TiB"
  }

  /// `1 record`, `2 records`.
  static func count(_ number: some BinaryInteger, _ singular: String, _ plural: String? = nil) -> String {
    "\(number) \(number == 1 ? singular : plural ?? singular + "s")"
  }

  /// Minutes with one decimal.
  static func minutes(_ milliseconds: Int64) -> String {
    let tenths = max(0, milliseconds) / 6000
    return "\(tenths / 10).\(tenths % 10)"
  }

  /// RFC 3339, in UTC.
  static func time(_ milliseconds: Int64) -> String { RFC3339.format(Timestamp(milliseconds: milliseconds)) }

  /// Rows of cells, each column as wide as its widest cell; the last one is left as it is.
  static func table(_ rows: [[String]], indentation: String = "  ", rightAligned: Set<Int> = []) -> [String] {
    let columns = rows.map(\.count).max() ?? 0
    let widths = (0..<columns).map { column in
      rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
    }
    return rows.map { row in
      let cells = row.enumerated().map { column, cell in
        let padding = String(repeating: " ", count: widths[column] - cell.count)
        if rightAligned.contains(column) { return padding + cell }
        return column == row.count - 1 ? cell : cell + padding
      }
      return indentation + cells.joined(separator: "  ")
    }
  }
}
