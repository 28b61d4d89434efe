/// A set of connections that can be walked as an array.
struct ConnectionGroup {
  private(set) var members: [ConnectionID] = []
  private var indices: [ConnectionID: Int] = [:]

  func contains(_ connection: ConnectionID) -> Bool { indices[connection] != nil }

  mutating func insert(_ connection: ConnectionID) {
    guard indices[connection] == nil else { return }
    indices[connection] = members.count
    members.append(connection)
  }

  mutating func remove(_ connection: ConnectionID) {
    guard let index = indices.removeValue(forKey: connection), let last = members.popLast() else { return }
    guard last != connection else { return }
    members[index] = last
    indices[last] = index
  }
}
