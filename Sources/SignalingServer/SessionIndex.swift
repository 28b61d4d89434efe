import Classroom

/// All sessions, with what finds the few of them that a question is about without looking at the others.
///
/// A question has a list for each of its conditions; the shortest is walked, and what is on it is held against the rest,
/// which takes no pointer but the last.
struct SessionIndex {
  /// What conditions look at.
  private struct Row {
    var host: UInt32 = 0
    var status = SessionStatus.scheduled
    var kind = SessionDetails.Kind.video
    var isListed = false
    var hasNotices = false
  }

  /// Up to so many sessions are sorted for a question; of more, a list that is sorted already is walked.
  private static let sortableCount = 2048

  private var slots: [String: Int32] = [:]
  private var free: [Int32] = []
  /// Slots of sessions that are gone and that people's lists may still name.
  private var dead: [Int32] = []
  private var views = SlotTable<SessionView?>()
  private var rows = SlotTable<Row>()
  private var order = SlotOrder()

  private var all = OrderedSlots()
  private var listed = OrderedSlots()
  private var byStatus: [SessionStatus: OrderedSlots] = [:]
  private var byHost = SlotLists()
  private var byCourse = SlotLists()
  private var byTag = SlotLists()
  private var registered = PeopleLists()
  private var attended = PeopleLists()
  private var concerned = PeopleLists()
  private var words = SearchWords()

  var count: Int { slots.count }

  /// The session of that id.
  subscript(id: String) -> SessionView? { slots[id].flatMap { views[$0] } }

  // MARK: Changing

  /// Takes in how a session looks now.
  /// - Returns: how it looked before; nil when it was not there.
  mutating func update(_ view: SessionView) -> SessionView? {
    guard let slot = slots[view.details.id], let old = views[slot] else {
      insert(view)
      return nil
    }
    if old.details.scheduledAt != view.details.scheduledAt {
      takeOut(slot, old)
      putIn(slot, view)
    } else {
      change(slot, from: old, to: view)
    }
    return old
  }

  private mutating func change(_ slot: Int32, from old: SessionView, to view: SessionView) {
    views[slot] = view
    if old.status != view.status {
      byStatus[old.status]?.remove(slot, in: order)
      byStatus[view.status, default: OrderedSlots()].insert(slot, in: order)
      rows[slot].status = view.status
    }
    rows[slot].hasNotices = !view.notices.isEmpty
    if old.isListedForAll != view.isListedForAll {
      if view.isListedForAll { listed.insert(slot, in: order) } else { listed.remove(slot, in: order) }
      rows[slot].isListed = view.isListedForAll
    }
    guard old.details != view.details else { return }
    rows[slot].kind = view.details.kind
    rows[slot].host = Self.hash(view.details.host)
    takeOutNames(slot, old.details)
    putInNames(slot, view.details)
  }

  private mutating func insert(_ view: SessionView) {
    let slot: Int32
    if let last = free.popLast() {
      slot = last
    } else {
      slot = Int32(views.count)
      views.append(nil)
      rows.append(Row())
    }
    slots[view.details.id] = slot
    putIn(slot, view)
    for entry in view.roster.entries.values { relate(entry.user, to: view.details.id, Relation(entry.state)) }
    if let proposer = view.details.proposer { relate(proposer, to: view.details.id, [.registered, .concerned]) }
    for user in view.attendees {
      let known = view.roster[user].map { Relation($0.state) } ?? []
      relate(user, to: view.details.id, known.union(.attended))
    }
  }

  /// A session does not exist any more.
  /// - Returns: how it looked before; nil when it was not there.
  mutating func remove(_ id: String) -> SessionView? {
    guard let slot = slots.removeValue(forKey: id), let view = views[slot] else { return nil }
    takeOut(slot, view)
    views[slot] = nil
    dead.append(slot)
    // To look for one session in the lists of all people is worth it only for many.
    guard dead.count > max(1024, slots.count / 4) else { return view }
    let gone = SlotSet(dead, capacity: views.count)
    registered.remove(gone)
    attended.remove(gone)
    concerned.remove(gone)
    free += dead
    dead = []
    return view
  }

  /// Somebody has this to do with a session from now on, and nothing else.
  mutating func relate(_ user: String, to id: String, _ relation: Relation) {
    guard let slot = slots[id] else { return }
    registered.set(relation.contains(.registered), slot, of: user)
    attended.set(relation.contains(.attended), slot, of: user)
    concerned.set(relation.contains(.concerned), slot, of: user)
  }

