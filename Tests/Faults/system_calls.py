"""kill -9 in front of the N-th call to the system that touches the disk, for every N; with strace.

strace counts each thread and each call for itself. So a kill at the first `pwrite64` always hits the thread that opens the
folder; the calls of the journal's and the snapshot's threads are reached through the file that they touch (`-P`).
"""

import asyncio
import re
import shutil

import checks
import lesson
import rollcall

#: Every call with which the server changes its data folder.
CALLS = ("openat", "pwrite64", "fdatasync", "fsync", "renameat", "unlinkat", "ftruncate", "mkdir", "flock")
#: Snapshots as often as can be, and the class into the history at its end.
OPTIONS = ("--snapshot-interval", "100ms", "--archive-after", "30ms")


def strace(log, *options):
    return ["strace", "-D", "-f", "--seccomp-bpf", "-qq", "-o", str(log), *options]


async def prepare(binary, folder):
    """A data folder in which a start has everything to do: snapshots, two segments, a torn end, leftovers of a crash."""
    server = rollcall.Server(binary, folder / "first", options=OPTIONS)
    server.start()
    await server.ready()
    first = lesson.Lesson(server, "before", rounds=12, ends=False)
    if not await first.run():
        raise RuntimeError(f"the lesson broke off: {server.log_tail()}")
    await asyncio.sleep(0.3)
    server.kill()
    journal = sorted(server.data.glob("journal-*"))[-1]
    with open(journal, "ab") as file:
        file.write(bytes(range(100)))
    (server.data / "journal-00000000000000009999.rcj.tmp").write_bytes(b"half")
    return server.data, first


async def counts(binary, folder, template):
    """How often each call is made by the thread that makes it most."""
    server = await start_on_copy(binary, folder / "counted", template, strace(folder / "calls", "-e", "trace=" + ",".join(CALLS)))
    await server.ready()
    await lesson.Lesson(server, "counted").run()
    await asyncio.sleep(0.3)
    server.kill()
    found = {}
    for line in (folder / "calls").read_text().splitlines():
        call = re.match(r"(\d+) +(\w+)\(", line)
        if call:
            key = call[2], call[1]
            found[key] = found.get(key, 0) + 1
    return {name: max([count for (call, _), count in found.items() if call == name], default=0) for name in CALLS}


async def start_on_copy(binary, folder, template, prefix):
    folder.mkdir()
    shutil.copytree(template, folder / "data")
    server = rollcall.Server(binary, folder, options=OPTIONS)
    server.start(prefix)
    return server


async def ready_or_gone(server):
    """Whether the server came up; it may be killed before."""
    try:
        await server.ready()
        return True
    except RuntimeError:
        return False


async def kill_at(binary, folder, template, earlier, call, number):
    """One server that dies at this call; whether it did."""
    where = f"kill -9 at {call} number {number}"
    server = await start_on_copy(
        binary, folder / "run", template, strace("/dev/null", "-e", f"inject={call}:signal=KILL:when={number}"))
    now = lesson.Lesson(server, "now")
    if await ready_or_gone(server):
        await now.run()
    if now.is_done:
        # Snapshots are taken behind it.
        for _ in range(20):
            if not server.is_running:
                break
            await asyncio.sleep(0.01)
    died = not server.is_running
    if not died:
        server.kill()
    elif server.process.returncode != -9:
        checks.check(where, [f"the server ended with {server.process.returncode}: {server.log_tail()}"])
        return died
    server.start()
    try:
        await server.ready()
        problems = await earlier.verify(server) + await now.verify(server)
        problems += [] if await server.terminate() == 0 else [f"the next one ends badly: {server.log_tail()}"]
    except Exception as error:
        problems = [f"{type(error).__name__}: {error}"]
    checks.check(where, problems)
    shutil.rmtree(server.folder)
    return died


async def test(binary, folder, dice, sample=None):
    """All of them, or a random sample."""
    template, earlier = await prepare(binary, folder)
    places = [(call, number) for call, count in (await counts(binary, folder, template)).items() for number in range(1, count + 2)]
    if sample is not None:
        places = sorted(dice.sample(places, min(sample, len(places))))
    died = 0
    for call, number in places:
        died += await kill_at(binary, folder, template, earlier, call, number)
    checks.check("strace killed the server at all", [] if died > len(places) // 2 else [f"{died} times in {len(places)}"])
    checks.say(f"{died} kills at {len(places)} system calls")
