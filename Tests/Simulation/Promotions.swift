/// Who among the participants may lead a class, as far as it was asked for.
final class Promotions {
  /// That somebody was asked to be made a cohost.
  final class Promotion {
    let user: String
    let session: String
    /// When the server said that it is done; until then it may be done at any time.
    var answered = Int64.max

    init(user: String, session: String) {
      self.user = user
      self.session = session
    }
  }

  private var promotions: [Promotion] = []

  func asked(for user: String, in session: String) -> Promotion {
    let promotion = Promotion(user: user, session: session)
    promotions.append(promotion)
    return promotion
  }

  /// It was refused.
  func remove(_ promotion: Promotion) { promotions.removeAll { $0 === promotion } }

  /// The server says that somebody leads no longer: what was done before that was asked for is undone.
  func demoted(_ user: String, in session: String, asked: Int64) {
    promotions.removeAll { $0.user == user && $0.session == session && $0.answered <= asked }
  }

  /// Whether somebody may have become one of those who lead the class.
  func mayLead(_ user: String, in session: String) -> Bool {
    promotions.contains { $0.user == user && $0.session == session }
  }
}
