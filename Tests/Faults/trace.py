"""Proves from a trace of a server's calls that nothing was said before the records that it rests on were on the disk.

The trace is what `strace -f -y -xx` writes of a server that began with an empty data folder. What a call asked for counts
from the line on which it began, what it achieved from the line on which it returned.
"""

import dataclasses
import functools
import json
import re

#: The calls that the proof needs.
CALLS = "pwrite64,fdatasync,fsync,rename,renameat,renameat2,sendto,sendmsg,write,writev"

CREATED, STATUS, JOINED, LEFT, CHAT, RETURNED = 1, 2, 3, 4, 5, 7

_LINE = re.compile(r"(\d+) +(.*)")
_BEGUN = re.compile(r"(\w+)\((.*)")
_RESUMED = re.compile(r"<\.\.\. (\w+) resumed>(.*)")
_RESULT = re.compile(r"\) += (-?\d+)[^=]*$")
_DESCRIPTOR = re.compile(r"(\d+)<([^>]*)>")
_STRING = re.compile(r'"((?:\\x[0-9a-f]{2})*)"(\.\.\.)?')


@dataclasses.dataclass
class Call:
    """One call; `begin` and `end` are line numbers, `result` is None when it never returned."""

    name: str
    arguments: str
    begin: int
    end: int = None
    result: int = None

    @functools.cached_property
    def target(self):
        """The first file descriptor, with what it names."""
        found = _DESCRIPTOR.match(self.arguments)
        return (int(found[1]), unescape(found[2]).decode(errors="replace")) if found else (-1, "")

    @functools.cached_property
    def data(self):
        return b"".join(self.strings)

    @functools.cached_property
    def strings(self):
        found = []
        for string, cut in _STRING.findall(self.arguments):
            if cut:
                raise ValueError("the trace is cut short: strace needs a larger -s")
            found.append(unescape(string))
        return found


def unescape(text):
    return bytes.fromhex(text.replace("\\x", "")) if text.startswith("\\x") else text.encode()


def calls(lines):
    """The calls of a trace in the order in which they began."""
    found = []
    open_calls = {}
    for number, line in enumerate(lines, 1):
        parts = _LINE.match(line)
        if not parts:
            continue
        thread, rest = parts.groups()
        resumed = _RESUMED.match(rest)
        if resumed:
            call = open_calls.pop(thread, None)
            if call is not None and call.name == resumed[1]:
                _finish(call, resumed[2], number)
            continue
        begun = _BEGUN.match(rest)
        if not begun:
            continue
        call = Call(begun[1], begun[2], number)
        found.append(call)
        if rest.endswith("<unfinished ...>"):
            call.arguments = begun[2][: -len("<unfinished ...>")]
            open_calls[thread] = call
        else:
            _finish(call, begun[2], number)
    return found


def _finish(call, text, number):
    result = _RESULT.search(text)
    if result:
        call.end, call.result = number, int(result[1])


@dataclasses.dataclass
class Record:
    """A record of the journal, and the line from which it was durable; None when it never was."""

    session: str
    kind: int
    content: dict
    written: int
    durable: int = None


def records_of(batch):
    """The records in the bytes of a batch, as FORMAT.md describes it."""
    count = int.from_bytes(batch[20:24], "little")
    position = 36
    for _ in range(count):
        length = int.from_bytes(batch[position:position + 4], "little")
        body = batch[position + 8:position + 8 + length]
        name_size = int.from_bytes(body[17:19], "little")
        yield body[19:19 + name_size].decode(), body[16], body[19 + name_size:]
        position += 8 + length


def journal(found):
    """Every record that was written, with the line from which it was durable."""
    records = []
    waiting = {}  # name of a segment -> records that were written and not synced
    named = {}  # name of a segment -> the line from which its name is durable
    renamed = {}
    for call in sorted((call for call in found if call.end is not None), key=lambda call: call.end):
        name = call.target[1].rsplit("/", 1)[-1].removesuffix(".tmp")
        if call.name == "pwrite64" and name.startswith("journal-") and call.result == len(call.data):
            if call.data.startswith(b"RCJOURNL"):
                continue
            written = [Record(session, kind, json.loads(payload), call.end) for session, kind, payload in records_of(call.data)]
            records += written
            waiting.setdefault(name, []).extend(written)
        elif call.name in ("fdatasync", "fsync") and call.result == 0 and name.startswith("journal-"):
            synced = [record for record in waiting.get(name, []) if record.written < call.begin]
            waiting[name] = [record for record in waiting.get(name, []) if record.written >= call.begin]
            for record in synced:
                # A segment whose own name is not durable holds nothing.
                record.durable = max(call.end, named[name]) if name in named else None
        elif call.name.startswith("rename") and call.result == 0:
            renamed[call.strings[-1].decode().rsplit("/", 1)[-1]] = call.end
        elif call.name == "fsync" and call.result == 0:
            for segment, line in list(renamed.items()):
                if line < call.begin:
                    named.setdefault(segment, call.end)
                    del renamed[segment]
    return records


