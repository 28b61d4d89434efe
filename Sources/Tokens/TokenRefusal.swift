import SignalingProtocol

/// Why a token is not taken.
public struct TokenRefusal: Error, Equatable, Sendable {
  /// The kind of reason, as the figures count it.
  public enum Reason: String, Sendable, CaseIterable {
    /// It is no JSON Web Token, or too long.
    case malformed
    /// Its header asks for what is not done (an extension, a key that it brings along, compression), or lacks what it must have.
    case header
    /// It is for something else (`typ`).
    case type
    /// Its algorithm is not taken.
    case algorithm
    /// There is no key here for it, or not the one that it names.
    case key
    case signature
    case expired
    case notYetValid = "not_yet_valid"
    case issuer
    case audience
    /// A claim has a wrong type or value.
    case claims
    /// It renews the access of somebody else.
    case user
    /// A ticket that is unknown, used or too old.
    case ticket
  }

  public let reason: Reason
  /// A sentence for a person. It holds nothing of the token.
  public let sentence: String

  /// A refusal for this reason.
  public init(_ reason: Reason, _ sentence: String) {
    self.reason = reason
    self.sentence = sentence
  }

  /// What the client is told.
  public var protocolError: ProtocolError {
    switch reason {
    case .expired: ProtocolError(.tokenExpired, sentence)
    case .ticket: ProtocolError(.badTicket, sentence)
    default: ProtocolError(.badToken, sentence)
    }
  }
}
