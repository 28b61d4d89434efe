"""What must be true of a session after its server was killed, judged only from what clients were told.

The checker knows nothing of the server: it is given every command sent, every answer and event received, and, after a
restart, the history that the server now shows. `test_checker.py` plants faults and proves that each is found.
"""

import dataclasses
import datetime


@dataclasses.dataclass(frozen=True)
class Message:
    """A chat message, as events, history and `session.joined` show it alike."""

    seq: int
    at: int
    message_id: str
    user: str
    name: str
    role: str
    text: str

    @classmethod
    def of(cls, shown):
        return cls(*(shown[field.name] for field in dataclasses.fields(cls)))


@dataclasses.dataclass(frozen=True)
class Answer:
    """What `ok` said to `chat.send`."""

    seq: int
    at: int
    message_id: str


@dataclasses.dataclass(frozen=True)
class Position:
    """Where a client stopped: the numbers that it presents, and the peer that it was."""

    epoch: str
    room: int
    signal: int
    peer: str


class Checker:
    """Collects what clients saw of one session, and judges what the server shows later by it."""

    def __init__(self):
        self.sent = {}  # text -> user
        self.acknowledged = {}  # text -> Answer
        self.uncertain = set()  # texts that may have been done without anybody being told
        self.refused = set()  # texts that were refused, and must not appear
        self.seen = {}  # seq -> Message, by whomever
        self.statuses = {}  # seq -> what session.status said
        self.last_seq = {}  # connection -> number of the last durable event
        self.epoch = None
        self.session = None  # the newest status, rev and started_at
        self.asked = 0  # changes of the session that were asked for, and not answered
        self.last_signal = {}  # connection -> number of the last signal
        self.owed = {}  # connection that came back -> number of the event up to which others saw everything before
        self.recovered = 0
        self.caught_up = 0  # of those, who had missed something
        self.refused_resumes = []
        self.violations = []
        self.events = 0

    def violation(self, sentence):
        self.violations.append(sentence)

    # What clients do and see

    def status_changed(self, seq):
        """An event of the session itself that took this number, though nobody saw it."""
        self.statuses[seq] = None

    def will_change_session(self):
        """Said before `session.start` or `session.end` leaves the client: from now on the session may be changed."""
        self.asked += 1

    def session_changed(self, shown):
        """`ok` to it: the session is now at least this."""
        self.asked -= 1
        self._note_session(shown)

    def will_send(self, user, text):
        """Said before the command leaves the client. Every text is sent by one user, and is unique to its key."""
        self.sent[text] = user
        # Who repeats it takes the refusal of the first time back.
        self.refused.discard(text)

    def was_acknowledged(self, text, answer):
        before = self.acknowledged.setdefault(text, answer)
        if before != answer:
            self.violation(f"{text!r} was answered {before}, and then {answer}")
        shown = self.seen.get(answer.seq)
        if shown and shown.text != text:
            self.violation(f"{text!r} was acknowledged as {answer.seq}, which is {shown.text!r}")

    def was_refused(self, text, code):
        """Certainly not done, this time."""
        if text in self.acknowledged:
            self.violation(f"{text!r} was acknowledged, and then refused with {code}")
        if text not in self.uncertain:
            self.refused.add(text)

    def is_uncertain(self, text):
        """Got no answer, or one that does not say whether it was done: it may be there or not, whatever comes later."""
        self.uncertain.add(text)

    def joined(self, connection, joined):
        """A connection got `session.joined`, state present."""
        if self.epoch not in (None, joined["epoch"]):
            self.violation(f"the epoch changed from {self.epoch} to {joined['epoch']}")
        self.epoch = joined["epoch"]
        self._note_session(joined["session"])
        number = joined["streams"]["room"]
        self.last_seq[connection] = number
        self.last_signal[connection] = 0
        previous = None
        for shown in joined["chat"]["messages"]:
            message = Message.of(shown)
            if previous is not None and message.seq <= previous:
                self.violation(f"the chat in session.joined is not ascending: {message.seq} after {previous}")
            if message.seq > number:
                self.violation(f"session.joined says that {number} is included, and shows {message.seq}")
            previous = message.seq
            self._note(message)

    def came_back(self, connection, before, joined):
        """A connection asked to go on where an earlier one stopped, and got `session.joined`, state present.

        `before` is a `Position`. Everything between is judged by the numbers of the events that follow, up to what
        `missing` tells.
        """
        if not joined["recovered"]:
            if joined.get("not_recovered") not in ("token_invalid", "token_expired", "epoch_changed", "too_old", "ahead"):
                self.violation(f"a resume was not honoured, and the reason is {joined.get('not_recovered')!r}")
            self.refused_resumes.append(joined.get("not_recovered"))
            self.joined(connection, joined)
            # The token was good, the numbers were not: then the peer is the same, and its signals go on.
            if joined.get("signals_recovered"):
                if joined.get("not_recovered") in ("token_invalid", "token_expired"):
                    self.violation("signals were recovered for a token that is not valid")
                self.last_signal[connection] = before.signal
            elif "signals_recovered" in joined:
                self.last_signal.pop(connection)
            return
        if "not_recovered" in joined:
            self.violation(f"recovered, and not_recovered is {joined['not_recovered']!r}")
        if "chat" in joined:
            self.violation("recovered, and chat is sent all the same")
        if joined["streams"]["room"] != before.room:
            self.violation(f"recovered from {before.room}, and streams says {joined['streams']['room']}")
        if joined["epoch"] != before.epoch:
            self.violation(f"recovered in epoch {joined['epoch']}, and the client had {before.epoch}")
        if joined.get("peer") != before.peer:
            self.violation(f"recovered as peer {joined.get('peer')}, and was {before.peer}")
        self.recovered += 1
        # What happened to the session in between is shown at once; its events are yet to come.
        self._note_session(joined["session"])
        self.last_seq[connection] = before.room
        # Everything that anybody saw before this moment must reach this connection too.
        self.owed[connection] = max([before.room, *self.seen, *self.statuses])
        self.caught_up += self.owed[connection] > before.room
        if joined.get("signals_recovered"):
            self.last_signal[connection] = before.signal
        else:
            self.last_signal.pop(connection, None)

    def missing(self):
        """Connections that came back, and have not yet got everything that others saw before."""
        return [connection for connection, number in self.owed.items() if self.last_seq[connection] < number]

    def ended(self, connection):
        """A connection is gone: what it was owed is for the next one."""
        self.owed.pop(connection, None)

    def position(self, connection, joined):
        """What a client keeps, to go on from here."""
        return Position(joined["epoch"], self.last_seq[connection], self.last_signal.get(connection, 0), joined.get("peer"))

    def signal(self, connection, number):
        """A connection got a signal with this number."""
        before = self.last_signal.get(connection)
        if before is not None and number != before + 1:
            self.violation(f"a connection got signal {number} after {before}")
        self.last_signal[connection] = number

    def event(self, connection, message):
        """A connection got a durable event."""
        self.events += 1
        expected = self.last_seq[connection] + 1
        if message["seq"] != expected:
            self.violation(f"a connection got {message['seq']} after {expected - 1}")
        self.last_seq[connection] = message["seq"]
        if message["seq"] >= self.owed.get(connection, message["seq"] + 1):
            del self.owed[connection]
        if message["type"] == "chat.message":
            self._note(Message.of(message))
        else:
            # Who catches up is told of what others have long seen.
            if self.session is None or message["rev"] >= self.session["rev"]:
                self._note_session(message)
            known = {name: message[name] for name in ("status", "rev", "by", "started_at", "ended_at", "at")}
            if (self.statuses.get(message["seq"]) or known) != known:
                self.violation(f"event {message['seq']} was {self.statuses[message['seq']]}, and then {known}")
            self.statuses[message["seq"]] = known

    def _note(self, message):
        before = self.seen.setdefault(message.seq, message)
        if before != message:
            self.violation(f"event {message.seq} was {before}, and then {message}")

    def _note_session(self, session):
        state = {name: session[name] for name in ("status", "rev", "started_at", "ended_at")}
        if self.session and state["rev"] < self.session["rev"]:
            self.violation(f"the session went back from {self.session} to {state}")
            return
        if self.session and state["rev"] == self.session["rev"] and state != self.session:
            self.violation(f"the session changed without a new rev: {self.session}, then {state}")
        self.session = state

    # What must be true after a restart

    def snapshot(self):
        """What is known at this moment: everything in it must be true from now on."""
        return dict(self.acknowledged), dict(self.seen), dict(self.statuses), dict(self.session or {}), self.epoch

    def verify(self, history, joined, known=None):
        """Judges the history (every message, ascending) and a `session.joined` that a server shows after a restart.

        `known` is a `snapshot()` from before the restart; without it everything known now must hold.
        """
        acknowledged, seen, statuses, session, epoch = known or self.snapshot()
        messages = [Message.of(shown) for shown in history]
        by_seq = {}
        by_text = {}
        previous = None
        for message in messages:
            if previous is not None and message.seq <= previous.seq:
                self.violation(f"the history is not ascending: {message.seq} after {previous.seq}")
            if previous is not None and message.at < previous.at:
                self.violation(f"event {message.seq} is older than {previous.seq}, which comes before it")
            previous = message
            if message.seq in by_seq:
                self.violation(f"two messages have the number {message.seq}")
            by_seq[message.seq] = message
            if message.text in by_text:
                self.violation(f"{message.text!r} is there twice: {by_text[message.text].seq} and {message.seq}")
            by_text[message.text] = message
            if self.sent.get(message.text) != message.user:
                self.violation(f"{message.text!r} of {message.user} was never sent by them")
            if message.text in self.refused:
                self.violation(f"{message.text!r} was refused, and is there")
        for text, answer in acknowledged.items():
            message = by_text.get(text)
            if message is None:
                self.violation(f"{text!r} was acknowledged as {answer.seq}, and is lost")
            elif Answer(message.seq, message.at, message.message_id) != answer:
                self.violation(f"{text!r} was acknowledged as {answer}, and is {message}")
        for number, message in seen.items():
            if by_seq.get(number) != message:
                self.violation(f"somebody saw {message}, and now {number} is {by_seq.get(number)}")
        state = {name: joined["session"][name] for name in ("status", "rev", "started_at", "ended_at")}
        # What was asked for and not answered may be done: it took numbers that nobody was told.
        unseen = min(self.asked, max(0, state["rev"] - session["rev"])) if session else self.asked
        room = joined["streams"]["room"]
        # The history was read after it, and may know more.
        gaps = sorted(set(range(1, max([room, *by_seq]) + 1)) - {*by_seq, *statuses, *self.statuses})
        if len(gaps) > unseen:
            self.violation(f"the numbers {gaps[:10]} are missing")
        if epoch not in (None, joined["epoch"]):
            self.violation(f"the epoch changed from {epoch} to {joined['epoch']}")
        if session and state != session and not (0 < state["rev"] - session["rev"] <= self.asked):
            self.violation(f"the session was {session}, and is {state}")
        highest = max([0, *seen, *statuses, *(answer.seq for answer in acknowledged.values())])
        if room < highest:
            self.violation(f"session.joined includes only {room}, and {highest} was already seen or acknowledged")


