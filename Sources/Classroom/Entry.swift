/// Who may see and enter a session, and as what.
extension Classroom {
  /// The role of somebody in this session: the granted one, unless a host has given another.
  /// - Throws: ``Refusal/forbidden`` when the session may be seen but not entered, ``Refusal/notFound`` when it is hidden,
  ///   ``Refusal/banned``.
  public func role(of identity: Identity) throws(Refusal) -> Role {
    let granted = try grantedRole(of: identity)
    guard !conduct.isBanned(identity.user) || granted == .host || granted == .admin else { throw .banned }
    return conduct.role(of: identity.user, granted: granted)
  }

  /// The role that somebody comes with.
  /// - Throws: as ``role(of:)``, but for a ban.
  public func grantedRole(of identity: Identity) throws(Refusal) -> Role {
    let role = try roleByGrant(of: identity)
    if isDeleted || isHidden && !RoleSet.owners.contains(role) { throw .notFound }
    return role
  }

  private func roleByGrant(of identity: Identity) throws(Refusal) -> Role {
    if let granted = identity.session {
      guard granted == id else { throw refusalOfEntry(to: identity) }
      return identity.role
    }
    if identity.isAdministrator { return .admin }
    if !identity.isGuest, identity.user == details.host { return .host }
    if identity.isGuest {
      // A guest whom a host has let in is known by the waiting room alone.
      guard details.allowsGuests, status != .pendingApproval else { throw refusalOfEntry(to: identity) }
      return .participant
    }
    let standing = roster[identity.user]?.state
    let isIn = roster.admits(identity.user) || identity.user == details.proposer || lobby.hasAdmitted(identity.user)
    let isOpen = details.admission == .open && standing != .rejected && status != .pendingApproval
    guard isIn || isOpen else { throw refusalOfEntry(to: identity) }
    return identity.role == .observer ? .observer : .participant
  }

  /// Whether somebody may know that the session exists.
  public func isVisible(to identity: Identity) -> Bool {
    if (try? grantedRole(of: identity)) != nil { return true }  // a refusal here only means "no"
    if isDeleted || isHidden || identity.isGuest || identity.session != nil { return false }
    // Who has asked to be let in knows of it.
    return isListed || roster[identity.user].map { $0.state == .requested } ?? false
  }

  private func refusalOfEntry(to identity: Identity) -> Refusal {
    guard !isHidden, !isDeleted, !identity.isGuest, identity.session == nil else { return .notFound }
    return isListed || roster[identity.user].map { $0.state == .requested } ?? false ? .forbidden : .notFound
  }
}