  private mutating func putIn(_ slot: Int32, _ view: SessionView) {
    let details = view.details
    views[slot] = view
    order.set(slot, time: details.scheduledAt.milliseconds, id: details.id)
    rows[slot] = Row(
      host: Self.hash(details.host), status: view.status, kind: details.kind, isListed: view.isListedForAll,
      hasNotices: !view.notices.isEmpty)
    all.insert(slot, in: order)
    if view.isListedForAll { listed.insert(slot, in: order) }
    byStatus[view.status, default: OrderedSlots()].insert(slot, in: order)
    putInNames(slot, details)
  }

  private mutating func takeOut(_ slot: Int32, _ view: SessionView) {
    all.remove(slot, in: order)
    listed.remove(slot, in: order)
    byStatus[view.status]?.remove(slot, in: order)
    takeOutNames(slot, view.details)
  }

  private mutating func putInNames(_ slot: Int32, _ details: SessionDetails) {
    byHost.insert(slot, under: details.host, in: order)
    if !details.course.isEmpty { byCourse.insert(slot, under: details.course, in: order) }
    for tag in details.tags { byTag.insert(slot, under: tag, in: order) }
    words.insert(slot, words: Self.words(of: details))
  }

  private mutating func takeOutNames(_ slot: Int32, _ details: SessionDetails) {
    byHost.remove(slot, under: details.host, in: order)
    byCourse.remove(slot, under: details.course, in: order)
    for tag in details.tags { byTag.remove(slot, under: tag, in: order) }
    words.remove(slot, words: Self.words(of: details))
  }

  private static func words(of details: SessionDetails) -> [String] {
    SearchWords.words(of: [details.title, details.instructor, details.course] + details.tags)
  }

  private static func hash(_ text: String) -> UInt32 { UInt32(truncatingIfNeeded: text.hashValue) }

  // MARK: Asking

  /// What a user was told of all sessions, the newest first.
  func notifications(for identity: Identity) -> [Notification] {
    guard !identity.isGuest else { return [] }
    var found: [Notification] = []
    let slots = (byHost[identity.user]?.slots ?? []) + concerned[identity.user]
    for slot in Set(slots).sorted() where rows[slot].hasNotices {
      guard let view = views[slot], identity.session == nil || identity.session == view.details.id else {
        continue
      }
      for notice in view.notices.list where view.isAddressed(notice, to: identity.user) {
        found.append(
          Notification(session: view, notice: notice, isRead: view.notices.isRead(notice.number, by: identity.user)))
      }
    }
    found.sort { left, right in
      left.notice.at != right.notice.at ? left.notice.at > right.notice.at : left.id < right.id
    }
    return Array(found.prefix(Notification.maximumCount))
  }

  /// A question, ready to be held against slots.
  private struct Conditions {
    /// Who asks, as hosts are named, and the same as a number; nil for a guest.
    var user: String?
    var host: UInt32?
    /// Whether what is neither listed, nor the user's, nor has the user among its people, is left out.
    var isRestricted = false
    /// The sessions that have the user among their people.
    var own = SlotSet(capacity: 0)
    /// Every one must have the slot.
    var sets: [SlotSet] = []
    /// Each has all that can fit, in order.
    var sorted: [OrderedSlots] = []
    /// Each has all that can fit, in no order.
    var short: [[Int32]] = []
  }

  /// The first sessions that fit, in the order that is asked for: one more than the limit when there are more.
  func sessions(_ filter: SessionFilter, for identity: Identity) -> [SessionView] {
    guard let conditions = conditions(of: filter, for: identity) else { return [] }
    let candidates = candidates(conditions)
    let range = range(of: filter, in: candidates)
    let isBackward = filter.order == .newestFirst
    var found: [SessionView] = []
    var index = isBackward ? range.upperBound - 1 : range.lowerBound
    while range.contains(index), found.count <= filter.limit {
      if let view = view(candidates.slots[index], filter, conditions) { found.append(view) }
      index += isBackward ? -1 : 1
    }
    return found
  }

  /// The session in a slot, if it fits.
  private func view(_ slot: Int32, _ filter: SessionFilter, _ conditions: Conditions) -> SessionView? {
    let row = rows[slot]
    guard filter.statuses.contains(row.status), filter.kind == nil || filter.kind == row.kind,
      conditions.sets.allSatisfy({ $0.contains(slot) })
    else { return nil }
    // Most that is not somebody's own is told by a number.
    let mayHost = row.host == conditions.host
    let isShared = row.isListed || conditions.own.contains(slot)
    guard filter.mine != .hosted || mayHost, !conditions.isRestricted || isShared || mayHost,
      let view = views[slot]
    else { return nil }
    let hosts = mayHost && view.details.host == conditions.user
    return (filter.mine != .hosted || hosts) && (!conditions.isRestricted || isShared || hosts) ? view : nil
  }

