import DataTools
import Persistence

/// What the commands that work on a data folder share.
enum DataCommand {
  /// The files of a folder that exists.
  static func openStorage(_ path: String) throws(CommandFailure) -> FileStorage {
    do throws(StorageError) {
      return try FileStorage(path: path)
    } catch {
      throw CommandFailure(sentence: "the data folder \(PrintableText.escaped(path)) cannot be read: \(error)")
    }
  }

  /// What the folder holds, provided that it is one of ours.
  static func inspect(_ storage: FileStorage, path: String) throws(CommandFailure) -> FolderInspection {
    let inspection: FolderInspection
    do throws(FolderFormat.Failure) {
      inspection = try FolderInspection(
        storage, history: try? FileStorage(path: "\(path)/\(DataFolder.historyName)"),
        isInUse: DataFolder.isInUse(path: path))
    } catch {
      throw CommandFailure(sentence: "the data folder \(PrintableText.escaped(path)): \(reason(error))")
    }
    guard inspection.format != nil || inspection.isInUse == true else {
      throw CommandFailure(sentence: "\(PrintableText.escaped(path)) is not a data folder: it has no format file")
    }
    return inspection
  }

  private static func reason(_ failure: FolderFormat.Failure) -> String {
    switch failure {
    case .newer(let version, let supported): "has format \(version), this build reads up to \(supported)"
    case .unreadable: "its format file is damaged"
    case .missing: "it has journal or snapshots, but no format file"
    case .storage(let error): "\(error)"
    }
  }
}
