import Foundation

/// The files of this repository, found from where this source lies.
struct Repository {
  struct File {
    /// Relative to the repository, with slashes.
    var path: String
    var text: String
  }

  enum Failure: Error {
    case notAFolder(String)
  }

  let root: URL

  /// The repository that this source belongs to.
  init(filePath: String = #filePath) {
    root = URL(fileURLWithPath: filePath)
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
  }

  /// The text of one file.
  func text(_ path: String) throws -> String {
    try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
  }

  /// The names of the folders directly in a folder.
  func folders(in path: String) throws -> [String] {
    try names(in: path).filter { isFolder("\(path)/\($0)") }
  }

  /// Every file below the given folders, sorted, hidden ones and build products left out.
  func paths(below folders: [String]) throws -> [String] {
    var found: [String] = []
    for folder in folders {
      guard isFolder(folder) else { throw Failure.notAFolder(folder) }
      for name in try names(in: folder) {
        let path = folder == "." ? name : "\(folder)/\(name)"
        if isFolder(path) {
          if name != "__pycache__" { found += try paths(below: [path]) }
        } else {
          found.append(path)
        }
      }
    }
    return found
  }

  /// The Swift files below the given folders.
  func swiftFiles(below folders: [String]) throws -> [File] {
    try paths(below: folders).filter { $0.hasSuffix(".swift") }.map { File(path: $0, text: try text($0)) }
  }

  /// Every file of the repository that is text.
  func textFiles() throws -> [File] {
    let folders = ["Sources", "Tests", "loadtest", "protocol"]
    let top = try names(in: ".").filter { !isFolder($0) }
    let hidden = [".ci/run", ".gitignore", ".swift-format"].filter { exists($0) }
    return try (top + hidden + paths(below: folders)).compactMap { path in
      guard let text = try? text(path) else { return nil }  // an image, a corpus: no text to read
      return File(path: path, text: text)
    }
  }

  private func names(in path: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: root.appendingPathComponent(path).path)
      .filter { !$0.hasPrefix(".") && $0 != "rollcall-data" && $0 != "build-output" }.sorted()
  }

  private func exists(_ path: String) -> Bool {
    FileManager.default.fileExists(atPath: root.appendingPathComponent(path).path)
  }

  private func isFolder(_ path: String) -> Bool {
    var isDirectory: ObjCBool = false
    return FileManager.default.fileExists(atPath: root.appendingPathComponent(path).path, isDirectory: &isDirectory)
      && isDirectory.boolValue
  }
}
