"""The wall clock jumps, while people are in class and while the server is down; with libfaketime."""

import asyncio
import itertools
import pathlib
import shutil
import subprocess

import checker
import checks
import lesson
import presence
import rollcall

GRACE = 3
HOUR = 3600


class Clock:
    """What a server under `environment` takes for the wall clock. Its monotonic clock is the real one."""

    def __init__(self, folder):
        self.file = folder / "clock"
        self.processes = []
        self.set(0)
        if not shutil.which("faketime"):
            raise RuntimeError("faketime is needed")
        library = subprocess.run(
            ["faketime", "-f", "+0", "printenv", "LD_PRELOAD"], capture_output=True, text=True, check=True).stdout.strip()
        self.environment = {
            "LD_PRELOAD": library, "FAKETIME_TIMESTAMP_FILE": str(self.file), "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1",
        }

    def start(self, server):
        """Starts a server that believes this clock.

        Through a shell, in which the library prepares itself: in the server's own process it would move the environment,
        behind which Swift then does not find the arguments.
        """
        server.start(["sh", "-c", 'exec "$0" "$@"'], self.environment)
        self.processes.append(server.process.pid)

    def close(self):
        """Removes what the library leaves behind when its process is killed."""
        for process in self.processes:
            for name in (f"faketime_shm_{process}", f"sem.faketime_sem_{process}"):
                pathlib.Path("/dev/shm", name).unlink(missing_ok=True)

    def set(self, seconds):
        # As a whole: the server must not read half of it.
        new = self.file.with_suffix(".new")
        new.write_text(f"{seconds:+d}\n")
        new.replace(self.file)


async def test(binary, folder):
    clock = Clock(folder)
    try:
        await test_steps(binary, folder, clock)
    finally:
        clock.close()


async def test_steps(binary, folder, clock):
    server = rollcall.Server(binary, folder / "server", GRACE, options=("--snapshot-interval", "700ms"))
    judge = checker.Checker()
    people = {}
    numbers = itertools.count()
    last = 0  # the newest `at`
    backwards = []

    async def come(*users):
        for user in users:
            people[user] = lesson.Person(server, judge, user)
            note((await people[user].enter("full"))["at"])

    def note(at):
        nonlocal last
        if at < last:
            backwards.append(f"{at} after {last}: {last - at} ms back")
        last = max(last, at)

    async def talk(seconds):
        """Everybody talks for so long; how far the server's time is from ours."""
        end = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < end:
            for user, person in list(people.items()):
                answer = await person.say(f"{user} {next(numbers)}", f"key {next(numbers)}")
                note(answer["at"])
            await asyncio.sleep(0.05)
        return answer["at"] - rollcall.now()

    async def restart(seconds):
        server.kill()
        for person in people.values():
            person.abandon()
        people.clear()
        clock.set(seconds)
        clock.start(server)
        await server.ready()
        joined, history = await rollcall.read_history(server)
        judge.verify(history, joined)

    def off(what, milliseconds, expected, slack=1000):
        checks.check(what, [] if abs(milliseconds - expected) <= slack else [f"{milliseconds} ms from our clock, and not {expected}"])

    # That the server believes this clock at all.
    clock.set(HOUR)
    probe = rollcall.Server(binary, folder / "probe", GRACE)
    clock.start(probe)
    await probe.ready()
    await rollcall.open_session(probe)
    person = lesson.Person(probe, checker.Checker(), "ann")
    off("a server takes the faked time for the time", (await person.enter())["at"] - rollcall.now(), HOUR * 1000)
    person.abandon()
    probe.kill()

    # Steps while people are in class.
    clock.set(0)
    clock.start(server)
    await server.ready()
    await rollcall.open_session(server)
    judge.status_changed(1)
    begun = rollcall.now()
    await come("ann", "bob", "cy", "dora")
    await talk(0.5)
    for step in (HOUR, -HOUR, 0):
        clock.set(step)
        off(f"a step to {step:+} s while people are in class changes no time", await talk(0.6), 0)
    # Lost in one hour, and back or not in another.
    clock.set(HOUR)
    lost = rollcall.now()
    people.pop("bob").abandon()
    people.pop("cy").abandon()
    await asyncio.sleep(0.5)
    clock.set(-HOUR)
    await talk(GRACE - 2)
    rows, now = await rollcall.attendance(server)
    checks.check("a step does not end a grace", [f"{user} is gone" for user in ("bob", "cy") if not rows[user]["is_active"]])
    await come("bob")
    clock.set(0)
    rows, now = await presence.wait_for_graces(server, ["cy"])
    took = rollcall.now() - lost
    checks.check("a step does not lengthen a grace", [] if GRACE * 1000 - 300 <= took <= GRACE * 1000 + 1500 else [f"{took} ms"])
    gone = presence.Stay(begun, (lost, lost))
    here = presence.Stay(begun)
    for user, stay in (("ann", here), ("bob", here), ("cy", gone)):
        checks.check(f"{user}'s attendance has the true length", presence.stay_problems(rows[user], [stay], now))
    checks.check("no time went back while the clock did", backwards)
    checks.check("nobody saw anything contradictory while the clock jumped", judge.violations)

    # A start with an earlier clock goes on at the last time on the disk.
    before = last
    killed = rollcall.now()
    await restart(-2 * HOUR)
    await come("ann", "bob")
    await talk(0.5)
    ahead = last - before
    checks.check("a start with an earlier clock goes on where the time was", [] if 0 <= ahead < 5000 else [f"{ahead} ms later"])
    rows, now = await presence.wait_for_graces(server, ["dora"])
    # The server's time is behind ours by the time that it was down: the rows are judged by its own.
    for user in ("ann", "bob", "dora"):
        problems = checker.attendance_problems(rows[user], now)
        problems += [] if len(rows[user]["segments"]) == 1 else [f"{rows[user]['segments']}"]
        length = killed - begun if user == "dora" else now - begun
        problems += [] if abs(rows[user]["milliseconds"] - length) < 2500 else [f"{rows[user]['milliseconds']} ms, and not {length}"]
        checks.check(f"{user}'s attendance after a start with an earlier clock", problems)

    # A start with a later clock takes it as the time that went by.
    await restart(2 * HOUR)
    await come("ann", "bob")
    off("a start with a later clock has its time", await talk(0.3), 2 * HOUR * 1000)
    rows, now = await rollcall.attendance(server)
    for user in ("ann", "bob"):
        problems = checker.attendance_problems(rows[user], now + 2 * HOUR * 1000)
        problems += [] if len(rows[user]["segments"]) == 1 else [f"{rows[user]['segments']}"]
        checks.check(f"{user}'s attendance after a start with a later clock", problems)
    # And back to the true time, which is now the earlier one.
    await restart(0)
    await come("ann", "bob")
    await talk(0.3)
    checks.check("no time ever went back", backwards)
    checks.check("nobody saw anything contradictory through all starts", judge.violations)
    checks.check("the server with a faked clock ends with 0", [] if await server.terminate() == 0 else [server.log_tail()])
