import HTTPCore
import WebClassroom

/// The files of the page, which are part of the binary.
enum StaticFiles {
  private struct File: Sendable {
    var type: String
    var body: [UInt8]
  }

  private static let files: [String: File] = {
    var files: [String: File] = [:]
    for index in 0..<web_asset_count() {
      let asset = web_asset_at(index).pointee
      files[String(cString: asset.path)] = File(
        type: String(cString: asset.type), body: Array(UnsafeBufferPointer(start: asset.bytes, count: asset.count)))
    }
    return files
  }()

  /// The file at this path, as an answer.
  static func file(at path: String) -> HTTPAnswer? {
    guard let file = files[path] else { return nil }
    var headers: HTTPHeaders = ["Content-Type": file.type, "Cache-Control": "no-cache"]
    for field in SecurityHeaders.page { headers.append(field.name, field.value) }
    return HTTPAnswer(status: 200, headers: headers, body: file.body)
  }
}
