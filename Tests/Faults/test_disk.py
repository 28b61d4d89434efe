#!/usr/bin/env python3
"""The disk that forgets is checked: it keeps what was synced, whatever happens, and loses what was not, sooner or later."""

import errno
import pathlib
import tempfile
import unittest

import disk


class DiskTests(unittest.TestCase):
    def setUp(self):
        self.memory = disk.Memory()
        self.temporary = tempfile.TemporaryDirectory()
        self.addCleanup(self.temporary.cleanup)

    def left(self, seed=None):
        """What is left: after a kill, or after a power cut with this seed."""
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.temporary.name))
        if seed is None:
            self.memory.save(folder)
        else:
            self.memory.save_after_power_loss(folder, seed)
        return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    def every(self, make, count=80):
        """What may be left after a power cut, by many seeds, each from the beginning."""
        outcomes = []
        for seed in range(count):
            self.memory = disk.Memory()
            make()
            outcomes.append(self.left(seed))
        return outcomes

    def file(self, path, content=b"", synced=False):
        node = disk.File()
        self.memory.add(path, node)
        node.write(0, content)
        if synced:
            node.sync()
            self.memory.sync_folder(self.memory.parent(path)[0])
        return node

    def test_a_kill_loses_nothing(self):
        self.file("/a", b"one")
        self.memory.add("/sub", disk.Folder())
        self.file("/sub/b", b"two")
        self.memory.rename("/a", "/c")
        self.assertEqual(self.left(), {"c": b"one", "sub/b": b"two"})

    def test_what_is_synced_is_never_lost(self):
        def make():
            node = self.file("/a", b"x" * 9000, synced=True)
            node.write(9000, b"y" * 9000)

        for outcome in self.every(make):
            self.assertEqual(outcome["a"][:9000], b"x" * 9000)

    def test_a_renamed_file_never_shows_its_own_beginning_in_a_new_block(self):
        def make():
            node = self.file("/new", b"beginning" * 10, synced=True)
            self.memory.rename("/new", "/name")
            self.memory.sync_folder(self.memory.root)
            node.write(90, b"y" * 9000)

        for outcome in self.every(make, count=300):
            self.assertFalse(b"egi" in outcome["name"][90:])

    def test_what_was_in_a_removed_or_replaced_file_can_be_in_a_new_block(self):
        def remove():
            self.file("/old", b"secret" * 2000, synced=True)
            node = self.file("/a", b"x", synced=True)
            self.memory.remove("/old")
            node.write(1, b"y" * 9000)

        def replace():
            self.file("/old", b"secret" * 2000, synced=True)
            node = self.file("/a", b"x", synced=True)
            self.file("/new", b"n", synced=True)
            self.memory.rename("/new", "/old")
            node.write(1, b"y" * 9000)

        for make in (remove, replace):
            self.assertTrue(any(b"ecre" in outcome.get("a", b"") for outcome in self.every(make, count=300)))

    def test_what_is_not_synced_is_lost_wholly_partly_or_not(self):
        def make():
            self.file("/a", b"", synced=True).write(0, b"y" * 20000)

        found = {outcome["a"] for outcome in self.every(make)}
        self.assertIn(b"", found)
        self.assertIn(b"y" * 20000, found)
        # A later page without an earlier one: reordered.
        self.assertTrue(any(content[:4096] == bytes(4096) and b"y" in content[4096:] for content in found))
        # A part of a page: torn.
        self.assertTrue(any(len(content) % 4096 and len(content) not in (0, 20000) for content in found))

    def test_a_name_needs_a_sync_of_its_folder(self):
        def make():
            self.file("/a", b"one").sync()

        self.assertEqual({frozenset(outcome) for outcome in self.every(make)}, {frozenset(), frozenset({"a"})})

    def test_a_renaming_is_whole_and_may_be_lost_until_the_folder_is_synced(self):
        def make():
            self.file("/old", b"old", synced=True)
            self.file("/new", b"new", synced=True)
            self.memory.rename("/new", "/old")

        self.assertEqual(
            {tuple(sorted(outcome.items())) for outcome in self.every(make)},
            {(("new", b"new"), ("old", b"old")), (("old", b"new"),)})

        def make_and_sync():
            make()
            self.memory.sync_folder(self.memory.root)

        self.assertEqual({tuple(outcome.items()) for outcome in self.every(make_and_sync, 50)}, {(("old", b"new"),)})

    def test_a_renaming_before_the_sync_of_the_content_may_leave_an_empty_file(self):
        def make():
            self.file("/old", b"old", synced=True)
            self.file("/new", b"new")
            self.memory.rename("/new", "/old")
            self.memory.sync_folder(self.memory.root)

        self.assertIn({"old": b""}, self.every(make))

    def test_a_removal_may_come_back_until_the_folder_is_synced(self):
        def make():
            self.file("/a", b"one", synced=True)
            self.memory.remove("/a")

        outcomes = self.every(make)
        self.assertIn({"a": b"one"}, outcomes)
        self.assertIn({}, outcomes)

    def test_a_truncation_may_be_lost_until_it_is_synced(self):
        def make():
            self.file("/a", b"one", synced=True).truncate(0)

        self.assertEqual({outcome["a"] for outcome in self.every(make)}, {b"one", b""})

    def test_the_same_seed_leaves_the_same(self):
        def make():
            self.file("/a", b"", synced=True).write(0, b"y" * 20000)

        self.assertEqual(self.every(make, 20), self.every(make, 20))

    def test_what_is_told_to_fail_fails_so_often(self):
        faults = disk.Faults()
        faults.failures["fsync"] = (errno.EIO, 2)
        for _ in range(2):
            with self.assertRaises(OSError):
                faults.meet("fsync")
        self.assertEqual(faults.meet("fsync"), 1)
        faults.failures["write"] = (errno.ENOSPC, -1)
        for _ in range(5):
            with self.assertRaises(OSError) as caught:
                faults.meet("write")
            self.assertEqual(caught.exception.errno, errno.ENOSPC)
        self.assertEqual(faults.failed, 7)


if __name__ == "__main__":
    unittest.main(verbosity=0)
