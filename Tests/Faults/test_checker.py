#!/usr/bin/env python3
"""The checker is checked: a fault that is planted into a true story must be found, each by its own sentence."""

import copy
import unittest

import checker
import folders
import herd
import presence


def message(seq, text, user="bo", **changes):
    return {
        "type": "chat.message", "stream": "room", "seq": seq, "at": 1767225600000 + seq, "message_id": f"m{seq}", "user": user,
        "name": user.title(), "role": "participant", "text": text, **changes,
    }


SESSION = {"status": "ongoing", "rev": 2, "started_at": "2026-01-01T00:00:00.000Z", "ended_at": None}


def joined(room, messages=(), **changes):
    return {
        "type": "session.joined", "state": "present", "epoch": "e1", "session": SESSION, "streams": {"room": room},
        "chat": {"messages": list(messages), "has_more": False}, **changes,
    }


def started(seq=1):
    return {"type": "session.status", "stream": "room", "seq": seq, "at": 1767225600000, "by": "ada", **SESSION}


class ChatTests(unittest.TestCase):
    """Two clients; `one` and `two` were acknowledged, `three` was seen only, `four` neither."""

    def setUp(self):
        self.checker = checker.Checker()
        for connection in ("a", "b"):
            self.checker.joined(connection, joined(0))
            self.checker.event(connection, started())
        for number, text in enumerate(["one", "two", "three", "four"], 2):
            self.checker.will_send("bo", text)
            if text in ("one", "two"):
                self.checker.was_acknowledged(text, checker.Answer(number, 1767225600000 + number, f"m{number}"))
            if text != "four":
                self.checker.event("a", message(number, text))
        self.checker.event("b", message(2, "one"))
        self.history = [message(2, "one"), message(3, "two"), message(4, "three")]

    def find(self, history, state=None):
        self.assertEqual(self.checker.violations, [])
        self.checker.verify(history, state or joined(history[-1]["seq"] if history else 1))
        return "\n".join(self.checker.violations)

    def test_a_true_story_has_no_fault(self):
        self.assertEqual(self.find(self.history), "")

    def test_a_message_without_answer_may_be_there(self):
        self.assertEqual(self.find([*self.history, message(5, "four")]), "")

    def test_a_lost_message_is_found(self):
        self.assertIn("'two' was acknowledged as 3, and is lost", self.find([self.history[0], self.history[2]]))

    def test_a_lost_tail_is_found(self):
        self.assertIn("is lost", self.find(self.history[:1], joined(2)))

    def test_a_message_that_was_only_seen_and_is_lost_is_found(self):
        self.assertIn("somebody saw", self.find(self.history[:2]))

    def test_a_doubled_message_is_found(self):
        self.assertIn("'two' is there twice", self.find([*self.history, message(5, "two")]))

    def test_a_doubled_message_that_nobody_was_told_of_is_found(self):
        doubled = [*self.history, message(5, "four"), message(6, "four")]
        self.assertIn("'four' is there twice", self.find(doubled))

    def test_reordered_messages_are_found(self):
        swapped = [message(2, "two"), message(3, "one"), self.history[2]]
        found = self.find(swapped)
        self.assertIn("'one' was acknowledged as", found)
        self.assertIn("somebody saw", found)

    def test_reordered_messages_that_nobody_was_answered_are_found(self):
        self.checker.acknowledged.clear()
        self.assertIn("somebody saw", self.find([message(2, "two"), message(3, "one"), self.history[2]]))

    def test_a_changed_text_is_found(self):
        changed = copy.deepcopy(self.history)
        changed[1]["text"] = "tw0"
        self.assertIn("is lost", self.find(changed))

    def test_a_changed_sender_time_or_id_is_found(self):
        for field, value in (("user", "eve"), ("name", "Eve"), ("at", 1767225600003 + 1), ("message_id", "m99"), ("role", "host")):
            with self.subTest(field):
                self.setUp()
                changed = copy.deepcopy(self.history)
                changed[1][field] = value
                self.assertNotEqual(self.find(changed), "")

    def test_a_gap_is_found(self):
        gap = [*self.history, message(6, "four")]
        self.assertIn("the numbers [5] are missing", self.find(gap))

    def test_a_message_from_nowhere_is_found(self):
        self.assertIn("was never sent", self.find([*self.history, message(5, "five")]))

    def test_a_refused_message_that_appears_is_found(self):
        self.checker.was_refused("four", "wrong_state")
        self.assertIn("was refused, and is there", self.find([*self.history, message(5, "four")]))

    def test_a_refused_message_that_was_uncertain_before_or_is_repeated_may_appear(self):
        self.checker.is_uncertain("four")
        self.checker.was_refused("four", "storage_unavailable")
        self.assertEqual(self.find([*self.history, message(5, "four")]), "")
        self.setUp()
        self.checker.was_refused("four", "storage_unavailable")
        self.checker.will_send("bo", "four")
        self.assertEqual(self.find([*self.history, message(5, "four")]), "")

    def test_another_epoch_is_found(self):
        self.assertIn("the epoch changed", self.find(self.history, joined(4, epoch="e2")))

    def test_a_session_that_went_back_is_found(self):
        state = {**SESSION, "status": "scheduled", "rev": 1}
        self.assertIn("the session was", self.find(self.history, joined(4, session=state)))

    def test_a_state_that_is_behind_is_found(self):
        self.assertIn("includes only 3", self.find(self.history, joined(3)))

    def test_a_history_out_of_order_is_found(self):
        self.assertIn("not ascending", self.find([self.history[1], self.history[0], self.history[2]]))

    def test_an_event_that_skips_is_found(self):
        self.checker.event("b", message(4, "three"))
        self.assertIn("a connection got 4 after 2", self.checker.violations[0])

    def test_an_event_that_comes_twice_is_found(self):
        self.checker.event("b", message(2, "one"))
        self.assertIn("a connection got 2 after 2", self.checker.violations[0])

    def test_two_who_see_different_things_are_found(self):
        self.checker.event("b", message(3, "TWO"))
        self.assertIn("event 3 was", self.checker.violations[0])

    def test_a_retry_with_another_answer_is_found(self):
        self.checker.was_acknowledged("one", checker.Answer(5, 1767225600005, "m5"))
        self.assertIn("was answered", self.checker.violations[0])


