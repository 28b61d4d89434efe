import Classroom
import Tokens

// How an operator writes down whose tokens are taken, and what they say.

/// A place, and what is said of it behind commas.
private struct Annotated {
  var place: String
  var notes: [String: String] = [:]

  init?(_ text: String, names: [String]) {
    var parts = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    // From the end, so that commas may be in the place itself.
    while let last = parts.last, parts.count > 1, let name = names.first(where: { last.hasPrefix("\($0)=") }) {
      let value = String(last.dropFirst(name.utf8.count + 1))
      guard !value.isEmpty, notes[name] == nil else { return nil }
      notes[name] = value
      parts.removeLast()
    }
    place = parts.joined(separator: ",")
    guard !place.isEmpty else { return nil }
  }
}

extension KeySource {
  /// A file with a public key, `FILE[,kid=…][,alg=…][,iss=…]`.
  init?(file text: String) {
    guard let text = Annotated(text, names: ["kid", "alg", "iss"]) else { return nil }
    var algorithm: TokenAlgorithm?
    if let name = text.notes["alg"] {
      guard let known = TokenAlgorithm(name: name), known != .hs256 else { return nil }
      algorithm = known
    }
    self.init(.pem(path: text.place, algorithm: algorithm, id: text.notes["kid"]), issuer: text.notes["iss"])
  }

  /// A JWK set, `FILE[,iss=…]` or `https://…[,iss=…]`.
  init?(set text: String) {
    guard let text = Annotated(text, names: ["iss"]) else { return nil }
    self.init(text.place.contains("://") ? .address(text.place) : .set(path: text.place), issuer: text.notes["iss"])
  }

  /// As an operator writes it.
  var text: String {
    var text = name
    if case .pem(_, let algorithm, let id) = form {
      if let id { text += ",kid=\(id)" }
      if let algorithm { text += ",alg=\(algorithm.rawValue)" }
    }
    return text + (issuer.map { ",iss=\($0)" } ?? "")
  }
}

/// What tokens call something, `WHAT=CLAIM[,CLAIM]`.
struct ClaimNaming: Sendable {
  var field: ClaimNames.Field
  var names: [String]

  init?(_ text: String) {
    guard let equals = text.firstIndex(of: "="), let field = ClaimNames.Field(rawValue: String(text[..<equals]))
    else { return nil }
    names = text[text.index(after: equals)...].split(separator: ",").map(String.init)
    guard !names.isEmpty else { return nil }
    self.field = field
  }

  /// As an operator writes it.
  var text: String { "\(field.rawValue)=\(names.joined(separator: ","))" }
}

/// What a role of the platform is here, `THEIRS=OURS`; `*` stands for all that are not known.
struct RoleNaming: Sendable {
  var name: String
  var role: Role

  init?(_ text: String) {
    // Their name for it may hold an equals sign, ours does not.
    guard let equals = text.lastIndex(of: "="), equals != text.startIndex,
      let role = Role(rawValue: String(text[text.index(after: equals)...]))
    else { return nil }
    name = String(text[..<equals])
    self.role = role
  }

  /// As an operator writes it.
  var text: String { "\(name)=\(role.rawValue)" }
}
