"""Record, sync, answer: in this order, for every answer and event of a busy class, proved from a trace."""

import asyncio
import dataclasses

import checks
import lesson
import rollcall
import trace


async def test(binary, folder, dice, messages):
    log = folder / "trace"
    server = rollcall.Server(binary, folder, options=("--snapshot-interval", "300ms"))
    server.start(["strace", "-D", "-f", "-qq", "-y", "-xx", "-s", "1000000", "-o", str(log), "-e", f"trace={trace.CALLS}"])
    await server.ready()
    class_ = lesson.Lesson(server, rollcall.SESSION, rounds=messages // 3, ends=False)
    watcher = lesson.Person(server, class_.judge, "wendy", "admin")

    async def watch():
        """Sees everything, from the beginning to the end."""
        while class_.judge.session is None:
            await asyncio.sleep(0.01)
        await watcher.enter("full")
        while not class_.is_done:
            await asyncio.sleep(0.05)
        # Presence is told in intervals.
        await asyncio.sleep(0.6)
        await class_._change("end")

    if not (await asyncio.gather(class_.run(), watch()))[0]:
        checks.check("the traced class", [f"broke off: {server.log_tail()}"])
    code = await server.terminate()
    lines = log.read_text().splitlines()
    problems, proved = trace.violations(lines)
    checks.check("every answer and event comes after the sync of its record", problems + class_.judge.violations)
    few = [kind for kind in ("ok", "chat.message", "session.joined", "presence.diff", "session.status", "HTTP") if not proved.get(kind)]
    checks.check("the trace shows answers, events and joins", [f"there is no {kind} in it" for kind in few])
    checks.check("every message that was acknowledged is proved", [
        f"{len(class_.judge.acknowledged)} were acknowledged, {proved.get('ok', 0)} proved"] if proved.get("ok", 0) < len(class_.judge.acknowledged) else [])
    checks.check("the traced server ends with 0", [] if code == 0 else [server.log_tail()])
    plant(lines, dice)
    checks.say(", ".join(f"{count} {kind}" for kind, count in sorted(proved.items())) + " proved")


def plant(lines, dice):
    """The same trace with a fault in it must not pass."""
    calls = trace.calls(lines)
    syncs = [call for call in calls if call.name == "fdatasync" and "journal-" in call.target[1]]
    some = dice.sample(syncs, min(6, len(syncs)))
    # Not every batch holds something that anybody was told of; most do.
    found = sum(bool(trace.violations_of([call for call in calls if call is not sync])[0]) for sync in some)
    checks.check("a trace with one sync taken out does not pass", [] if found >= len(some) / 2 else [f"it passes {len(some) - found} times in {len(some)}"])
    failed = [dataclasses.replace(call, result=-1) if call.name == "fdatasync" else call for call in calls]
    late = [call for call in calls if call.name != "fsync"]
    for what, changed in (("every sync failed", failed), ("the folder never synced", late)):
        checks.check(f"a trace with {what} does not pass", [] if trace.violations_of(changed)[0] else ["it passes"])