# Attendance


def milliseconds(timestamp):
    """Unix milliseconds of an RFC 3339 timestamp."""
    return round(datetime.datetime.fromisoformat(timestamp.replace("Z", "+00:00")).timestamp() * 1000)


def attendance_problems(row, now, is_away=False):
    """What is wrong with a row by itself. `now` is Unix milliseconds at the time of the report.

    Of somebody whose connection is lost the open segment counts to the loss, which the row does not show.
    """
    problems = []
    total = 0
    closed = 0
    previous_end = None
    for index, segment in enumerate(row["segments"]):
        start = milliseconds(segment["from"])
        end = milliseconds(segment["to"]) if segment["to"] else None
        if end is None and index != len(row["segments"]) - 1:
            problems.append("a segment before the last is open")
        if end is not None and end < start:
            problems.append("a segment ends before it begins")
        if previous_end is not None and start < previous_end:
            problems.append("segments overlap")
        previous_end = end
        total += (end if end is not None else now) - start
        closed += end - start if end is not None else 0
    is_open = bool(row["segments"]) and row["segments"][-1]["to"] is None
    if is_open and is_away:
        if not closed <= row["milliseconds"] <= total + 2000:
            problems.append(f"milliseconds is {row['milliseconds']}, not between {closed} and {total}")
    elif abs(row["milliseconds"] - total) > (2000 if is_open else 0):
        problems.append(f"milliseconds is {row['milliseconds']}, the union of the segments {total}")
    if row["is_active"] != is_open:
        problems.append("is_active does not say whether the last segment is open")
    if row["first_join"] != row["segments"][0]["from"] or row["last_leave"] != row["segments"][-1]["to"]:
        problems.append("first_join or last_leave does not fit the segments")
    return problems


