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

  /// The files of its history; nil when it has none. One that cannot be read is not taken for none: people may be named in it.
  static func openHistory(of path: String) throws(CommandFailure) -> FileStorage? {
    do throws(StorageError) {
      return try FileStorage(path: "\(path)/\(DataFolder.historyName)")
    } catch  where error.isNotFound {
      return nil
    } catch {
      throw CommandFailure(sentence: "the history of \(PrintableText.escaped(path)) cannot be read: \(error)")
    }
  }

  /// What the folder holds, provided that it is one of ours.
  static func inspect(_ storage: FileStorage, path: String) throws(CommandFailure) -> FolderInspection {
    let history = try openHistory(of: path)
    let inspection: FolderInspection
    do throws(FolderFormat.Failure) {
      inspection = try FolderInspection(storage, history: history, isInUse: DataFolder.isInUse(path: path))
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