class ResumeTests(unittest.TestCase):
    """`b` saw 1 and 2 and two signals, was away, and comes back while `a` has seen up to 4."""

    def setUp(self):
        self.checker = checker.Checker()
        self.first = joined(0, peer="pb")
        self.checker.joined("a", joined(0, peer="pa"))
        self.checker.joined("b", self.first)
        for connection, count in (("a", 4), ("b", 2)):
            self.checker.event(connection, started())
            for number in range(2, count + 1):
                self.checker.event(connection, message(number, f"text {number}"))
        self.checker.signal("b", 1)
        self.checker.signal("b", 2)
        self.before = self.checker.position("b", self.first)
        self.checker.ended("b")

    def back(self, **changes):
        answer = {**joined(2, peer="pb"), "recovered": True, "signals_recovered": True, **changes}
        del answer["chat"]
        self.checker.came_back("c", self.before, answer)

    def found(self):
        return "\n".join(self.checker.violations)

    def test_a_true_resume_has_no_fault(self):
        self.back()
        self.assertEqual(self.checker.missing(), ["c"])
        self.checker.event("c", message(3, "text 3"))
        self.checker.event("c", message(4, "text 4"))
        self.checker.signal("c", 3)
        self.assertEqual((self.checker.missing(), self.found(), self.checker.recovered), ([], "", 1))

    def test_a_gap_is_found(self):
        self.back()
        self.checker.event("c", message(4, "text 4"))
        self.assertIn("got 4 after 2", self.found())

    def test_a_double_is_found(self):
        self.back()
        self.checker.event("c", message(2, "text 2"))
        self.assertIn("got 2 after 2", self.found())

    def test_events_that_never_come_are_found(self):
        self.back()
        self.checker.event("c", message(3, "text 3"))
        self.assertEqual(self.checker.missing(), ["c"])

    def test_another_number_epoch_or_peer_is_found(self):
        for changes, words in (
            ({"streams": {"room": 4}}, "recovered from 2"), ({"epoch": "e2"}, "recovered in epoch e2"), ({"peer": "px"}, "as peer px"),
            ({"not_recovered": "too_old"}, "not_recovered is"),
        ):
            with self.subTest(words):
                self.setUp()
                self.back(**changes)
                self.assertIn(words, self.found())

    def test_chat_in_a_recovered_state_is_found(self):
        self.checker.came_back("c", self.before, {**joined(2, peer="pb"), "recovered": True})
        self.assertIn("chat is sent all the same", self.found())

    def test_signals_with_a_gap_or_a_double_are_found(self):
        for number in (2, 4):
            self.setUp()
            self.back()
            self.checker.signal("c", number)
            self.assertIn(f"got signal {number} after 2", self.found())

    def test_signals_that_are_said_to_be_lost_begin_anywhere(self):
        self.back(signals_recovered=False)
        self.checker.signal("c", 7)
        self.checker.signal("c", 8)
        self.assertEqual(self.found(), "")

    def test_a_resume_that_fails_without_a_reason_is_found(self):
        self.checker.came_back("c", self.before, {**joined(4, peer="pn"), "recovered": False})
        self.assertIn("the reason is None", self.found())

    def test_a_resume_that_fails_with_a_reason_begins_anew(self):
        self.checker.came_back("c", self.before, {**joined(4, peer="pn"), "recovered": False, "not_recovered": "too_old"})
        self.assertEqual((self.found(), self.checker.refused_resumes), ("", ["too_old"]))


