"""Kills a real server at random moments and ends it under load; nothing that it ever said may become untrue."""

import asyncio
import random
import time

import rollcall
from checker import Checker, left_problems, stayed_problems
from checks import check, say

USERS = 19  # and one of them has two tabs: 20 connections
GRACE = 8


def make_chatters(server, judge, dice, users=USERS):
    """One connection for each of these people, and a second one for the last."""
    names = [f"u{number:02}" for number in range(users)]
    tabs = [(name, "1") for name in names] + [(names[-1], "2")]
    return [rollcall.Chatter(user, tab, server, judge, random.Random(dice.random())) for user, tab in tabs]


async def everybody_is_in(chatters):
    await asyncio.wait_for(asyncio.gather(*(chatter.is_in.wait() for chatter in chatters)), rollcall.PATIENCE)


async def test_kills(binary, folder, kills, seed):
    """kill -9 at random moments; after each, everything that anybody was told is still true."""
    dice = random.Random(seed)
    server = rollcall.Server(binary, folder, GRACE)
    judge = Checker()
    chatters = make_chatters(server, judge, dice)
    # Three people are cut off by a kill and never come back.
    leavers = {}
    for chatter in chatters[:3]:
        leavers[chatter.user] = dice.randrange(kills // 4, max(kills // 4 + 1, kills - 2))
    killed_at = {}
    started = time.monotonic()
    server.start()
    await server.ready()
    await rollcall.open_session(server)
    judge.status_changed(1)
    session = None
    slowest_start = 0
    for number in range(kills + 1):
        known = judge.snapshot()
        here = [chatter for chatter in chatters if leavers.get(chatter.user, kills) >= number]
        if number > 0:
            server.start()
        is_last = number == kills
        # One in eight is killed while it still starts; else after people are back, or while they come back.
        kind = "last" if is_last else dice.choice(["start", "storm", *["chat"] * 6]) if number > 0 else "chat"
        moment = dice.uniform(0, 0.08) if kind == "start" else dice.uniform(0, 0.3) if kind == "storm" else dice.uniform(0.1, 1.2)
        lives = [asyncio.create_task(chatter.live()) for chatter in here]
        if kind != "start":
            slowest_start = max(slowest_start, await server.ready())
            joined, history = await rollcall.read_history(server)
            before = len(judge.violations)
            judge.verify(history, joined, known if number > 0 else None)
            session = joined["session"]
            check(f"seed {seed}, after kill {number}: what was said is still true", judge.violations[before:])
        if kind in ("chat", "last"):
            await everybody_is_in(here)
        if is_last:
            break
        await asyncio.sleep(moment)
        server.kill()
        at = rollcall.now()
        for user, last in leavers.items():
            if last == number:
                killed_at[user] = at
        await asyncio.wait_for(asyncio.gather(*lives), rollcall.PATIENCE)
        if judge.violations:
            print(f"  kill {number} ({kind}, {moment:.3f} s), seed {seed}; the server's log ends with\n{server.log_tail()}")
            break

    check(f"seed {seed}: nobody saw anything contradictory", judge.violations)
    check(f"seed {seed}: every resume was honoured", [f"{reason}" for reason in judge.refused_resumes] or ([] if judge.recovered else ["there was none"]))
    check(f"seed {seed}: the session is what it was", [] if session and session["status"] == "ongoing" and session["rev"] == 2 else [f"{session}"])
    if not judge.violations:
        await check_attendance(server, chatters, leavers, killed_at, seed)
    code = await server.terminate()
    await asyncio.wait_for(asyncio.gather(*lives), rollcall.PATIENCE)
    check(f"seed {seed}: the server ends cleanly in the end", [] if code == 0 else [f"exit {code}: {server.log_tail()}"])
    retries = sum(chatter.retries for chatter in chatters)
    say(
        f"{kills} kills in {time.monotonic() - started:.0f} s, seed {seed}: {len(judge.acknowledged)} messages acknowledged, {judge.recovered} resumes, "
        f"{judge.events} events received, {retries} retries, slowest start {slowest_start * 1000:.0f} ms")


async def check_attendance(server, chatters, leavers, killed_at, seed):
    """After the grace of the last start: who always came back was here all the time, who did not left at the kill."""
    deadline = time.monotonic() + GRACE + 15
    while True:
        rows, now = await rollcall.attendance(server)
        if all(not rows[user]["is_active"] for user in leavers) or time.monotonic() > deadline:
            break
        await asyncio.sleep(0.25)
    first = {}
    for chatter in chatters:
        if chatter.first_join is not None:
            first[chatter.user] = min(first.get(chatter.user, chatter.first_join), chatter.first_join)
    for user in sorted(first):
        row = rows.get(user)
        if row is None:
            check(f"seed {seed}: attendance of {user}", ["is not in the report"])
        elif user in leavers:
            check(f"seed {seed}: attendance of {user}, who was cut off at kill {leavers[user]}", left_problems(row, first[user], killed_at[user], now))
        else:
            check(f"seed {seed}: attendance of {user}, who always came back", stayed_problems(row, first[user], now))
    unknown = set(rows) - set(first) - {"host"}
    check(f"seed {seed}: nobody else is in the report", [f"{user} is" for user in unknown])


async def test_sigterm(binary, folder, seed):
    """SIGTERM while everybody talks: told, closed with 1012 or 1001, everything acknowledged is kept, exit 0."""
    server = rollcall.Server(binary, folder, GRACE)
    judge = Checker()
    chatters = make_chatters(server, judge, random.Random(seed))
    server.start()
    await server.ready()
    await rollcall.open_session(server)
    judge.status_changed(1)
    lives = [asyncio.create_task(chatter.live()) for chatter in chatters]
    await everybody_is_in(chatters)
    await asyncio.sleep(0.5)
    start = time.monotonic()
    code = await server.terminate()
    took = time.monotonic() - start
    await asyncio.wait_for(asyncio.gather(*lives), rollcall.PATIENCE)
    problems = [] if code == 0 else [f"exit {code}: {server.log_tail()}"]
    problems += [f"took {took:.1f} s"] if took > 10 else []
    check("SIGTERM under load ends with 0, within 10 s", problems)
    check("everybody is told that the server drains", [f"{one.name} was not" for one in chatters if one.drained is None])
    check("everybody is closed with 1012 or 1001", [f"{one.name}: {one.close_code}" for one in chatters if one.close_code not in (1012, 1001)])
    server.start()
    await server.ready()
    joined, history = await rollcall.read_history(server)
    judge.verify(history, joined)
    check("after SIGTERM everything is still there", judge.violations)
    check("after SIGTERM something was there at all", [] if judge.acknowledged else ["nobody got an answer"])
    check("the server started again ends with 0", [] if await server.terminate() == 0 else [server.log_tail()])