  /// Nil when nothing can fit.
  private func conditions(of filter: SessionFilter, for identity: Identity) -> Conditions? {
    var conditions = Conditions()
    if !identity.isGuest { (conditions.user, conditions.host) = (identity.user, Self.hash(identity.user)) }
    conditions.sorted.append(all)
    if let session = identity.session {
      guard let slot = slots[session] else { return nil }
      conditions.short.append([slot])
      conditions.sets.append(SlotSet([slot], capacity: views.count))
    } else if identity.isGuest {
      return nil
    } else if !identity.isAdministrator {
      let own = registered[identity.user]
      let hosted = byHost[identity.user]?.slots ?? []
      conditions.isRestricted = true
      conditions.own = SlotSet(own, capacity: views.count)
      if listed.count + own.count + hosted.count <= Self.sortableCount {
        conditions.short.append(SlotSet(listed.slots + own + hosted, capacity: views.count).slots)
      }
    }
    addMine(filter, to: &conditions)
    addNames(filter, to: &conditions)
    return conditions
  }

  private func addMine(_ filter: SessionFilter, to conditions: inout Conditions) {
    let user = conditions.user ?? ""
    let people: [Int32]
    switch filter.mine {
    case nil: return
    case .hosted:
      conditions.sorted.append(byHost[user] ?? OrderedSlots())
      return
    case .registered: people = registered[user]
    case .attended: people = attended[user]
    }
    // Some of them may be gone.
    conditions.short.append(people.filter { views[$0] != nil })
    conditions.sets.append(SlotSet(people, capacity: views.count))
  }

  private func addNames(_ filter: SessionFilter, to conditions: inout Conditions) {
    for status in SessionStatus.allCases where filter.statuses == SessionStatusSet(status) {
      conditions.sorted.append(byStatus[status] ?? OrderedSlots())
    }
    for (lists, name) in [(byCourse, filter.course), (byTag, filter.tag)] {
      guard let name else { continue }
      let slots = lists[name] ?? OrderedSlots()
      conditions.sorted.append(slots)
      conditions.sets.append(SlotSet(slots.slots, capacity: views.count))
    }
    guard !filter.words.isEmpty else { return }
    let found = words.sessions(withWords: filter.words, capacity: views.count)
    if found.count <= Self.sortableCount { conditions.short.append(found.slots) }
    conditions.sets.append(found)
  }

  /// The shortest list of all that can fit, in order.
  private func candidates(_ conditions: Conditions) -> OrderedSlots {
    let sorted = conditions.sorted.min { $0.count < $1.count } ?? all
    // To sort some costs more than to walk as many.
    guard let short = conditions.short.min(by: { $0.count < $1.count }), short.count < sorted.count / 4 else {
      return sorted
    }
    return OrderedSlots(sorting: short.filter { views[$0] != nil }, in: order)
  }

  /// The part of a list that the times and the page before leave.
  private func range(of filter: SessionFilter, in candidates: OrderedSlots) -> Range<Int> {
    var lower = filter.from.map { candidates.firstIndex(startingFrom: $0.milliseconds, in: order) } ?? 0
    var upper = filter.to.map { candidates.firstIndex(startingFrom: $0.milliseconds, in: order) } ?? candidates.count
    if let after = filter.after {
      let index = candidates.firstIndex(from: after, in: order)
      switch filter.order {
      case .newestFirst: upper = min(upper, index)
      case .soonestFirst:
        let isThere = index < candidates.count && order.position(of: candidates.slots[index]) == after
        lower = max(lower, isThere ? index + 1 : index)
      }
    }
    return lower..<max(lower, upper)
  }
}

extension SessionView {
  /// Whether every user may know of it.
  var isListedForAll: Bool { details.visibility == .listed && !isHidden && status != .pendingApproval }
}

/// The sessions that people have to do with, by user. They stay where they are when a session is planned anew.
private struct PeopleLists {
  /// Ascending.
  private var lists: [String: [Int32]] = [:]

  subscript(user: String) -> [Int32] { lists[user] ?? [] }

  mutating func set(_ isIn: Bool, _ slot: Int32, of user: String) {
    guard isIn || lists[user] != nil else { return }
    var low = 0
    var high = lists[user]?.count ?? 0
    while low < high {
      let middle = low + (high - low) / 2
      if self[user][middle] < slot { low = middle + 1 } else { high = middle }
    }
    let isThere = low < self[user].count && self[user][low] == slot
    guard isIn != isThere else { return }
    if isIn {
      lists[user, default: []].insert(slot, at: low)
    } else {
      lists[user]?.remove(at: low)
      if lists[user]?.isEmpty == true { lists[user] = nil }
    }
  }

  mutating func remove(_ gone: SlotSet) {
    lists = lists.compactMapValues { slots in
      let left = slots.filter { !gone.contains($0) }
      return left.isEmpty ? nil : left
    }
  }
}