def stayed_problems(row, first_join, now, slack=1500):
    """What is wrong with the row of somebody who always came back within the grace."""
    problems = attendance_problems(row, now)
    if len(row["segments"]) != 1:
        problems.append(f"{len(row['segments'])} segments, though the person never left")
    if not row["is_active"]:
        problems.append("is not active, though here")
    if abs(milliseconds(row["segments"][0]["from"]) - first_join) > slack:
        problems.append(f"begins at {row['segments'][0]['from']}, {milliseconds(row['segments'][0]['from']) - first_join} ms off")
    if abs(row["milliseconds"] - (now - first_join)) > slack + 500:
        problems.append(f"{row['milliseconds']} ms, though here for {now - first_join}")
    return problems


def left_problems(row, first_join, killed, now, slack=1500):
    """What is wrong with the row of somebody who was cut off by a kill at `killed`, and never came back."""
    problems = attendance_problems(row, now)
    if len(row["segments"]) != 1:
        problems.append(f"{len(row['segments'])} segments, though the person came once")
    last = row["segments"][-1]
    if last["to"] is None:
        return problems + ["is still here, though gone for longer than the grace"]
    if not last["estimated"]:
        problems.append("the end is not marked as estimated")
    if abs(milliseconds(row["segments"][0]["from"]) - first_join) > slack:
        problems.append(f"begins at {row['segments'][0]['from']}")
    # Liveness is journaled once a second: the end lies between a second before the kill and the kill.
    off = milliseconds(last["to"]) - killed
    if not -1000 - slack <= off <= slack:
        problems.append(f"ends {off} ms from the kill")
    return problems
