import Bytes
import Classroom
import EventLoop
import HTTPCore
import JSON
import Persistence
import SignalingProtocol
import Tokens

extension MetricsText {
  /// The server's figures at this moment.
  init(journal: JournalThread, census: ConnectionCensus, users: UserRates, keys: KeyRefresh?) {
    self.init()
    let loops = journal.figures
    addTraffic(loops, census: census, users: users)
    addTokens(loops, keys)
    addBounds(loops)
    addTicks(loops)
    addJournal(journal)
    addProcess()
  }

  private mutating func addTraffic(_ loops: [LoopFigures], census: ConnectionCensus, users: UserRates) {
    func sum(_ gauge: LoopFigures.Gauge) -> UInt64 { loops.reduce(0) { $0 + $1.value(of: gauge) } }
    func sum(_ counter: LoopFigures.Counter) -> UInt64 { loops.reduce(0) { $0 &+ $1.value(of: counter) } }
    gauge("rollcall_connections", "Open connections.", sum(.connections))
    gauge("rollcall_connections_maximum", "How many connections may be open.", census.maximum)
    gauge("rollcall_websockets", "Open WebSockets.", sum(.webSockets))
    gauge("rollcall_users", "Users who are connected, or were until a moment ago.", users.count)
    gauge("rollcall_live_sessions", "Sessions that are live.", sum(.liveSessions))
    gauge("rollcall_people", "People in live sessions.", sum(.people))
    gauge("rollcall_queue_bytes", "Bytes that wait for sockets that do not take them.", sum(.queueBytes))
    counter("rollcall_connections_total", "Connections that came in.", sum(.accepted))
    counter("rollcall_http_requests_total", "HTTP requests, upgrades included.", sum(.requests))
    counter("rollcall_upgrades_total", "Requests that became WebSockets.", sum(.upgrades))
    counter("rollcall_messages_received_total", "WebSocket messages from clients.", sum(.messagesIn))
    counter("rollcall_messages_sent_total", "WebSocket messages to clients, one for each receiver.", sum(.messagesOut))
    counter("rollcall_received_bytes_total", "Bytes from clients.", sum(.bytesIn))
    counter("rollcall_sent_bytes_total", "Bytes that the sockets of clients took.", sum(.bytesOut))
    counter(
      "rollcall_coalesced_total", "Presence and counts that were left out for slow readers, to be told anew.",
      sum(.coalesced))
    counter(
      "rollcall_signals_held_total", "Candidates that came before their offer, and were kept for it.", sum(.heldSignals)
    )
    counters(
      "rollcall_signals_dropped_total",
      "Signals that were not passed on: of a negotiation that was over, or held for an offer that never came.",
      label: "reason", [("stale", sum(.staleSignals)), ("abandoned", sum(.abandonedSignals))])
    counters(
      "rollcall_tls_handshakes_total", "TLS handshakes; those that took too long are counted as a limit reached.",
      label: "result",
      [
        ("full", sum(.fullHandshakes)), ("resumed", sum(.resumedHandshakes)), ("failed", sum(.failedHandshakes)),
      ])
  }

  private mutating func addTokens(_ loops: [LoopFigures], _ keys: KeyRefresh?) {
    func sum(_ counter: LoopFigures.Counter) -> UInt64 { loops.reduce(0) { $0 &+ $1.value(of: counter) } }
    counter("rollcall_tokens_taken_total", "Tokens that were good.", sum(.tokensTaken))
    counter("rollcall_tokens_renewed_total", "Sockets that brought a new token in time.", sum(.tokensRenewed))
    counters(
      "rollcall_tokens_refused_total", "Tokens and tickets that were refused.", label: "reason",
      TokenRefusal.Reason.allCases.map { reason in
        (reason.rawValue, loops.reduce(0) { $0 &+ $1.value(of: reason) })
      })
    guard let keys else { return }
    let figures = keys.figures
    gauge("rollcall_token_keys", "Keys that check tokens.", keys.ring.count)
    counters(
      "rollcall_key_loads_total", "How often the keys of a source were loaded, or could not be.", label: "result",
      [("loaded", figures.loads), ("failed", figures.failures)])
    let now = MonotonicClock.milliseconds()
    let oldest = figures.loadedAt.map { $0.map { now - $0 } ?? .max }.max() ?? 0
    gauge(
      "rollcall_keys_age_seconds", "For how long the source that was not loaded for longest was not; -1 for never yet.",
      oldest == .max ? -1 : oldest / 1000)
  }

