"""A disk that is full, failing, read-only or slow: who asks is told, what is live goes on, and it heals by itself."""

import asyncio
import contextlib
import errno
import itertools
import json
import shutil
import subprocess
import time

import checker
import checks
import folders
import kills
import lesson
import power
import rollcall

#: In seconds: until a server has noticed that its disk works again.
HEALING = 15


class Room:
    """A class with a host and two people who signal to each other, on a server whose disk gets into trouble."""

    def __init__(self, server):
        self.server = server
        self.judge = checker.Checker()
        self.numbers = itertools.count()
        self.keys = {}  # text -> (person, key)
        self.people = []
        self.answers = []  # to signals

    async def open(self):
        self.server.start()
        await self.server.ready()
        await rollcall.open_session(self.server)
        self.judge.status_changed(1)
        for user in ("ann", "bob"):
            person = lesson.Person(self.server, self.judge, user)
            await person.enter("full")
            self.people.append(person)

    async def say(self, size=0):
        """One message of somebody; nil, or the refusal."""
        number = next(self.numbers)
        person = self.people[number % 2]
        text = f"{number} " + "x" * size
        self.keys[text] = (person, f"key-{number}")
        try:
            await person.say(text, f"key-{number}")
            return None
        except lesson.Refused as refusal:
            return refusal

    async def say_until_refused(self, size, limit):
        """The first refusal."""
        for _ in range(limit):
            refusal = await self.say(size)
            if refusal:
                return refusal
        return None

    async def signal(self):
        """One signal each way; sentences."""
        problems = []
        answers = []
        for sender, receiver in (self.people, reversed(self.people)):
            number = next(self.numbers)
            begun = time.monotonic()
            # The answer may wait for what was said before it; the signal does not.
            answers.append(asyncio.create_task(
                sender.command("signal", to=receiver.joined["peer"], kind="candidate", payload=number)))
            while not any(message["type"] == "signal" and message["payload"] == number for message in receiver.received):
                if time.monotonic() - begun > 1:
                    problems.append(f"no signal from {sender.user} to {receiver.user} within a second")
                    break
                await asyncio.sleep(0.005)
        self.answers += answers
        return problems

    async def readiness(self):
        """Status and reason of /ready."""
        status, body = await asyncio.to_thread(self.server.request, "GET", "/ready", None, None, 5)
        return status, json.dumps(body)

    async def wait_ready(self, expected, seconds=HEALING):
        """Until /ready has this status; how long that took, or nil."""
        begun = time.monotonic()
        while time.monotonic() - begun < seconds:
            if (await self.readiness())[0] == expected:
                return time.monotonic() - begun
            await asyncio.sleep(0.05)
        return None

    async def repeat(self):
        """Says everything again that was not acknowledged; sentences."""
        problems = []
        for text, (person, key) in self.keys.items():
            if text not in self.judge.acknowledged:
                try:
                    await person.say(text, key)
                except lesson.Refused as refusal:
                    problems.append(f"refused after healing: {refusal}")
        return problems

    async def check_trouble(self, what, refusal):
        """While it lasts: explicit answers, and the live part goes on."""
        problems = refusal_problems(refusal) if refusal else ["nothing was refused"]
        for _ in range(3):
            again = await self.say()
            problems += refusal_problems(again) if again else ["something was taken in while the disk fails"]
            if again and again.message.get("details", {}).get("outcome") != "not_done":
                problems.append(f"what is refused at once is certainly not done: {again.message}")
        checks.check(f"{what}: who asks is told", problems)
        checks.check(f"{what}: signals go on", await self.signal())
        answer = await self.people[0].command("media.set", audio=True)
        checks.check(f"{what}: media flags go on", [] if answer["type"] == "ok" else [f"{answer}"])
        status, body = await self.readiness()
        checks.check(f"{what}: /ready says it", [] if status == 503 and "storage" in body else [f"{status} {body}"])
        status, _ = await asyncio.to_thread(self.server.request, "GET", "/health")
        checks.check(f"{what}: /health does not", [] if status == 200 else [f"{status}"])
        status, answer = await asyncio.to_thread(
            self.server.request, "POST", "/api/sessions/", rollcall.token("host", "host"), {"title": "Another"})
        code = (answer or {}).get("error", {}).get("code")
        checks.check(f"{what}: HTTP says it", [] if (status, code) == (503, "storage_unavailable") else [f"{status} {answer}"])
        late = lesson.Person(self.server, checker.Checker(), "late")
        try:
            problems = [f"{await late.enter()}"]
        except lesson.Refused as refusal:
            problems = refusal_problems(refusal)
        checks.check(f"{what}: who comes now is told", problems)
        await late.close()

    async def check_healed(self, what, begun):
        """Afterwards: it heals by itself, everybody gets the present state, and what is repeated is there once."""
        took = await self.wait_ready(200)
        checks.check(f"{what}: heals by itself", [] if took is not None else [f"not within {HEALING} s: {self.server.log_tail()}"])
        if took is None:
            return
        checks.check(f"{what}: what was refused can be done now", await self.repeat())
        checks.check(f"{what}: signals go on after it", await self.signal())
        problems = []
        for person in self.people:
            states = [message for message in person.received[begun[person]:] if message["type"] == "presence.state" and "id" not in message]
            if not states:
                problems.append(f"{person.user} got none")
            elif sorted(one["user"] for one in states[-1]["participants"] if one["peers"]) != ["ann", "bob"]:
                problems.append(f"{person.user} got {states[-1]}")
        checks.check(f"{what}: everybody gets the state of the server", problems)
        late = lesson.Person(self.server, self.judge, "late")
        await late.enter()
        await late.leave()
        await self.check_history(what)

    async def check_history(self, what):
        answers = await asyncio.gather(*self.answers, return_exceptions=True)
        self.answers.clear()
        checks.check(f"{what}: signals are answered", [f"{answer}" for answer in answers if isinstance(answer, Exception)])
        joined, history = await rollcall.read_history(self.server)
        violations = len(self.judge.violations)
        self.judge.verify(history, joined)
        checks.check(f"{what}: everything acknowledged is there, once", self.judge.violations[violations:])

    def mark(self):
        """How much everybody has received."""
        return {person: len(person.received) for person in self.people}

    async def restart(self, what, data=None):
        """Kill, start, compare."""
        self.server.kill()
        await asyncio.gather(*(person.close() for person in self.people), return_exceptions=True)
        if data:
            self.server.data = data
        self.server.start()
        await self.server.ready()
        await self.check_history(f"{what}, after kill -9")
        rows, at = await rollcall.attendance(self.server)
        problems = [f"{user}: {problem}" for user in ("ann", "bob") for problem in checker.attendance_problems(rows[user], at, is_away=True)]
        problems += [f"{user} has {len(rows[user]['segments'])} segments" for user in ("ann", "bob") if len(rows[user]["segments"]) != 1]
        checks.check(f"{what}: attendance is whole", problems)
        checks.check(f"{what}: the server ends with 0", [] if await self.server.terminate() == 0 else [self.server.log_tail()])
        checks.check(f"{what}: nobody saw anything contradictory", self.judge.violations)


