/// The people of one session, each with a small number: the simulated ones first, then whoever else is seen.
struct Roster {
  private(set) var users: [String] = []
  private var numbers: [String: Int] = [:]

  /// The number of a user; one who was not known gets the next.
  mutating func number(of user: String) -> Int {
    if let known = numbers[user] { return known }
    users.append(user)
    numbers[user] = users.count - 1
    return users.count - 1
  }
}
