#!/usr/bin/env python3
"""A file system in memory that forgets what was not synced, and fails when it is told to; through FUSE.

    disk.py MOUNTPOINT [FOLDER TO BEGIN WITH]

What POSIX promises is kept, and no more: the content of a file is durable once it is synced, a name once the folder is.
Reads orders from standard input, one JSON object each, and answers each with one on standard output:

    {"do": "watch", "process": 17, "at": 5, "how": "half"}   kill -9 at the fifth change from now: before, half or after it
    {"do": "fail", "call": "fsync", "errno": 5, "times": 2}  let the next two fail; all of them with -1; none with 0
    {"do": "shorten", "times": 3}                            let the next three writes take only a part
    {"do": "delay", "call": "fsync", "seconds": 6}           let each take so long
    {"do": "limit", "bytes": 100000}                         so much fits; null for no bound
    {"do": "lie"}                                            from now on a sync says that all is well, and does nothing
    {"do": "stop"}                                           from now on nothing is changed or synced, and no call returns
    {"do": "release"}                                        let those calls return; the process is dead by now
    {"do": "save", "folder": "…", "lose": null}              what is there, as after a kill
    {"do": "save", "folder": "…", "lose": 42}                what a power cut may have left of it, by this seed
    {"do": "count"}                                          {"changes": …, "bytes": …, "failed": …, "stopped": …}

A preloaded library could stand between the server and the disk too, but would have to guess at what the kernel keeps of
which file under which name; here every call of whatever thread ends up in one place, in one order.
"""

import errno
import json
import os
import pathlib
import random
import signal
import stat
import sys
import threading
import time

#: What the disk loses or keeps as a whole, and what it may tear a page into.
PAGE = 4096
SECTOR = 512


class File:
    """A file: what programs see, what is durable, and the writes in between."""

    def __init__(self, content=b"", mode=0o600):
        self.content = bytearray(content)
        self.durable = bytes(content)
        self.unsynced = []  # (offset, bytes) of a write, (size, None) of a truncation
        self.mode = mode

    def write(self, offset, data):
        if offset > len(self.content):
            self.content.extend(bytes(offset - len(self.content)))
        self.content[offset:offset + len(data)] = data
        self.unsynced.append((offset, bytes(data)))

    def truncate(self, size):
        if size < len(self.content):
            del self.content[size:]
        else:
            self.content.extend(bytes(size - len(self.content)))
        self.unsynced.append((size, None))

    def sync(self):
        self.durable = bytes(self.content)
        self.unsynced.clear()

    def after_power_loss(self, dice, garbage):
        """The durable content with any part of the later writes: whole pages or sectors, in any order, or none."""
        kept = dice.choice((0, 0.2, 0.5, 0.8, 1))
        unit = dice.choice((PAGE, SECTOR))
        result = bytearray(self.durable)
        size = len(result)
        for offset, data in self.unsynced:
            if data is None:
                if dice.random() < kept:
                    size = offset
                    del result[size:]
                continue
            position = 0
            while position < len(data):
                length = min(unit - (offset + position) % unit, len(data) - position)
                if dice.random() < kept:
                    begin = offset + position
                    if begin > len(result):
                        # The blocks between were allocated and never written.
                        result.extend(garbage(begin - len(result)))
                    result[begin:begin + length] = data[position:position + length]
                position += length
        # The size may have reached the disk before the data.
        if len(self.content) > len(result) and dice.random() < 0.3:
            result.extend(garbage(len(self.content) - len(result)))
        return bytes(result)


class Folder:
    def __init__(self, mode=0o700):
        self.names = {}
        self.durable = {}
        self.mode = mode


class Full(Exception):
    pass