def refusal_problems(refusal):
    message = refusal.message
    problems = [] if message["code"] == "storage_unavailable" else [f"{message}"]
    problems += [] if message["retryable"] else ["is not retryable"]
    problems += [] if message.get("details", {}).get("outcome") in ("not_done", "unknown") else [f"no outcome: {message}"]
    return problems


# A disk that is full


async def test_full(binary, folder):
    """A real one, of a megabyte: tmpfs."""
    disk = folder / "tmpfs"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)], check=True)
    try:
        server = rollcall.Server(binary, folder, data=disk / "data", options=("--snapshot-bytes", "200000"))
        room = Room(server)
        await room.open()
        refusal = None
        snapshots = []
        while not refusal:
            snapshots = sorted(path for path in server.data.glob("snapshot-*.rcs"))
            contents = {path: path.read_bytes() for path in snapshots}
            # Messages are in the journal and in each of two snapshots: 1 MiB is soon full.
            refusal = await room.say_until_refused(4000, 20)
        begun = room.mark()
        await room.check_trouble("a full disk", refusal)
        alive = [path for path in contents if path.exists() and path.read_bytes() == contents[path]]
        checks.check("a full disk: an old snapshot survives", [] if alive or not contents else [f"{list(contents)} are gone"])
        checks.check("a full disk: snapshots were taken before", [] if contents else ["none"])
        subprocess.run(["mount", "-o", "remount,size=16m", str(disk)], check=True)
        await room.check_healed("a full disk", begun)
        await room.restart("a full disk")
    finally:
        rollcall.Server.kill_all()
        subprocess.run(["umount", "--lazy", str(disk)], check=False)