def row(*segments, **changes):
    """A row in which segments are pairs of seconds."""

    def at(second):
        return None if second is None else f"2026-01-01T00:{second // 60:02}:{second % 60:02}.000Z"

    shown = [{"from": at(start), "to": at(end), "estimated": False} for start, end in segments]
    total = sum((60 if end is None else end) - start for start, end in segments)
    return {
        "first_join": shown[0]["from"], "last_leave": shown[-1]["to"], "milliseconds": total * 1000,
        "is_active": shown[-1]["to"] is None, "segments": shown, **changes,
    }


START = checker.milliseconds("2026-01-01T00:00:00.000Z")
NOW = START + 60_000


class AttendanceTests(unittest.TestCase):
    def estimated(self, shown):
        shown["segments"][-1]["estimated"] = True
        return shown

    def test_true_rows_have_no_fault(self):
        self.assertEqual(checker.stayed_problems(row((0, None)), START, NOW), [])
        self.assertEqual(checker.left_problems(self.estimated(row((0, 30))), START, START + 30_500, NOW), [])

    def test_time_counted_twice_is_found(self):
        self.assertTrue(checker.stayed_problems(row((0, None), milliseconds=120_000), START, NOW))

    def test_who_is_away_counts_to_the_loss(self):
        away = row((0, 10), (20, None), milliseconds=15_000)
        self.assertEqual(checker.attendance_problems(away, NOW, is_away=True), [])
        self.assertTrue(checker.attendance_problems(away, NOW))
        for milliseconds in (9_000, 60_000):
            self.assertTrue(checker.attendance_problems({**away, "milliseconds": milliseconds}, NOW, is_away=True))

    def test_a_gap_is_found(self):
        self.assertTrue(checker.stayed_problems(row((0, 20), (22, None)), START, NOW))

    def test_overlapping_segments_are_found(self):
        self.assertIn("segments overlap", checker.attendance_problems(row((0, 20), (10, None)), NOW))

    def test_a_lost_beginning_is_found(self):
        self.assertTrue(checker.stayed_problems(row((5, None)), START, NOW))

    def test_somebody_who_left_and_still_counts_is_found(self):
        self.assertTrue(checker.left_problems(row((0, None)), START, START + 30_000, NOW))

    def test_an_end_far_from_the_kill_is_found(self):
        for second in (25, 35):
            self.assertTrue(checker.left_problems(self.estimated(row((0, second))), START, START + 30_000, NOW), second)

    def test_an_end_that_pretends_to_be_exact_is_found(self):
        self.assertTrue(checker.left_problems(row((0, 30)), START, START + 30_000, NOW))

    def test_a_row_that_contradicts_itself_is_found(self):
        self.assertTrue(checker.attendance_problems(row((0, 20), is_active=True), NOW))
        self.assertTrue(checker.attendance_problems(row((0, 20), last_leave=None), NOW))


