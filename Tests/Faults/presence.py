"""Attendance through kills, compared with what the people's own clocks say."""

import asyncio
import dataclasses

import checker
import checks
import lesson
import rollcall

GRACE = 3
#: How far the clocks of two ends may be apart, on a machine that is busy with other things.
SLACK = 400


@dataclasses.dataclass
class Stay:
    """One expected segment, by the person's own clock: when it begins, and between which times it ends (None: still here)."""

    begin: int
    end: tuple = None
    estimated: bool = False


def stay_problems(row, stays, now):
    """What is wrong with a row of the report, given what the person did."""
    if row is None:
        return ["is not in the report"] if stays else []
    problems = checker.attendance_problems(row, now)
    segments = row["segments"]
    if len(segments) != len(stays):
        return problems + [f"{len(segments)} segments and not {len(stays)}: {segments}"]
    total = 0
    for segment, stay in zip(segments, stays):
        begin = checker.milliseconds(segment["from"])
        if abs(begin - stay.begin) > SLACK:
            problems.append(f"begins {begin - stay.begin} ms off")
        if stay.end is None:
            if segment["to"] is not None:
                problems.append("has ended, though here")
            total += now - stay.begin
            continue
        if segment["to"] is None:
            problems.append("has not ended, though gone")
            continue
        end = checker.milliseconds(segment["to"])
        if not stay.end[0] - SLACK <= end <= stay.end[1] + SLACK:
            problems.append(f"ends {end - stay.end[1]} ms from the time it should")
        if segment["estimated"] != stay.estimated:
            problems.append(f"estimated is {segment['estimated']}")
        total += stay.end[1] - stay.begin
    # Each estimated end may cost a second, no more.
    allowed = SLACK + sum(SLACK + (1000 if stay.estimated else 0) for stay in stays)
    if abs(row["milliseconds"] - total) > allowed:
        problems.append(f"{row['milliseconds']} ms, and {total} by the person's own clock")
    return problems


async def wait_for_graces(server, gone):
    """Until those are shown as gone, or it takes too long; rows and the time."""
    for _ in range(int((GRACE + 6) / 0.1)):
        rows, now = await rollcall.attendance(server)
        if not any(rows[user]["is_active"] for user in gone if user in rows):
            break
        await asyncio.sleep(0.1)
    return rows, now


async def test(binary, folder, dice, rounds):
    for number in range(rounds):
        await one_round(binary, folder / str(number), dice, f"round {number}")


async def one_round(binary, folder, dice, where):
    """Eight people, three kills, two of them in a row, at times that the dice say."""
    server = rollcall.Server(binary, folder, GRACE, options=("--snapshot-interval", "700ms"))
    judge = checker.Checker()
    server.start()
    await server.ready()
    await rollcall.open_session(server)
    judge.status_changed(1)
    people = {}
    stays = {}

    async def come(*users):
        async def one(user):
            people[user] = lesson.Person(server, judge, user.split(".")[0])
            await people[user].enter()

        await asyncio.gather(*(one(user) for user in users))
        for user in users:
            stays.setdefault(user.split(".")[0], Stay(rollcall.now()))

    def lose(user):
        people.pop(user).abandon()
        return rollcall.now()

    def kill():
        server.kill()
        at = rollcall.now()
        for person in people.values():
            person.abandon()
        people.clear()
        return at

    async def start():
        server.start()
        await server.ready()

    await come("stays", "leaves", "lost", "returns", "cut", "later", "tabs.1", "tabs.2")
    await asyncio.sleep(dice.uniform(0.7, 1.5))
    at = rollcall.now()
    await people.pop("leaves").leave()
    stays["leaves"].end = (at, rollcall.now())
    at = lose("lost")
    stays["lost"].end = (at, at)
    lose("returns")
    lose("tabs.1")
    # Long enough for the server to notice, and well inside the grace.
    await asyncio.sleep(dice.uniform(0.3, 1.2))
    first = kill()
    await start()
    stays["cut"].end, stays["cut"].estimated = (first - 1000, first), True
    await come("stays", "returns", "later", "tabs.1", "late")
    await asyncio.sleep(dice.uniform(0.5, 1.5))
    second = kill()
    await start()
    # Nobody is back yet.
    await asyncio.sleep(dice.uniform(0, 0.3))
    kill()
    await start()
    for user in ("later", "late"):
        stays[user].end, stays[user].estimated = (second - 1000, second), True
    await come("stays", "returns", "tabs.1")
    gone = ("leaves", "lost", "cut", "later", "late")
    rows, now = await wait_for_graces(server, gone)
    for user, stay in stays.items():
        checks.check(f"{where}: attendance of one who {user}", stay_problems(rows.get(user), [stay], now))
    # Who was gone comes again: a second segment, and nothing of the time between.
    await come("cut", "lost")
    again = rollcall.now()
    rows, now = await rollcall.attendance(server)
    for user in ("cut", "lost"):
        checks.check(f"{where}: attendance of one who was {user} and came again", stay_problems(rows.get(user), [stays[user], Stay(again)], now))
    checks.check(f"{where}: nobody saw anything contradictory", judge.violations)
    for person in people.values():
        person.abandon()
    checks.check(f"{where}: the server ends with 0", [] if await server.terminate() == 0 else [server.log_tail()])
    # After a clean end the report is the same, and nothing in it is an estimate that was none before.
    await start()
    later, now = await rollcall.attendance(server)
    for user in ("leaves", "later", "late"):
        checks.check(f"{where}: attendance of one who {user}, after another start", [] if later[user] == rows[user] else [f"{rows[user]} became {later[user]}"])
    server.kill()