async def test_full_at_start(binary, folder):
    """A start that finds no room says so, and spoils nothing."""
    disk = folder / "small"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)], check=True)
    try:
        (disk / "ballast").write_bytes(bytes(64 << 10))
        server = rollcall.Server(binary, folder / "start", data=disk / "data")
        result = await asyncio.to_thread(subprocess.run, server.command(), capture_output=True, text=True, timeout=20, cwd=server.folder)
        checks.check("a start on a full disk is refused with a sentence", folders.sentence_problems(result.returncode, result.stderr))
        (disk / "ballast").unlink()
        server.start()
        await server.ready()
        checks.check("with room it starts", [] if await server.terminate() == 0 else [server.log_tail()])
    finally:
        rollcall.Server.kill_all()
        subprocess.run(["umount", "--lazy", str(disk)], check=False)


# A disk that fails: through FUSE


@contextlib.asynccontextmanager
async def on_disk(binary, folder, name, options=()):
    run = folder / name
    run.mkdir()
    disk = await power.Disk(run / "disk").mounted()
    server = rollcall.Server(binary, run, data=disk.mountpoint / "data", options=options)
    room = Room(server)
    try:
        await room.open()
        yield room, disk
    finally:
        if server.is_running:
            server.kill()
        disk.unmount()


WRITING = ("write", "fsync", "fsyncdir", "create", "rename", "truncate", "unlink")


def fail(disk, calls, code, times=-1):
    for call in calls:
        disk.order("fail", call=call, errno=code, times=times)


async def test_failing(binary, folder, dice):
    """Every call fails for a while, or only some of them; then the power fails too."""
    for name, what, calls, code in (
        ("eio", "a disk that fails", WRITING, errno.EIO),
        ("sync", "a disk that cannot sync", ("fsync", "fsyncdir"), errno.EIO),
        ("readonly", "a disk that has become read-only", WRITING, errno.EROFS),
        ("quota", "a quota", ("write", "create"), errno.EDQUOT),
    ):
        async with on_disk(binary, folder, name) as (room, disk):
            for _ in range(5):
                await room.say(100)
            fail(disk, calls, code)
            begun = room.mark()
            refusal = await room.say(100)
            await room.check_trouble(what, refusal)
            fail(disk, calls, 0, 0)
            await room.check_healed(what, begun)
            disk.cut(room.server)
            left = folder / f"{name}-left"
            disk.order("save", folder=str(left), lose=dice.randrange(1 << 30))
            await room.restart(what, left / "data")


async def test_once(binary, folder, dice, sample):
    """A single call that fails: whoever asked gets an explicit answer, and all goes on at once."""
    places = [(call, skipped) for call in ("write", "fsync") for skipped in range(4)]
    places += [(call, 0) for call in ("create", "rename", "fsyncdir", "unlink", "truncate")]
    for number, (call, skipped) in enumerate(places if sample is None else dice.sample(places, sample)):
        what = f"{call} that fails once, after {skipped} messages"
        async with on_disk(binary, folder, f"once{number}", ("--snapshot-interval", "100ms")) as (room, disk):
            await room.say()
            for _ in range(skipped):
                await room.say()
            fail(disk, [call], errno.EIO, 1)
            refusals = [await room.say(200) for _ in range(10)]
            problems = [problem for refusal in refusals if refusal for problem in refusal_problems(refusal)]
            took = await room.wait_ready(200)
            problems += [] if took is not None else ["does not heal"]
            problems += await room.repeat()
            checks.check(f"{what}: explicit answers, and it heals", problems)
            await room.check_history(what)
            disk.cut(room.server)
            left = folder / f"once{number}-left"
            disk.order("save", folder=str(left), lose=dice.randrange(1 << 30))
            await room.restart(what, left / "data")


async def test_short_writes(binary, folder):
    """A write that takes only a part is no failure."""
    async with on_disk(binary, folder, "short") as (room, disk):
        disk.order("shorten", times=30)
        refusals = [await room.say(500) for _ in range(20)]
        checks.check("short writes are gone on with", [f"{refusal}" for refusal in refusals if refusal])
        checks.check("writes were short at all", [] if disk.order("count")["failed"] else ["none"])
        await room.check_history("short writes")
        disk.cut(room.server)
        left = folder / "short-left"
        disk.order("save", folder=str(left), lose=1)
        await room.restart("short writes", left / "data")


