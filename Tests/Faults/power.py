"""The machine stops: at every change of the disk, and at random moments under load. What is left must be true."""

import asyncio
import json
import pathlib
import shutil
import subprocess
import sys

import checks
import kills
import lesson
import rollcall
import system_calls
from checker import Checker

DISK = pathlib.Path(__file__).resolve().parent / "disk.py"


class Disk:
    """A mounted `disk.py`."""

    every = []

    def __init__(self, mountpoint, content=None):
        self.mountpoint = mountpoint
        mountpoint.mkdir(exist_ok=True)
        self.process = subprocess.Popen(
            [sys.executable, str(DISK), str(mountpoint), *([str(content)] if content else [])], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True)
        Disk.every.append(self)

    async def mounted(self):
        for _ in range(500):
            if self.process.poll() is not None:
                raise RuntimeError("disk.py has ended: is libfuse2 there, and /dev/fuse?")
            if self.mountpoint.is_mount():
                return self
            await asyncio.sleep(0.01)
        raise RuntimeError("nothing was mounted")

    def order(self, do, **more):
        self.process.stdin.write(json.dumps({"do": do, **more}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer

    def cut(self, server):
        """The power fails: the disk first, so that whatever the server still says rests on what is already there."""
        self.order("stop")
        if server.is_running:
            server.process.kill()
        self.order("release")
        server.process.wait()

    def unmount(self):
        if self.process.poll() is None:
            subprocess.run(["umount", "--lazy", str(self.mountpoint)], check=False, stderr=subprocess.DEVNULL)
            self.process.stdin.close()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process.stdout.close()

    @classmethod
    def unmount_all(cls):
        for disk in cls.every:
            disk.unmount()
        cls.every.clear()


async def life(binary, folder, template, watch):
    """A start and a lesson, until the end or the kill; the changes of the disk, and what there is to judge by."""
    run = folder / "run"
    run.mkdir()
    disk = await Disk(run / "disk", template).mounted()
    server = rollcall.Server(binary, run, data=disk.mountpoint / "data", options=system_calls.OPTIONS)
    server.start()
    if watch:
        disk.order("watch", process=server.process.pid, **watch)
    now = lesson.Lesson(server, "now", rounds=4)
    try:
        await server.ready()
        await now.run()
        # Snapshots are taken behind it.
        for _ in range(20 if now.is_done else 0):
            if not server.is_running:
                break
            await asyncio.sleep(0.01)
    except RuntimeError:
        pass  # stopped while it started
    count = disk.order("count")
    disk.cut(server)
    if not watch:
        disk.unmount()
        shutil.rmtree(run)
    return count["changes"], (disk, server, now, count["stopped"])


async def stop_at(binary, folder, template, earlier, number, how, lose, seed):
    """One server whose process or machine stops at this change of its disk; whether it came that far."""
    where = f"{'power loss' if lose else 'kill -9'} {how} change {number} of the disk, seed {seed}"
    _, (disk, server, now, died) = await life(binary, folder, template, {"at": number, "how": how})
    left = server.folder / "left"
    disk.order("save", folder=str(left), lose=seed if lose else None)
    disk.unmount()
    server.data = left / "data"
    server.start()
    try:
        await server.ready()
        problems = (await earlier.verify(server) if earlier else []) + await now.verify(server)
        problems += [] if await server.terminate() == 0 else [f"the next one ends badly: {server.log_tail()}"]
    except Exception as error:
        problems = [f"{type(error).__name__}: {error}"]
    checks.check(where, problems)
    shutil.rmtree(server.folder)
    return died


async def test_every_change(binary, folder, template, earlier, dice, sample):
    """Each change of the disk that a start and a lesson make: before it, half of it, behind it; killed or without power."""
    reach, _ = await life(binary, folder, template, None)
    died = tried = number = 0
    hows = [(how, lose) for how in ("before", "half", "after") for lose in (False, True)]
    if sample is None:
        while True:
            number += 1
            reached = 0
            for how, lose in hows:
                tried += 1
                reached += await stop_at(binary, folder, template, earlier, number, how, lose, dice.randrange(1 << 30))
            died += reached
            if not reached:
                break
    else:
        for _ in range(sample):
            number = dice.randint(1, reach)
            tried += 1
            died += await stop_at(binary, folder, template, earlier, number, *dice.choice(hows), dice.randrange(1 << 30))
    checks.check("the disk stopped the server at all", [] if died > tried // 4 else [f"{died} times in {tried}"])
    checks.say(f"{died} stops at changes of the disk in {tried} lives")


async def test_under_load(binary, folder, dice, rounds, seed):
    """The power fails at random moments while people talk; they come back to the same data folder each time."""
    judge = Checker()
    content = None
    server = rollcall.Server(binary, folder, kills.GRACE, options=("--snapshot-interval", "400ms"))
    chatters = kills.make_chatters(server, judge, dice, users=7)
    messages = 0
    for number in range(rounds + 1):
        disk = await Disk(folder / f"disk{number}", content).mounted()
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
        cut = dice.randrange(1 << 30)
        checks.check(f"seed {seed}, after power cut {number}: what was said is still true", judge.violations[before:])
        messages = len(history)
        if number == rounds:
            break
        lives = [asyncio.create_task(chatter.live()) for chatter in chatters]
        await asyncio.sleep(dice.choice((0.05, 0.3, 0.6, 1.2)) * dice.uniform(0.5, 1.5))
        disk.cut(server)
        await asyncio.wait_for(asyncio.gather(*lives), rollcall.PATIENCE)
        left = folder / f"left{number}"
        disk.order("save", folder=str(left), lose=cut)
        disk.unmount()
        if content:
            shutil.rmtree(content)
        content = left
        if judge.violations:
            checks.say(f"power cut {number}, seed {seed}; the server's log ends with\n{server.log_tail()}")
            break
    disk.cut(server)
    checks.check(f"seed {seed}: nobody saw anything contradictory without power", judge.violations)
    checks.check(f"seed {seed}: every resume was honoured after the power cuts", [f"{reason}" for reason in judge.refused_resumes])
    checks.check("something was said between the power cuts", [] if messages > rounds else [f"{messages} messages"])
    checks.say(f"{rounds} power cuts, seed {seed}: {messages} messages, {len(judge.acknowledged)} acknowledged")


async def test_lying_disk(binary, folder, dice):
    """The checker is checked: on a disk that lies about its syncs something that was acknowledged must be missed."""
    for number in range(10):
        run = folder / f"lie{number}"
        run.mkdir()
        disk = await Disk(run / "disk").mounted()
        server = rollcall.Server(binary, run, data=disk.mountpoint / "data")
        server.start()
        await server.ready()
        class_ = lesson.Lesson(server, "class", ends=False)
        await class_.run()
        disk.order("lie")
        person = lesson.Person(server, class_.judge, "ann", session="class")
        await person.enter()
        for index in range(5):
            await person.say(f"lied about {index}", f"lie-{index}")
        disk.cut(server)
        person.abandon()
        disk.order("save", folder=str(run / "left"), lose=dice.randrange(1 << 30))
        disk.unmount()
        server.data = run / "left" / "data"
        server.start()
        try:
            await server.ready()
            problems = await class_.verify(server)
        except RuntimeError:
            # A later batch without the one before it is damage, and is refused.
            problems = ["is damaged, and is lost"] if server.process.returncode == 1 else []
        server.kill()
        if any("and is lost" in problem for problem in problems):
            checks.check("a disk that lies about its syncs is found out", [])
            return
    checks.check("a disk that lies about its syncs is found out", ["everything is there"])


#: What a server with `--durability relaxed` may lose, and how far two clocks may be apart, in milliseconds.
RELAXED, SLACK = 200, 300
BOOT = "/proc/sys/kernel/random/boot_id"


async def test_relaxed(binary, folder, dice, rounds):
    """Acknowledged before the sync: a kill loses nothing, a power cut the last moment at most, and then the epoch says so."""
    losses = 0
    for number in range(rounds):
        run = folder / f"relaxed{number}"
        run.mkdir()
        lose = dice.randrange(1 << 30) if number % 3 else None
        where = f"relaxed, round {number}, {'power loss' if lose else 'kill -9'}"
        disk = await Disk(run / "disk").mounted()
        server = rollcall.Server(binary, run, data=disk.mountpoint / "data", options=("--durability", "relaxed"))
        server.start()
        await server.ready()
        await rollcall.open_session(server)
        judge = Checker()
        judge.status_changed(1)
        person = lesson.Person(server, judge, "ann")
        joined = await person.enter()
        end = rollcall.now() + dice.randrange(300, 1200)
        index = 0
        while rollcall.now() < end:
            index += 1
            await person.say(f"message {index} " + "x" * dice.choice((0, 3000)), f"key-{index}")
        cut = rollcall.now()
        disk.cut(server)
        position = judge.position(person, joined)
        person.abandon()
        disk.order("save", folder=str(run / "left"), lose=lose)
        disk.unmount()
        server.data = run / "left" / "data"
        if lose:
            # The machine that comes up again is another one, as far as it can tell.
            (run / "boot").write_text(f"{dice.randrange(1 << 32):08x}-0000-4000-8000-000000000000\n")
            subprocess.run(["mount", "--bind", str(run / "boot"), BOOT], check=True)
        try:
            server.start()
            await server.ready()
            after = Checker()
            after.sent = judge.sent
            back = lesson.Person(server, after, "ann")
            back.before = position
            again = await back.enter(**rollcall.resume(joined["resume_token"], position))
            shown, history = await rollcall.read_history(server)
            there = {message["text"] for message in history}
            lost = [(text, answer) for text, answer in judge.acknowledged.items() if text not in there]
            losses += bool(lost)
            problems = [f"{text.split(' x')[0]!r} is lost, {cut - answer.at} ms old" for text, answer in lost if lose is None or cut - answer.at > RELAXED + SLACK]
            if lost and shown["epoch"] == position.epoch:
                problems.append(f"{len(lost)} are lost, and the epoch is the same")
            if again["recovered"] and (lost or again["epoch"] != position.epoch):
                problems.append("recovered, though something is lost")
            if not again["recovered"] and again.get("not_recovered") != "epoch_changed":
                problems.append(f"not_recovered is {again.get('not_recovered')!r}")
            if lose is None and not again["recovered"]:
                problems.append("a kill takes nothing, and was not recovered from")
            numbers = [message["seq"] for message in history]
            if len(set(numbers)) != len(numbers) or numbers != sorted(numbers):
                problems.append(f"numbers {numbers}")
            # The longest beginning is there: nothing is missing in the middle.
            order = [text for text, _ in sorted(judge.acknowledged.items(), key=lambda pair: pair[1].seq)]
            if [text for text in order if text in there] != order[:len(order) - len(lost)]:
                problems.append("something is missing in the middle")
            answer = await back.say("after it", "after")
            if answer["seq"] <= max(numbers, default=0):
                problems.append(f"goes on at {answer['seq']} after {max(numbers)}")
            await back.close()
            problems += [] if await server.terminate() == 0 else [server.log_tail()]
        except Exception as error:
            problems = [f"{type(error).__name__}: {error}"]
        finally:
            if lose:
                subprocess.run(["umount", BOOT], check=True)
        checks.check(where, problems)
        shutil.rmtree(run, ignore_errors=True)
    checks.say(f"{rounds} rounds with relaxed durability: something was lost in {losses}, and said to be")


async def test(binary, folder, dice, sample, rounds, seed):
    try:
        template, earlier = await prepare(binary, folder)
        await test_every_change(binary, folder, None, None, dice, sample)
        await test_every_change(binary, folder, template, earlier, dice, sample)
        await test_lying_disk(binary, folder, dice)
        await test_relaxed(binary, folder, dice, 6 if sample else 60)
        (folder / "load").mkdir()
        await test_under_load(binary, folder / "load", dice, rounds, seed)
    finally:
        Disk.unmount_all()


async def prepare(binary, folder):
    """A folder in which a start has something to recover, and the lesson that is in it."""
    data, earlier = await system_calls.prepare(binary, folder)
    template = folder / "template"
    template.mkdir()
    shutil.copytree(data, template / "data")
    return template, earlier