class StayTests(unittest.TestCase):
    """Attendance against a person's own clock."""

    def problems(self, shown, *stays, now=NOW):
        return "\n".join(presence.stay_problems(shown, list(stays), now))

    def at(self, second):
        return START + second * 1000

    def cut(self, begin, end):
        return presence.Stay(self.at(begin), (self.at(end) - 1000, self.at(end)), True)

    def exact(self, begin, end):
        return presence.Stay(self.at(begin), (self.at(end), self.at(end)))

    def estimated(self, shown):
        shown["segments"][-1]["estimated"] = True
        return shown

    def test_true_rows_have_no_fault(self):
        self.assertEqual(self.problems(row((0, None)), presence.Stay(self.at(0))), "")
        self.assertEqual(self.problems(row((0, 30)), self.exact(0, 30)), "")
        self.assertEqual(self.problems(self.estimated(row((0, 29))), self.cut(0, 30)), "")
        self.assertEqual(self.problems(row((0, 30), (40, None)), self.exact(0, 30), presence.Stay(self.at(40))), "")

    def test_a_second_too_many_is_found(self):
        self.assertIn("ends", self.problems(row((0, 31)), self.exact(0, 30)))
        self.assertIn("ends", self.problems(self.estimated(row((0, 28))), self.cut(0, 30)))
        self.assertIn("begins", self.problems(row((1, None)), presence.Stay(self.at(0))))

    def test_a_gap_or_a_missing_segment_is_found(self):
        self.assertIn("2 segments", self.problems(row((0, 20), (21, None)), presence.Stay(self.at(0))))
        self.assertIn("1 segments", self.problems(row((0, None)), self.exact(0, 30), presence.Stay(self.at(40))))
        self.assertIn("not in the report", self.problems(None, presence.Stay(self.at(0))))

    def test_an_estimate_that_is_none_and_the_reverse_are_found(self):
        self.assertIn("estimated is True", self.problems(self.estimated(row((0, 30))), self.exact(0, 30)))
        self.assertIn("estimated is False", self.problems(row((0, 30)), self.cut(0, 30)))

    def test_who_is_here_and_who_is_gone_are_not_confused(self):
        self.assertIn("has ended", self.problems(row((0, 60)), presence.Stay(self.at(0))))
        self.assertIn("has not ended", self.problems(row((0, None)), self.exact(0, 30)))


class HerdTests(unittest.TestCase):
    """Signals to somebody who was away for a moment."""

    class Sheep:
        def __init__(self, user, peer):
            self.user = self.name = user
            self.joined = {"peer": peer}
            self.answered_signals = set()
            self.received = {}

    def setUp(self):
        self.one, self.two = self.Sheep("one", "p1"), self.Sheep("two", "p2")
        self.one.answered_signals = {("p2", 1), ("p2", 2), ("p2", 3)}

    def test_all_that_arrive_are_no_fault(self):
        self.two.received = {"one": [1, 2, 3]}
        self.assertEqual(herd.lost_signals([self.one, self.two]), [])

    def test_a_lost_signal_is_found(self):
        self.two.received = {"one": [1, 3]}
        self.assertEqual(herd.lost_signals([self.one, self.two]), ["two never got [2] of one"])

    def test_silence_is_found(self):
        self.one.answered_signals = set()
        self.assertEqual(herd.lost_signals([self.one, self.two]), ["nobody signalled"])


class FolderTests(unittest.TestCase):
    def test_the_checksum_is_that_of_the_format(self):
        self.assertEqual(folders.crc32c(b"123456789"), 0xE3069283)

    def test_a_refusal_is_one_sentence_and_exit_1(self):
        good = "2026-01-01T00:00:00+0000 info rollcall: [rollcall] rollcall, up to 20000 open files\nrollcall: the data folder x is no folder\n"
        self.assertEqual(folders.sentence_problems(1, good), [])
        self.assertTrue(folders.sentence_problems(0, good))
        for log in ("", "Fatal error: index out of range", good + "rollcall: and another sentence\n"):
            self.assertTrue(folders.sentence_problems(1, log))


if __name__ == "__main__":
    program = unittest.main(exit=False, verbosity=0)
    result = program.result
    bad = len(result.failures) + len(result.errors)
    print(f"fault checker: {result.testsRun - bad} passed, {bad} failed")
    raise SystemExit(1 if bad else 0)
