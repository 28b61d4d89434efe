import Bytes
import Classroom
import EventLoop
import HTTPCore
import JSON
import Persistence
import SignalingProtocol

/// The server's figures in the text format of Prometheus, version 0.0.4.
struct Metrics {
  private var text = ""

  /// The figures of this moment.
  init(journal: JournalThread) {
    let counters = journal.counters
    gauge("rollcall_connections", "Open connections.", journal.figures.reduce(0) { $0 + $1.connections })
    gauge("rollcall_live_sessions", "Sessions that are live.", journal.figures.reduce(0) { $0 + $1.liveSessions })
    gauge("rollcall_people", "People in live sessions.", journal.figures.reduce(0) { $0 + $1.people })
    counter("rollcall_journal_batches_total", "Batches written to the journal.", counters.batches)
    counter("rollcall_journal_records_total", "Records written to the journal.", counters.records)
    counter("rollcall_journal_bytes_total", "Bytes of the records written to the journal.", counters.bytes)
    counter("rollcall_journal_failures_total", "Writes and syncs of the journal that failed.", counters.failures)
    gauge("rollcall_storage_failed", "Whether the disk cannot be written (1) or can (0).", journal.hasFailed ? 1 : 0)
    counter("rollcall_snapshots_total", "Snapshots written.", counters.snapshots)
    counter("rollcall_snapshots_failed_total", "Snapshots that were due and not written.", counters.abandonedSnapshots)
    syncs(counters)
  }

  /// The text as an answer.
  var answer: HTTPAnswer {
    HTTPAnswer(
      status: 200,
      headers: ["Content-Type": "text/plain; version=0.0.4; charset=utf-8", "Cache-Control": "no-store"],
      body: Array(text.utf8))
  }

  private mutating func head(_ name: String, _ help: String, _ type: String) {
    text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
  }

  private mutating func gauge(_ name: String, _ help: String, _ value: Int) {
    head(name, help, "gauge")
    text += "\(name) \(value)\n"
  }

  private mutating func counter(_ name: String, _ help: String, _ value: UInt64) {
    head(name, help, "counter")
    text += "\(name) \(value)\n"
  }

  private mutating func syncs(_ counters: JournalCounters) {
    let name = "rollcall_journal_sync_seconds"
    head(name, "How long the syncs of the journal took.", "histogram")
    var sum: UInt64 = 0
    for (bound, count) in zip(JournalCounters.syncBounds, counters.syncs) {
      sum += count
      text += "\(name)_bucket{le=\"\(Double(bound) / 1e9)\"} \(sum)\n"
    }
    sum += counters.syncs.last ?? 0
    text += "\(name)_bucket{le=\"+Inf\"} \(sum)\n"
    text += "\(name)_sum \(Double(counters.syncNanoseconds) / 1e9)\n\(name)_count \(sum)\n"
  }
}

extension HTTPAnswer {
  /// Whether the server serves, and if not, why: `details.reason`.
  static func condition(_ reason: ServerState.Reason?) -> HTTPAnswer {
    guard let reason else { return HTTPAnswer(status: 200) { $0.object { $0.field("status", "ok") } } }
    return HTTPAnswer(status: ErrorCode.unavailable.httpStatus) { writer in
      writer.object { writer in
        writer.key("error")
        writer.object { writer in
          writer.field("code", ErrorCode.unavailable.rawValue)
          writer.field("message", reason.sentence)
          writer.field("retryable", ErrorCode.unavailable.isRetryable)
          writer.key("details")
          writer.object { $0.field("reason", reason.rawValue) }
        }
        writer.field("message", reason.sentence)
      }
    }
  }
}

extension ServerLoop {
  /// The figures are for who runs the machine: peers on it, or administrators.
  func respondWithMetrics(to request: HTTPRequest, of id: SlotID) {
    guard isFromThisMachine(request, of: id) || (try? identity(of: request))?.isAdministrator == true else {
      respond(to: request, with: ProtocolError(.notFound, "There is nothing here."), of: id)
      return
    }
    respond(to: request, with: Metrics(journal: context.journal).answer, of: id)
  }

  /// Whether the request was made on this machine, and not for somebody else by a proxy on it.
  private func isFromThisMachine(_ request: HTTPRequest, of id: SlotID) -> Bool {
    guard request.headers.first("x-forwarded-for") == nil, request.headers.first("forwarded") == nil,
      let connection = connections.pointer(to: id)
    else { return false }
    return StreamSocket.peerAddress(connection.pointee.socket.rawValue)?.isLoopback ?? false
  }
}
