#!/usr/bin/env python3
"""The proof from a trace is checked: every planted disorder must be found, in whatever shape strace writes it."""

import json
import unittest

import trace

JOURNAL = "/d/journal-00000000000000000001.rcj"


def hexed(data):
    return '"' + "".join(f"\\x{byte:02x}" for byte in data) + '"'


def path(name):
    return hexed(name.encode()).strip('"')


def batch(*records):
    body = b""
    for session, kind, content in records:
        payload = json.dumps(content).encode()
        rest = bytes(16) + bytes([kind]) + len(session).to_bytes(2, "little") + session.encode() + payload
        body += len(rest).to_bytes(4, "little") + bytes(4) + rest
    return bytes(16) + len(body).to_bytes(4, "little") + len(records).to_bytes(4, "little") + bytes(12) + body


def chat(text, user="bo"):
    return "class", trace.CHAT, {"at": 1, "user": user, "name": "Bo", "role": "participant", "text": text}


def frame(message):
    data = json.dumps(message).encode()
    head = bytes([0x81, len(data)]) if len(data) < 126 else b"\x81\x7e" + len(data).to_bytes(2, "big")
    return head + data


def write(data, name=JOURNAL, result=None):
    return f"7  pwrite64(8<{path(name)}>, {hexed(data)}, {len(data)}, 96) = {len(data) if result is None else result}"


def sync(name=JOURNAL, call="fdatasync", result="0", descriptor=8):
    return f"7  {call}({descriptor}<{path(name)}>) = {result}"


def send(message, socket=1, sent=None):
    data = frame(message)
    return f"9  sendto(16<{path(f'socket:[{socket}]')}>, {hexed(data)}, {len(data)}, MSG_NOSIGNAL, NULL, 0) = {len(data) if sent is None else sent}"


RENAMED = f"7  renameat(4<{path('/d')}>, {hexed(JOURNAL.encode() + b'.tmp')}, 4<{path('/d')}>, {hexed(JOURNAL.encode())}) = 0"
FOLDER = sync("/d", "fsync", descriptor=4)
INSTALLED = [write(b"RCJOURNL" + bytes(88), JOURNAL + ".tmp"), sync(JOURNAL + ".tmp"), RENAMED, FOLDER]
ANSWER = send({"type": "ok", "id": 3, "seq": 2, "at": 1, "message_id": "m2"})
EVENT = send({"type": "chat.message", "stream": "room", "seq": 2, "at": 1, "message_id": "m2", "user": "bo", "name": "Bo", "role": "participant", "text": "one"}, 2)
WRITTEN = write(batch(chat("one")))


