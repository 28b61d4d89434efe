import Bytes
import Classroom
import HTTPCore
import RoomShard
import SignalingProtocol

/// The methods that routes have, in the order in which `Allow` names them.
enum HTTPMethod: String, Sendable, CaseIterable {
  case get = "GET"
  case post = "POST"
  case put = "PUT"
  case patch = "PATCH"
  case delete = "DELETE"
}

/// The path of a route: literal segments, and names in braces for those that may be anything.
struct PathTemplate: Sendable {
  private enum Segment: Sendable {
    case literal(String)
    case parameter(String)
  }

  let text: String
  private let segments: [Segment]

  init(_ text: String) {
    self.text = text
    segments = text.split(separator: "/").map { part in
      part.hasPrefix("{") ? .parameter(String(part.dropFirst().dropLast())) : .literal(String(part))
    }
  }

  /// How many segments a path of it has.
  var count: Int { segments.count }

  /// Whether it has no parameters.
  var isLiteral: Bool {
    segments.allSatisfy { if case .literal = $0 { true } else { false } }
  }

  func matches(_ path: [String]) -> Bool {
    guard path.count == segments.count else { return false }
    return zip(segments, path).allSatisfy { segment, part in
      switch segment {
      case .literal(let literal): literal == part
      case .parameter: !part.isEmpty
      }
    }
  }

  /// What a path of it has in the place of a parameter; empty when there is no such parameter.
  func parameter(_ name: String, in path: [String]) -> String {
    for (segment, part) in zip(segments, path) {
      if case .parameter(name) = segment { return part }
    }
    return ""
  }
}

/// One thing that can be asked over HTTP.
struct Route: Sendable {
  /// Who may ask at all; what a session allows whom is its own matter.
  enum Access: Sendable {
    /// Anybody; a token, if there is one, is not looked at.
    case anybody
    /// Anybody, and who shows a valid token is known.
    case anybodyOrUser
    /// Whoever has a token.
    case user
  }

  enum Action: Sendable {
    /// One question to the room of the session that the path names.
    case room(AnswerShape, @Sendable (RouteCall) throws(ProtocolError) -> RoomRequest)
    /// Something that the loop does itself, or more than one question.
    case loop(@Sendable (ServerLoop, RouteCall) throws(ProtocolError) -> Void)
  }

  let method: HTTPMethod
  let path: PathTemplate
  let access: Access
  let limit: RequestLimit
  let action: Action
  /// Whether its body can be a form with a file in it.
  let takesForm: Bool

  init(
    _ method: HTTPMethod, _ path: String, _ access: Access, _ limit: RequestLimit, takesForm: Bool = false,
    _ action: Action
  ) {
    self.method = method
    self.path = PathTemplate(path)
    self.access = access
    self.limit = limit
    self.action = action
    self.takesForm = takesForm
  }
}

/// A request with the route that it takes.
struct RouteCall {
  let route: Route
  let request: HTTPRequest
  let connection: SlotID
  /// Who asks, where the route needs to know.
  let identity: Identity?

  /// Who asks.
  /// - Throws: `bad_token` when that is nobody.
  func user() throws(ProtocolError) -> Identity {
    guard let identity else { throw ProtocolError(.badToken, "This needs a token: Authorization: Bearer …") }
    return identity
  }

  /// What the path has in the place of a parameter.
  func parameter(_ name: String) -> String { route.path.parameter(name, in: request.target.segments) }

  /// The same; nil when the path has no such place.
  func optionalParameter(_ name: String) -> String? {
    let value = parameter(name)
    return value.isEmpty ? nil : value
  }

  /// The session that the path names. One that cannot exist is as unknown as any other.
  func session() throws(ProtocolError) -> String {
    let session = parameter("session")
    guard SessionID.isValid(session) else { throw ProtocolError(Refusal.notFound) }
    return session
  }

  /// The key under which a repetition is not done again.
  func key() throws(ProtocolError) -> String? {
    let keys = request.headers.all("idempotency-key")
    guard let key = keys.first else { return nil }
    guard keys.count == 1, (1...ProtocolLimits.keyBytes).contains(key.utf8.count) else {
      throw ProtocolError(.invalidField, "An Idempotency-Key has 1 to 128 bytes.", field: "Idempotency-Key")
    }
    return key
  }

  /// A parameter of the query that is true or false; false when it is not there.
  func flag(_ name: String) throws(ProtocolError) -> Bool {
    switch request.target.queryValue(name) {
    case nil, "", "false", "0": return false
    case "true", "1": return true
    default: throw ProtocolError(.invalidField, "The parameter \(name) is true or false.", field: name)
    }
  }

  /// A parameter of the query that is a number; nil when it is not there.
  func number(_ name: String) throws(ProtocolError) -> UInt64? {
    guard let text = request.target.queryValue(name), !text.isEmpty else { return nil }
    guard let number = UInt64(text) else {
      throw ProtocolError(.invalidField, "The parameter \(name) is a number.", field: name)
    }
    return number
  }

  /// How many entries a page is to have.
  func limit(defaultLimit: Int, maximum: Int) throws(ProtocolError) -> Int {
    guard let text = request.target.queryValue("limit"), !text.isEmpty else { return defaultLimit }
    return try SessionListQuery.limit(text, maximum: maximum)
  }

  /// At which entry a page begins.
  func offset() throws(ProtocolError) -> Int { Int(clamping: min(try number("cursor") ?? 0, 1 << 32)) }

  /// Reads the body, of which nothing is as good as an empty object.
  func body<Value>(_ read: (BodyFields) throws(ProtocolError) -> Value) throws(ProtocolError) -> Value {
    try BodyFields.read(request.body.isEmpty ? Array("{}".utf8) : request.body, read)
  }
}

/// All routes, by their paths.
struct RouteTable: Sendable {
  private struct Place: Sendable {
    let path: PathTemplate
    var routes: [Route]
  }

  /// By the number of segments; those without parameters come first.
  private var places: [Int: [Place]] = [:]

  init(_ routes: [Route]) {
    for route in routes {
      var places = places[route.path.count] ?? []
      if let index = places.firstIndex(where: { $0.path.text == route.path.text }) {
        places[index].routes.append(route)
      } else if route.path.isLiteral {
        places.insert(Place(path: route.path, routes: [route]), at: 0)
      } else {
        places.append(Place(path: route.path, routes: [route]))
      }
      self.places[route.path.count] = places
    }
  }

  /// The routes at a path, whatever their method; empty when there is none.
  func routes(at path: [String]) -> [Route] { places[path.count]?.first { $0.path.matches(path) }?.routes ?? [] }

  /// What `Allow` says of routes of the same path (RFC 9110, 10.2.1).
  static func allowed(_ routes: [Route]) -> String {
    var methods: [String] = []
    for method in HTTPMethod.allCases where routes.contains(where: { $0.method == method }) {
      methods.append(method.rawValue)
      // RFC 9110, 9.3.2: where there is GET there is HEAD.
      if method == .get { methods.append("HEAD") }
    }
    return (methods + ["OPTIONS"]).joined(separator: ", ")
  }
}
