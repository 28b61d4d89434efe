/// What a token tells of somebody beside id and name. All of it is optional.
///
/// A class, as most identities share the absence of one and connections keep their identity as long as they are.
public final class Profile: Sendable, Hashable {
  public let firstName: String?
  public let lastName: String?
  /// The name that the person signs in with at the platform.
  public let username: String?
  /// Shown to those who host, and in reports, alone.
  public let email: String?
  /// The address (http or https) of a picture.
  public let avatar: String?

  /// A profile of these facts.
  public init(
    firstName: String? = nil, lastName: String? = nil, username: String? = nil, email: String? = nil,
    avatar: String? = nil
  ) {
    self.firstName = firstName
    self.lastName = lastName
    self.username = username
    self.email = email
    self.avatar = avatar
  }

  /// Whether it tells nothing.
  public var isEmpty: Bool { self == Profile() }

  /// First and last name, or the one there is.
  public var fullName: String? {
    let names = [firstName, lastName].compactMap { $0 }
    return names.isEmpty ? nil : names.joined(separator: " ")
  }

  public static func == (one: Profile, other: Profile) -> Bool {
    one.firstName == other.firstName && one.lastName == other.lastName && one.username == other.username
      && one.email == other.email && one.avatar == other.avatar
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(firstName)
    hasher.combine(lastName)
    hasher.combine(username)
    hasher.combine(email)
    hasher.combine(avatar)
  }
}