class TraceTests(unittest.TestCase):
    def find(self, *lines):
        return "\n".join(trace.violations([*INSTALLED, *lines])[0])

    def test_the_right_order_has_no_fault(self):
        self.assertEqual(self.find(WRITTEN, sync(), ANSWER, EVENT), "")
        self.assertEqual(trace.violations([*INSTALLED, WRITTEN, sync(), ANSWER, EVENT])[1], {"ok": 1, "chat.message": 1})

    def test_an_answer_before_the_sync_is_found(self):
        self.assertIn("line 6: ok shows ('chat', 'bo', 'one'), which is durable from line 7", self.find(WRITTEN, ANSWER, sync(), EVENT))

    def test_an_event_before_the_sync_is_found(self):
        self.assertIn("chat.message shows", self.find(WRITTEN, EVENT, sync(), ANSWER))

    def test_an_answer_before_the_write_is_found(self):
        self.assertIn("ok shows", self.find(ANSWER, WRITTEN, sync(), EVENT))

    def test_an_answer_without_a_sync_is_found(self):
        self.assertIn("never durable", self.find(WRITTEN, ANSWER, EVENT))

    def test_an_answer_without_a_record_is_found(self):
        self.assertIn("never durable", self.find(sync(), ANSWER, EVENT))

    def test_a_sync_that_failed_counts_for_nothing(self):
        self.assertIn("never durable", self.find(WRITTEN, sync(result="-1 EIO (Input/output error)"), ANSWER, EVENT))

    def test_a_sync_of_another_file_counts_for_nothing(self):
        self.assertIn("never durable", self.find(WRITTEN, sync("/d/snapshot-00000000000000000001.rcs"), ANSWER, EVENT))

    def test_a_write_that_failed_counts_for_nothing(self):
        self.assertIn("never durable", self.find(write(batch(chat("one")), result="-1 ENOSPC (No space left on device)"), sync(), ANSWER, EVENT))

    def test_a_sync_that_began_before_the_write_returned_counts_for_nothing(self):
        begun, end = f"7  fdatasync(8<{path(JOURNAL)}> <unfinished ...>", "7  <... fdatasync resumed>) = 0"
        self.assertIn("never durable", self.find(begun, WRITTEN.replace("7  ", "6  ", 1), end, ANSWER, EVENT))

    def test_an_answer_while_the_sync_has_not_returned_is_found(self):
        begun, end = f"7  fdatasync(8<{path(JOURNAL)}> <unfinished ...>", "7  <... fdatasync resumed>) = 0"
        self.assertIn("ok shows", self.find(WRITTEN, begun, ANSWER, end, EVENT))
        self.assertEqual(self.find(WRITTEN, begun, end, ANSWER, EVENT), "")

    def test_a_segment_whose_name_is_not_synced_holds_nothing(self):
        lines = [*INSTALLED[:3], WRITTEN, sync(), ANSWER, EVENT]
        self.assertIn("never durable", "\n".join(trace.violations(lines)[0]))

    def test_a_half_sent_message_counts_from_its_first_byte(self):
        data = frame({"type": "chat.message", "seq": 2, "user": "bo", "text": "one"})
        begin = f"9  sendto(16<{path('socket:[5]')}>, {hexed(data)}, {len(data)}, 0, NULL, 0) = 10"
        rest = f"9  sendto(16<{path('socket:[5]')}>, {hexed(data[10:])}, {len(data) - 10}, 0, NULL, 0) = {len(data) - 10}"
        self.assertIn("chat.message shows", self.find(WRITTEN, begin, sync(), rest))
        self.assertEqual(self.find(WRITTEN, sync(), begin, rest), "")

    def test_a_join_that_is_shown_too_early_is_found(self):
        record = write(batch(("class", trace.JOINED, {"at": 1, "user": "eve", "name": "Eve", "role": "participant"})))
        participant = {"user": "eve", "peers": ["p1"]}
        for shown in (
            {"type": "session.joined", "state": "present", "you": {"user": "eve", "role": "participant"}, "presence": {"participants": None}},
            {"type": "session.joined", "state": "present", "you": {"user": "bo", "role": "observer"}, "presence": {"participants": [participant]}},
            {"type": "presence.diff", "joined": [participant], "updated": [], "left": []},
        ):
            with self.subTest(shown["type"]):
                self.assertIn("'eve'", self.find(record, send(shown), sync()))
                self.assertEqual(self.find(record, sync(), send(shown)), "")

    def test_an_http_answer_before_the_sync_is_found(self):
        body = b'{"message":"started","session":{"id":"class","status":"ongoing"}}'
        data = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        answer = f"9  sendto(16<{path('socket:[7]')}>, {hexed(data)}, {len(data)}, 0, NULL, 0) = {len(data)}"
        records = write(batch(("class", trace.CREATED, {}), ("class", trace.STATUS, {"status": "ongoing"})))
        self.assertIn("HTTP shows", self.find(records, answer, sync()))
        self.assertEqual(self.find(records, sync(), answer), "")

    def test_a_trace_that_is_cut_short_is_refused(self):
        with self.assertRaises(ValueError):
            self.find(WRITTEN.replace('"', '"', 1).replace('", ', '"..., ', 1))


if __name__ == "__main__":
    unittest.main(verbosity=0)
