/// Who may see and enter a session, and as what.
extension Classroom {
  /// The role of somebody in this session.
  /// - Throws: ``Refusal/forbidden`` when the session may be seen but not entered, ``Refusal/notFound`` when it is hidden.
  public func role(of identity: Identity) throws(Refusal) -> Role {
    if let granted = identity.session {
      guard granted == id else { throw refusalOfEntry(to: identity) }
      return identity.role
    }
    if identity.isAdministrator { return .admin }
    if !identity.isGuest, identity.user == details.host { return .host }
    if identity.isGuest {
      guard details.allowsGuests else { throw refusalOfEntry(to: identity) }
      return .participant
    }
    guard details.admission == .open else { throw refusalOfEntry(to: identity) }
    return identity.role == .observer ? .observer : .participant
  }

  /// Whether somebody may know that the session exists.
  public func isVisible(to identity: Identity) -> Bool {
    if (try? role(of: identity)) != nil { return true }  // a refusal here only means "no"
    return details.visibility == .listed && !identity.isGuest && identity.session == nil
  }

  private func refusalOfEntry(to identity: Identity) -> Refusal {
    details.visibility == .listed && !identity.isGuest && identity.session == nil ? .forbidden : .notFound
  }
}