async def test_slow(binary, folder):
    """A sync that takes long: the answer waits, what is live does not, /ready says it, and nothing is refused for it."""
    async with on_disk(binary, folder, "slow") as (room, disk):
        await room.say()
        disk.order("delay", call="fsync", seconds=8)
        begun = time.monotonic()
        saying = asyncio.create_task(room.say())
        await asyncio.sleep(0.3)
        checks.check("a slow disk: signals go on", await room.signal())
        await room.wait_ready(503, 8)
        took = time.monotonic() - begun
        is_waiting = not saying.done()
        _, body = await room.readiness()
        disk.order("delay", call="fsync", seconds=0)
        checks.check("a slow disk: /ready says it after 5 seconds", [] if 4.5 < took < 7 and "storage" in body else [f"{took:.1f} s, {body}"])
        checks.check("a slow disk: the answer waits for the sync", [] if is_waiting else ["it did not"])
        refusal = await saying
        checks.check("a slow disk: and comes", [f"{refusal}"] if refusal else [])
        checks.check("a slow disk: /ready is well again", [] if await room.wait_ready(200) is not None else [f"{await room.readiness()}"])
        await room.check_history("a slow disk")


async def test_soup(binary, folder, dice, rounds, seed):
    """Failures, kills and power cuts at random, under load; everybody repeats what was not done."""
    judge = checker.Checker()
    content = None
    server = rollcall.Server(binary, folder / "soup", kills.GRACE, options=("--snapshot-interval", "300ms"))
    chatters = kills.make_chatters(server, judge, dice, users=7)
    failures = 0
    for number in range(rounds + 1):
        disk = await power.Disk(folder / f"soup-disk{number}", content).mounted()
        server.data = disk.mountpoint / "data"
        known = judge.snapshot()
        server.start()
        await server.ready()
        if number == 0:
            await rollcall.open_session(server)
            judge.status_changed(1)
        joined, history = await rollcall.read_history(server)
        before = len(judge.violations)
        judge.verify(history, joined, known if number else None)
        checks.check(f"seed {seed}, disk trouble {number}: what was said is still true", judge.violations[before:])
        if number == rounds or judge.violations:
            break
        lives = [asyncio.create_task(chatter.live()) for chatter in chatters]
        await asyncio.sleep(dice.uniform(0.2, 0.6))
        for _ in range(dice.choice((1, 2))):
            calls = dice.choice((WRITING, ("fsync",), ("write",), ("fsyncdir",), ("create",), ("truncate", "write")))
            code = dice.choice((errno.EIO, errno.ENOSPC))
            if dice.random() < 0.3:
                disk.order("limit", bytes=disk.order("count")["bytes"] + dice.randrange(20000))
            else:
                fail(disk, calls, code, dice.choice((1, 2, 5, -1)))
            await asyncio.sleep(dice.uniform(0.1, 0.8))
            fail(disk, WRITING, 0, 0)
            disk.order("limit", bytes=None)
            await asyncio.sleep(dice.choice((0, 0.2, 1.5)))
        failures += disk.order("count")["failed"]
        lose = dice.choice((None, dice.randrange(1 << 30)))
        if not server.is_running:
            checks.check(f"seed {seed}, disk trouble {number}: the server lives", [f"it ended with {server.process.returncode}: {server.log_tail()}"])
        disk.cut(server)
        await asyncio.wait_for(asyncio.gather(*lives), rollcall.PATIENCE)
        left = folder / f"soup-left{number}"
        disk.order("save", folder=str(left), lose=lose)
        disk.unmount()
        if content:
            shutil.rmtree(content)
        content = left
    disk.cut(server)
    checks.check(f"seed {seed}: nobody saw anything contradictory while the disk failed", judge.violations)
    checks.check(f"seed {seed}: the disk failed", [] if failures else ["never"])
    checks.say(f"{rounds} rounds of disk trouble, seed {seed}: {failures} calls failed, {len(judge.acknowledged)} messages, {sum(one.unavailable for one in chatters)} refused for it")


async def test(binary, folder, dice, sample, rounds, seed):
    try:
        await test_full(binary, folder)
        await test_full_at_start(binary, folder)
        await test_failing(binary, folder, dice)
        await test_once(binary, folder, dice, sample)
        await test_short_writes(binary, folder)
        await test_slow(binary, folder)
        await test_soup(binary, folder, dice, rounds, seed)
    finally:
        power.Disk.unmount_all()
