/// What was decided about a session when it was made, and since.
public struct SessionDetails: Hashable, Sendable {
  /// What a class is held with.
  public enum Kind: String, Sendable, CaseIterable {
    case video
    case audio
    case inPerson = "in_person"
  }

  /// Who gets in without being the host or naming the session in the token.
  public enum Admission: String, Sendable, CaseIterable {
    /// Any user.
    case open
    /// Only who is registered.
    case registered
    /// Only who was approved by the host.
    case approval
  }

  /// Who may see that the session exists.
  public enum Visibility: String, Sendable, CaseIterable {
    /// Every user.
    case listed
    /// Who may join.
    case members
  }

  /// Something to read or look at.
  public struct Material: Hashable, Sendable {
    public var title: String
    /// An address by http or https.
    public var url: String

    /// A material of this title at this address.
    public init(title: String, url: String) {
      self.title = title
      self.url = url
    }
  }

  /// The lead times of reminders when none are given: a day, an hour and half an hour.
  public static let defaultReminders = [1440, 60, 30]

  public var id: String
  public var title: String
  public var description: String
  public var instructor: String
  public var kind: Kind
  /// The user who owns the session.
  public var host: String
  public var scheduledAt: Timestamp
  /// IANA name of the time zone in which the class was planned.
  public var timeZone: String
  public var durationMinutes: Int
  /// How many people may be in at once, or nil for no bound.
  public var capacity: Int?
  public var admission: Admission
  public var visibility: Visibility
  /// Whether somebody without an account may come in.
  public var allowsGuests: Bool
  /// An unpredictable name for a meeting room elsewhere, shown only to who may join.
  public var roomName: String
  public var createdAt: Timestamp
  /// The course that the session belongs to.
  public var course = ""
  /// Words to find the session by.
  public var tags: [String] = []

  /// What most sessions have as by default; nil when all of it is so.
  private var sharedExtras: Shared<Extras>?

  /// Who asked the host for the session, or nil when the host planned it.
  public var proposer: String? {
    get { extras.proposer }
    set { extras.proposer = newValue }
  }

  /// False as long as nobody has named a time; then ``scheduledAt`` is when the session was made.
  public var isTimeFixed: Bool {
    get { extras.isTimeFixed }
    set { extras.isTimeFixed = newValue }
  }

  /// What there is to read or look at.
  public var materials: [Material] {
    get { extras.materials }
    set { extras.materials = newValue }
  }

  /// Where the class meets elsewhere, shown only to who may join; nil for the address that the server makes of the room name.
  public var meetingURL: String? {
    get { extras.meetingURL }
    set { extras.meetingURL = newValue }
  }

  /// Where a video of the subject is.
  public var videoURL: String? {
    get { extras.videoURL }
    set { extras.videoURL = newValue }
  }

  /// Where a picture of the session is.
  public var thumbnailURL: String? {
    get { extras.thumbnailURL }
    set { extras.thumbnailURL = newValue }
  }

  /// Where the recording of the class is.
  public var recordingURL: String? {
    get { extras.recordingURL }
    set { extras.recordingURL = newValue }
  }

  /// How many minutes before the start reminders go out, descending.
  public var reminders: [Int] {
    get { extras.reminders }
    set { extras.reminders = newValue }
  }

  /// Whether who comes waits to be admitted, also when the class is live.
  public var hasWaitingRoom: Bool {
    get { extras.hasWaitingRoom }
    set { extras.hasWaitingRoom = newValue }
  }

  private var extras: Extras {
    get { sharedExtras?.value ?? Extras() }
    set { sharedExtras = newValue == Extras() ? nil : Shared(newValue) }
  }

  private struct Extras: Hashable, Sendable {
    var proposer: String?
    var isTimeFixed = true
    var materials: [Material] = []
    var meetingURL: String?
    var videoURL: String?
    var thumbnailURL: String?
    var recordingURL: String?
    var reminders = SessionDetails.defaultReminders
    var hasWaitingRoom = false
  }

  /// The bytes of text that people wrote into them.
  var textBytes: Int {
    let texts = [title, description, instructor, course] + tags + materials.flatMap { [$0.title, $0.url] }
    let addresses = [meetingURL, videoURL, thumbnailURL, recordingURL].compactMap { $0 }
    return (texts + addresses).reduce(0) { $0 + $1.utf8.count }
  }

  /// Details with these facts; ``SessionDraft`` checks them.
  public init(
    id: String, title: String, description: String, instructor: String, kind: Kind, host: String,
    scheduledAt: Timestamp, timeZone: String, durationMinutes: Int, capacity: Int?, admission: Admission,
    visibility: Visibility, allowsGuests: Bool, roomName: String, createdAt: Timestamp
  ) {
    self.id = id
    self.title = title
    self.description = description
    self.instructor = instructor
    self.kind = kind
    self.host = host
    self.scheduledAt = scheduledAt
    self.timeZone = timeZone
    self.durationMinutes = durationMinutes
    self.capacity = capacity
    self.admission = admission
    self.visibility = visibility
    self.allowsGuests = allowsGuests
    self.roomName = roomName
    self.createdAt = createdAt
  }
}