class Memory:
    """The tree, without FUSE: every method is one operation of a program."""

    def __init__(self):
        self.root = Folder(0o755)
        self.changes = []  # unsynced changes of names: [(folder, name, node or None), …] each, oldest first
        self.discarded = []  # contents that were removed: what a new block may show

    # Names

    def find(self, path):
        node = self.root
        for part in path.strip("/").split("/"):
            if part:
                node = node.names.get(part) if isinstance(node, Folder) else None
                if node is None:
                    raise OSError(errno.ENOENT, path)
        return node

    def parent(self, path):
        folder, _, name = path.rstrip("/").rpartition("/")
        return self.find(folder), name

    def change(self, *names):
        linked = [node for _, _, node in names]
        for folder, name, node in names:
            old = folder.names.get(name)
            # Renaming a file frees none of its blocks: only what is under no name any more can show up elsewhere.
            if isinstance(old, File) and not any(old is other for other in linked):
                self.discarded.append(bytes(old.content))
            if node is None:
                folder.names.pop(name, None)
            else:
                folder.names[name] = node
        self.changes.append(names)

    def add(self, path, node):
        folder, name = self.parent(path)
        self.change((folder, name, node))

    def remove(self, path):
        folder, name = self.parent(path)
        if name not in folder.names:
            raise OSError(errno.ENOENT, path)
        self.change((folder, name, None))

    def rename(self, old, new):
        node = self.find(old)
        (old_folder, old_name), (new_folder, new_name) = self.parent(old), self.parent(new)
        self.change((new_folder, new_name, node), (old_folder, old_name, None))

    def sync_folder(self, folder):
        """Every change of this folder is durable, and with it what else the same renaming did."""
        rest = []
        for names in self.changes:
            if any(one is folder for one, _, _ in names):
                self._apply(names)
            else:
                rest.append(names)
        self.changes = rest

    @staticmethod
    def _apply(names):
        for folder, name, node in names:
            if node is None:
                folder.durable.pop(name, None)
            else:
                folder.durable[name] = node

    def used(self):
        def size(node):
            if isinstance(node, File):
                return -(-len(node.content) // PAGE) * PAGE
            return sum(size(one) for one in node.names.values())

        return size(self.root)

    # What is left

    def save(self, target):
        """What programs see: what a killed process leaves behind."""
        self._save(self.root, pathlib.Path(target), lambda folder: folder.names, lambda file: bytes(file.content))

    def save_after_power_loss(self, target, seed):
        dice = random.Random(seed)

        def garbage(length):
            """Zeros, or what was in these blocks before."""
            if self.discarded and dice.random() < 0.3:
                old = dice.choice(self.discarded)
                if old:
                    start = dice.randrange(len(old))
                    return (old[start:] + bytes(length))[:length]
            return bytes(length)

        kept = dice.choice((0, 0.3, 0.7, 1))
        in_order = dice.random() < 0.5
        for names in self.changes:
            if dice.random() < kept:
                self._apply(names)
            elif in_order:
                break
        self._save(self.root, pathlib.Path(target), lambda folder: folder.durable, lambda file: file.after_power_loss(dice, garbage))

    def _save(self, folder, target, names, content):
        target.mkdir(exist_ok=True)
        for name, node in names(folder).items():
            if isinstance(node, Folder):
                self._save(node, target / name, names, content)
            else:
                (target / name).write_bytes(content(node))

    def load(self, source):
        """Begins with what is in a folder, all of it durable."""

        def read(path, folder):
            for one in sorted(path.iterdir()):
                if one.is_dir():
                    folder.names[one.name] = Folder()
                    read(one, folder.names[one.name])
                else:
                    folder.names[one.name] = File(one.read_bytes())
            folder.durable = dict(folder.names)

        read(pathlib.Path(source), self.root)


class Faults:
    """What goes wrong, and when."""

    def __init__(self):
        self.lock = threading.Condition(threading.RLock())
        self.lies = False
        self.released = False
        self.changes = 0
        self.failed = 0
        self.stopped = False
        self.victim = None  # (process, at, how)
        self.failures = {}  # call -> (errno, times)
        self.delays = {}
        self.short = 0
        self.limit = None

    def meet(self, call):
        """Called in front of each change or sync; raises what it fails with. How much of it is to be done."""
        delay = self.delays.get(call, 0)
        if delay:
            time.sleep(delay)
        if self.stopped:
            self.lock.wait_for(lambda: self.released)
            raise OSError(errno.EIO, call)
        code, times = self.failures.get(call, (0, 0))
        if times:
            self.failures[call] = (code, times - 1 if times > 0 else times)
            self.failed += 1
            raise OSError(code, call)
        self.changes += 1
        if self.victim and self.changes == self.victim[1]:
            process, _, how = self.victim
            os.kill(process, signal.SIGKILL)
            self.stopped = self.released = True
            return {"before": 0, "half": 0.5, "after": 1}[how]
        return 1


def operations(memory, faults):
    """The operations as fusepy wants them."""
    import fuse

    handles = {}
    numbers = iter(range(1, 1 << 62))

    class Operations(fuse.Operations):
        use_ns = True

        def _guarded(self, call, body):
            """One change: nothing of it, half or all."""
            share = faults.meet(call)
            if share:
                body(share)
            if faults.stopped:
                raise fuse.FuseOSError(errno.EIO)

        def __call__(self, operation, *arguments):
            if not hasattr(self, operation):
                raise fuse.FuseOSError(errno.EFAULT)
            with faults.lock:
                try:
                    return getattr(self, operation)(*arguments)
                except fuse.FuseOSError:
                    raise
                except OSError as error:
                    raise fuse.FuseOSError(error.errno) from None

        def getattr(self, path, handle=None):
            node = handles[handle] if handle in handles else memory.find(path)
            kind = stat.S_IFDIR if isinstance(node, Folder) else stat.S_IFREG
            size = len(node.content) if isinstance(node, File) else 0
            return {"st_mode": kind | node.mode, "st_nlink": 1, "st_size": size, "st_uid": os.getuid(), "st_gid": os.getgid(), "st_blocks": -(-size // 512)}

        def readdir(self, path, handle):
            return [".", "..", *memory.find(path).names]

        def statfs(self, path):
            total = 1 << 20 if faults.limit is None else faults.limit // PAGE
            free = max(0, total - memory.used() // PAGE)
            return {"f_bsize": PAGE, "f_frsize": PAGE, "f_blocks": total, "f_bfree": free, "f_bavail": free, "f_namemax": 255}

        def open(self, path, flags):
            return self._handle(memory.find(path))

        def _handle(self, node):
            handle = next(numbers)
            handles[handle] = node
            return handle

        def create(self, path, mode, fi=None):
            node = File(mode=mode & 0o777)
            self._guarded("create", lambda share: memory.add(path, node))
            return self._handle(node)

        def read(self, path, size, offset, handle):
            return bytes(handles[handle].content[offset:offset + size])

        def write(self, path, data, offset, handle):
            node = handles[handle]
            growth = max(0, -(-(offset + len(data)) // PAGE) - -(-len(node.content) // PAGE)) * PAGE
            if faults.limit is not None and memory.used() + growth > faults.limit:
                faults.failed += 1
                raise OSError(errno.ENOSPC, path)
            taken = len(data)
            if faults.short and taken > 1:
                faults.short -= 1
                faults.failed += 1
                taken = max(1, taken // 3)
            self._guarded("write", lambda share: node.write(offset, data[:max(1, int(taken * share))]))
            return taken

        def truncate(self, path, size, handle=None):
            node = handles[handle] if handle in handles else memory.find(path)
            self._guarded("truncate", lambda share: node.truncate(size))

        def fsync(self, path, data_only, handle):
            self._guarded("fsync", lambda share: handles[handle].sync() if share == 1 and not faults.lies else None)

        def opendir(self, path):
            return self._handle(memory.find(path))

        def fsyncdir(self, path, data_only, handle):
            self._guarded("fsyncdir", lambda share: memory.sync_folder(handles[handle]) if share == 1 and not faults.lies else None)

        def release(self, path, handle):
            handles.pop(handle, None)
            return 0

        releasedir = release

        def rename(self, old, new):
            self._guarded("rename", lambda share: memory.rename(old, new) if share == 1 else None)

        def unlink(self, path):
            self._guarded("unlink", lambda share: memory.remove(path) if share == 1 else None)

        rmdir = unlink

        def mkdir(self, path, mode):
            self._guarded("mkdir", lambda share: memory.add(path, Folder(mode & 0o777)))

        def chmod(self, path, mode):
            memory.find(path).mode = mode & 0o777
            return 0

        def chown(self, path, user, group):
            return 0

        def utimens(self, path, times=None):
            return 0

        def flush(self, path, handle):
            return 0

    return Operations()


def obey(memory, faults):
    """Carries out the orders, until there are no more."""
    for line in sys.stdin:
        order = json.loads(line)
        answer = {}
        what = order["do"]
        if what == "delay":
            # Not behind the lock, which a call that is delayed holds.
            faults.delays[order["call"]] = order["seconds"]
        elif what == "count":
            answer = {"changes": faults.changes, "bytes": memory.used(), "failed": faults.failed, "stopped": faults.stopped}
        else:
            with faults.lock:
                if what == "watch":
                    faults.victim = (order["process"], faults.changes + order["at"], order["how"])
                elif what == "fail":
                    faults.failures[order["call"]] = (order["errno"], order["times"])
                elif what == "shorten":
                    faults.short = order["times"]
                elif what == "limit":
                    faults.limit = order["bytes"]
                elif what == "lie":
                    faults.lies = True
                elif what == "stop":
                    faults.stopped = True
                elif what == "release":
                    faults.released = True
                    faults.lock.notify_all()
                elif what == "save":
                    if order["lose"] is None:
                        memory.save(order["folder"])
                    else:
                        memory.save_after_power_loss(order["folder"], order["lose"])
                else:
                    answer = {"error": f"what is {what}?"}
        print(json.dumps(answer), flush=True)
    os._exit(0)


def main():
    import fuse

    memory, faults = Memory(), Faults()
    if len(sys.argv) > 2:
        memory.load(sys.argv[2])
    threading.Thread(target=obey, args=(memory, faults), daemon=True).start()
    fuse.FUSE(
        operations(memory, faults), sys.argv[1], foreground=True, nothreads=True, big_writes=True, hard_remove=True,
        fsname="rollcall-faults")


if __name__ == "__main__":
    main()