@dataclasses.dataclass
class Said:
    """A JSON message that left the server, and the line on which the call began that sent it."""

    line: int
    message: dict
    is_http: bool = False


def said(found):
    """Everything that was sent, by WebSocket or HTTP, in the order of each connection."""
    streams = {}
    for call in found:
        if call.name not in ("sendto", "sendmsg", "write", "writev") or not call.target[1].startswith("socket:"):
            continue
        # A call that never returned may have sent all.
        sent = call.data if call.result is None else call.data[:max(0, call.result)]
        streams.setdefault(call.target[1], []).append((call.begin, sent))
    return [one for pieces in streams.values() for one in _messages(pieces)]


def _messages(pieces):
    whole = b"".join(data for _, data in pieces)
    starts = []
    offset = 0
    for line, data in pieces:
        starts.append((offset, line))
        offset += len(data)

    def line_at(position):
        return [line for start, line in starts if start <= position][-1]

    position = 0
    while whole.startswith(b"HTTP/1.1 ", position):
        head, separator, _ = whole[position:].partition(b"\r\n\r\n")
        if not separator:
            return
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        begin = position
        position += len(head) + 4
        if head.startswith(b"HTTP/1.1 101"):
            break
        body = whole[position:position + (int(length[1]) if length else 0)]
        position += len(body)
        if body.startswith(b"{"):
            yield Said(line_at(begin), json.loads(body), True)
    while position + 2 <= len(whole):
        begin = position
        opcode, length = whole[position] & 15, whole[position + 1] & 127
        position += 2
        if length >= 126:
            size = 2 if length == 126 else 8
            length = int.from_bytes(whole[position:position + size], "big")
            position += size
        payload = whole[position:position + length]
        position += length
        if opcode == 1 and len(payload) == length:
            yield Said(line_at(begin), json.loads(payload))


def violations(lines):
    """What was said too early; and how many statements were proved, by kind."""
    return violations_of(calls(lines))


def violations_of(found):
    durable = {}
    for record in journal(found):
        fact = _fact(record)
        if fact and record.durable is not None:
            durable[fact] = min(record.durable, durable.get(fact, record.durable))
    messages = said(found)
    texts = {one.message["seq"]: one.message for one in messages if one.message.get("type") == "chat.message"}
    problems = []
    proved = {}
    for one in messages:
        for kind, fact in _claims(one, texts):
            line = durable.get(fact)
            if line is None or line >= one.line:
                when = "is never durable" if line is None else f"is durable from line {line}"
                problems.append(f"line {one.line}: {kind} shows {fact}, which {when}")
            else:
                proved[kind] = proved.get(kind, 0) + 1
    return problems, proved


def _fact(record):
    content = record.content
    if record.kind == CREATED:
        return "created", record.session
    if record.kind == STATUS:
        return "status", content["status"]
    # Who did it is not said twice.
    user = content.get("user", content.get("by"))
    if record.kind in (JOINED, LEFT):
        return "joined" if record.kind == JOINED else "left", user
    if record.kind == CHAT:
        return "chat", user, content["text"]
    return None


def _claims(one, texts):
    """What a message says, as pairs of a name for it and the fact that it rests on."""
    message = one.message
    kind = message.get("type")
    if one.is_http:
        session = message.get("session", message)
        if isinstance(session, dict) and "status" in session and "id" in session:
            yield "HTTP", ("created", session["id"])
            if session["status"] != "scheduled":
                yield "HTTP", ("status", session["status"])
        return
    if kind == "chat.message":
        yield kind, ("chat", message["user"], message["text"])
    elif kind == "ok" and "message_id" in message:
        event = texts.get(message["seq"])
        yield "ok", ("chat", event["user"], event["text"]) if event else ("chat", "of number", message["seq"])
    elif kind == "session.status":
        yield kind, ("status", message["status"])
    elif kind in ("session.joined", "presence.state"):
        if kind == "session.joined" and message["state"] == "present" and message["you"]["role"] != "observer":
            yield kind, ("joined", message["you"]["user"])
        for participant in (message.get("presence") or message).get("participants") or []:
            yield kind, ("joined", participant["user"])
        for shown in message.get("chat", {}).get("messages", []):
            yield kind, ("chat", shown["user"], shown["text"])
    elif kind == "presence.diff":
        for participant in message["joined"] + message["updated"]:
            yield kind, ("joined", participant["user"])
        for participant in message["left"]:
            yield kind, ("left", participant["user"])