  private mutating func addBounds(_ loops: [LoopFigures]) {
    counters(
      "rollcall_limit_reached_total", "How often a limit was reached.", label: "limit",
      Limit.allCases.map { limit in (limit.rawValue, loops.reduce(0) { $0 &+ $1.value(of: limit) }) })
    let codes = LoopFigures.closeCodes.map { "\($0)" } + ["other"]
    counters(
      "rollcall_closes_total", "WebSockets that ended, by the code of the first Close; 1005 had none, 1006 no Close.",
      label: "code",
      codes.enumerated().map { index, code in (code, loops.reduce(0) { $0 &+ $1.closes(at: index) }) })
  }

  private mutating func addTicks(_ loops: [LoopFigures]) {
    var buckets = [UInt64](repeating: 0, count: LoopFigures.tickBounds.count + 1)
    var nanoseconds: UInt64 = 0
    for loop in loops {
      let ticks = loop.ticks
      for (index, count) in ticks.buckets.enumerated() { buckets[index] &+= count }
      nanoseconds &+= ticks.nanoseconds
    }
    histogram(
      "rollcall_tick_seconds", "How long the event loops worked before they waited again.",
      bounds: LoopFigures.tickBounds, counts: buckets, nanoseconds: nanoseconds)
  }

  private mutating func addJournal(_ journal: JournalThread) {
    let counters = journal.counters
    counter("rollcall_journal_batches_total", "Batches written to the journal.", counters.batches)
    counter("rollcall_journal_records_total", "Records written to the journal.", counters.records)
    counter("rollcall_journal_bytes_total", "Bytes of the records written to the journal.", counters.bytes)
    counter("rollcall_journal_failures_total", "Writes and syncs of the journal that failed.", counters.failures)
    gauge("rollcall_storage_failed", "Whether the disk cannot be written (1) or can (0).", journal.hasFailed ? 1 : 0)
    counter("rollcall_snapshots_total", "Snapshots written.", counters.snapshots)
    counter("rollcall_snapshots_failed_total", "Snapshots that were due and not written.", counters.abandonedSnapshots)
    histogram(
      "rollcall_journal_sync_seconds", "How long the syncs of the journal took.",
      bounds: JournalCounters.syncBounds, counts: counters.syncs,
      nanoseconds: counters.syncNanoseconds)
  }

  private mutating func addProcess() {
    let process = ProcessFigures()
    counter("process_cpu_seconds_total", "Processor time, user and system.", process.processorSeconds)
    gauge("process_resident_memory_bytes", "Memory in RAM.", process.residentBytes)
    gauge("process_virtual_memory_bytes", "Address space.", process.virtualBytes)
    gauge("process_open_fds", "Open files and sockets.", process.openDescriptors)
    gauge("process_max_fds", "How many files and sockets may be open.", process.maximumDescriptors)
    gauge("process_threads", "Threads.", process.threads)
  }

  /// The text as an answer.
  var answer: HTTPAnswer {
    HTTPAnswer(
      status: 200, headers: ["Content-Type": Self.contentType, "Cache-Control": "no-store"], body: Array(text.utf8))
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
  func respondWithReadiness(to request: HTTPRequest, of id: SlotID) {
    respond(
      to: request, with: .condition(context.state.reason(journal: context.journal, atMonotonic: monotonicNow)), of: id)
  }

  /// The figures are for who runs the machine: on a listener of their own, or else for peers on the machine and for
  /// administrators.
  func respondWithMetrics(to request: HTTPRequest, of id: SlotID) {
    guard let connection = connections.pointer(to: id) else { return }
    let isOpen =
      connection.pointee.isOperator || !context.hasOperatorListener && isFromThisMachine(request, of: id)
    // To whom it is not open there is nothing here, whatever is wrong with the token.
    guard isOpen || (try? identity(of: request))??.isAdministrator == true else {
      respond(to: request, with: ProtocolError(.notFound, "There is nothing here."), of: id)
      return
    }
    publishCounts()
    let metrics = MetricsText(
      journal: context.journal, census: context.census, users: context.userRates, keys: context.keyRefresh)
    respond(to: request, with: metrics.answer, of: id)
  }

  /// Whether the request was made on this machine, and not for somebody else by a proxy on it.
  private func isFromThisMachine(_ request: HTTPRequest, of id: SlotID) -> Bool {
    guard request.headers.first("x-forwarded-for") == nil, request.headers.first("forwarded") == nil,
      let connection = connections.pointer(to: id)
    else { return false }
    return StreamSocket.peerAddress(connection.pointee.socket.rawValue)?.isLoopback ?? false
  }
}
