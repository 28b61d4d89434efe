/// Every error code, over WebSocket and HTTP: the registry `protocol/errors.json` in Swift.
public enum ErrorCode: String, Sendable, CaseIterable {
  case malformedJSON = "malformed_json"
  case missingField = "missing_field"
  case invalidField = "invalid_field"
  case unknownType = "unknown_type"
  case helloExpected = "hello_expected"
  case alreadyGreeted = "already_greeted"
  case badToken = "bad_token"
  case tokenExpired = "token_expired"
  case badTicket = "bad_ticket"
  case notJoined = "not_joined"
  case alreadyJoined = "already_joined"
  case forbidden
  case notFound = "not_found"
  case methodNotAllowed = "method_not_allowed"
  case wrongState = "wrong_state"
  case sessionFull = "session_full"
  case sessionExists = "session_exists"
  case keyConflict = "key_conflict"
  case keyExpired = "key_expired"
  case peerUnavailable = "peer_unavailable"
  case staleNegotiation = "stale_negotiation"
  case badRequest = "bad_request"
  case originNotAllowed = "origin_not_allowed"
  case unsupportedSubprotocol = "unsupported_subprotocol"
  case unsupportedVersion = "unsupported_version"
  case upgradeRequired = "upgrade_required"
  case payloadTooLarge = "payload_too_large"
  case uriTooLong = "uri_too_long"
  case headerTooLarge = "header_too_large"
  case notImplemented = "not_implemented"
  case versionNotSupported = "version_not_supported"
  case rateLimited = "rate_limited"
  case tooManyConnections = "too_many_connections"
  case serverFull = "server_full"
  case unavailable
  case storageUnavailable = "storage_unavailable"
  case internalError = "internal_error"

  case alreadyInSession = "already_in_session"
  case denied
  case locked
  case notOnList = "not_on_list"
  case listFull = "list_full"

  case banned
  case muted
  case chatClosed = "chat_closed"
  case slowMode = "slow_mode"
  case noSuchParticipant = "no_such_participant"
  case noSuchMessage = "no_such_message"
  case limitReached = "limit_reached"

  case stageFull = "stage_full"
  case stageClosed = "stage_closed"
  case audioOnly = "audio_only"

  /// The status when the answer is HTTP (RFC 9110, section 15).
  public var httpStatus: Int {
    switch self {
    case .malformedJSON, .unknownType, .helloExpected, .alreadyGreeted, .notJoined, .alreadyJoined, .wrongState,
      .sessionFull, .sessionExists, .keyConflict, .keyExpired, .staleNegotiation, .badRequest, .unsupportedSubprotocol,
      .alreadyInSession:
      400
    case .badToken, .tokenExpired, .badTicket: 401
    case .forbidden, .originNotAllowed, .denied, .locked: 403
    case .notOnList: 404
    case .listFull: 400
    case .notFound, .peerUnavailable: 404
    case .methodNotAllowed: 405
    case .payloadTooLarge: 413
    case .uriTooLong: 414
    case .missingField, .invalidField: 422
    case .unsupportedVersion, .upgradeRequired: 426
    case .rateLimited, .tooManyConnections: 429
    case .headerTooLarge: 431
    case .internalError: 500
    case .notImplemented: 501
    case .serverFull, .unavailable, .storageUnavailable: 503
    case .versionNotSupported: 505

    case .limitReached, .stageFull, .audioOnly: 400
    case .banned, .muted, .chatClosed, .stageClosed: 403
    case .noSuchParticipant, .noSuchMessage: 404
    case .slowMode: 429
    }
  }

  /// Whether the same request can succeed later without a change.
  public var isRetryable: Bool {
    switch self {
    case .sessionFull, .rateLimited, .tooManyConnections, .serverFull, .unavailable, .storageUnavailable,
      .internalError:
      true
    case .slowMode: true
    default: false
    }
  }
}
