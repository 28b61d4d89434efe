"""Hundreds of clients lose their connections, their server, or both; all come back where they stopped, within seconds."""

import asyncio
import json
import random
import time

import checker
import checks
import lesson
import rollcall

GRACE = 20
TALKERS = 5
#: In seconds: until everybody is back.
BACK = 10


class Sheep(rollcall.Chatter):
    """Says little, signals to the next one, and comes back whenever it is cut off."""

    def __init__(self, user, server, judge, dice, herd):
        super().__init__(user, "1", server, judge, dice)
        self.herd = herd
        # Few talk: each message goes to all, and all of them are this one process.
        self.pause = (0.2, 0.6) if len(herd) < TALKERS else (30, 60)
        self.patience = 0.15
        self.forgets = 0
        self.is_called_off = False
        self.may_return = asyncio.Event()
        self.may_return.set()
        self.sent = 0
        self.answered_signals = set()  # (peer, number) that were taken in
        self.received = {}  # sender -> numbers, in order

    async def live_on(self):
        while not self.is_called_off:
            try:
                await self.live()
            except Exception as error:  # one that breaks off would only be missed
                self.judge.violation(f"{self.name}: {type(error).__name__}: {error}")
                return
            self.is_in.clear()
            await asyncio.sleep(self.random.uniform(0, 0.3))
            await self.may_return.wait()

    async def speak(self, connection):
        signalling = asyncio.create_task(self.signal(connection))
        try:
            await super().speak(connection)
        finally:
            signalling.cancel()
            await asyncio.gather(signalling, return_exceptions=True)

    async def signal(self, connection):
        while True:
            await asyncio.sleep(self.random.uniform(0.3, 3))
            neighbour = self.herd[(self.herd.index(self) + 1) % len(self.herd)]
            if neighbour.joined is None:
                continue
            self.next_id += 1
            self.sent += 1
            peer = neighbour.joined["peer"]
            self.signals[self.next_id] = (peer, self.sent)
            await connection.send(json.dumps(
                {"type": "signal", "id": self.next_id, "to": peer, "kind": "candidate", "payload": [self.user, self.sent]}))

    def signalled(self, message):
        sender, number = message["payload"]
        numbers = self.received.setdefault(sender, [])
        if numbers and number <= numbers[-1]:
            self.judge.violation(f"{self.name}: signal {number} of {sender} after {numbers[-1]}")
        numbers.append(number)

    def signal_answered(self, payload, is_ok):
        if is_ok:
            self.answered_signals.add(payload)


async def everybody(herd, judge, what):
    """Waits until all are in and have all they missed; how long that took."""
    begun = time.monotonic()
    while True:
        out = [one for one in herd if not one.is_in.is_set()]
        missing = judge.missing()
        took = time.monotonic() - begun
        if not out and not missing or judge.violations:
            break
        if took > 3 * BACK:
            checks.check(what, [f"{len(out)} are out, {len(missing)} lack events"])
            return took
        await asyncio.sleep(0.02)
    checks.check(what, [f"took {took:.1f} s"] if took > BACK else [])
    return took


async def test(binary, folder, dice, size, rounds):
    server = rollcall.Server(binary, folder, GRACE, options=("--snapshot-interval", "1s"))
    judge = checker.Checker()
    server.start()
    await server.ready()
    await rollcall.open_session(server)
    judge.status_changed(1)
    herd = []
    for number in range(size):
        herd.append(Sheep(f"s{number:03}", server, judge, random.Random(dice.random()), herd))
    lives = [asyncio.create_task(one.live_on()) for one in herd]
    await everybody(herd, judge, f"{size} clients come in")
    checks.check("resumes of nobody", [f"{judge.recovered}"] if judge.recovered else [])
    slowest = 0
    for number in range(rounds):
        for what in ("kill", "drop", "sigterm"):
            before, refused = judge.recovered, len(judge.refused_resumes)
            known = judge.snapshot()
            peers = {one.name: one.joined["peer"] for one in herd}
            cut = dice.sample(herd, size // 3) if what == "drop" else herd
            if what == "drop":
                for one in herd:
                    one.answered_signals.clear()
                for one in cut:
                    one.is_in.clear()
                    one.may_return.clear()
                    one.connection.transport.abort()
                await say_something(server, judge, number)
                for one in cut:
                    one.may_return.set()
            else:
                if what == "kill":
                    server.kill()
                else:
                    checks.check("a server with a herd ends with 0", [] if await server.terminate() == 0 else [server.log_tail()])
                for one in cut:
                    one.is_in.clear()
                server.start()
                await server.ready()
            slowest = max(slowest, await everybody(cut, judge, f"round {number}: everybody is back after a {what}"))
            problems = [f"not recovered: {reason}" for reason in judge.refused_resumes[refused:]]
            if judge.recovered - before < len(cut):
                problems.append(f"{judge.recovered - before} resumes of {len(cut)}")
            problems += [f"{one.name} was {peers[one.name]} and is {one.joined['peer']}" for one in cut if one.joined["peer"] != peers[one.name]]
            checks.check(f"round {number}: all went on where they stopped after a {what}", problems)
            if what == "drop":
                await asyncio.sleep(2)
                checks.check(f"round {number}: no signal is lost to who comes back", lost_signals(herd))
            else:
                joined, history = await rollcall.read_history(server)
                violations = len(judge.violations)
                judge.verify(history, joined, known)
                checks.check(f"round {number}: what was said is still true after a {what}", judge.violations[violations:])
    await test_takeover(server, judge, herd[0])
    await test_forgery(server, judge)
    await test_presence(server, herd)
    for one in herd:
        one.is_called_off = True
    code = await server.terminate()
    await asyncio.wait_for(asyncio.gather(*lives), rollcall.PATIENCE)
    checks.check("there was something to miss", [] if judge.caught_up else ["nobody who came back had missed anything"])
    checks.check("nobody of the herd saw anything contradictory", judge.violations)
    checks.check("the server of the herd ends with 0", [] if code == 0 else [server.log_tail()])
    checks.say(f"{size} clients: {judge.recovered} resumes, {len(judge.acknowledged)} messages, {judge.events} events, slowest return {slowest:.1f} s")


async def say_something(server, judge, number):
    """For who is away to miss."""
    person = lesson.Person(server, judge, f"caller{number}")
    await person.enter()
    await person.say(f"you missed this {number}", f"missed-{number}")
    await person.close()


def lost_signals(herd):
    """Signals that were taken in for somebody who was away for a moment, and did not arrive."""
    problems = []
    for index, one in enumerate(herd):
        neighbour = herd[(index + 1) % len(herd)]
        received = set(neighbour.received.get(one.user, ()))
        newest = max(received, default=0)
        lost = [number for peer, number in one.answered_signals if peer == neighbour.joined["peer"] and number <= newest and number not in received]
        if lost:
            problems.append(f"{neighbour.name} never got {lost} of {one.name}")
    if not any(one.answered_signals for one in herd):
        problems.append("nobody signalled")
    return problems


async def test_takeover(server, judge, sheep):
    """A newer connection with the token takes over; the older one is told so, and its end changes nothing."""
    first = lesson.Person(server, judge, "twice")
    joined = await first.enter()
    position = judge.position(first, joined)
    second = lesson.Person(server, judge, "twice")
    second.before = position
    again = await second.enter(**rollcall.resume(joined["resume_token"], position))
    await asyncio.wait_for(asyncio.gather(first.reading, return_exceptions=True), rollcall.PATIENCE)
    checks.check("a newer connection takes over", [] if again["recovered"] and again["peer"] == joined["peer"] else [f"{again}"])
    checks.check("the older one is closed with 4003", [] if first.close_code == 4003 else [f"{first.close_code}"])
    await second.say("still here", "still-here")
    await second.close()


async def test_forgery(server, judge):
    """A token that is not ours, or not theirs, lets in as a plain join does, and nothing is recovered."""
    first = lesson.Person(server, judge, "owner")
    joined = await first.enter()
    token = joined["resume_token"]
    position = judge.position(first, joined)
    for what, user, forged in (
        ("a forged token", "owner", token[:-2] + ("A" if token[-2] != "A" else "B") + token[-1]),
        ("somebody else's token", "thief", token),
        ("a token that is no token", "owner", "x"),
    ):
        person = lesson.Person(server, judge, user)
        person.before = position
        answer = await person.enter(**rollcall.resume(forged, position))
        problems = [] if answer.get("not_recovered") == "token_invalid" else [f"not_recovered is {answer.get('not_recovered')!r}"]
        problems += ["the peer is another's"] if answer["peer"] == joined["peer"] else []
        problems += [] if "chat" in answer else ["no chat"]
        checks.check(f"{what} recovers nothing", problems)
        await person.close()
    ahead = checker.Position(position.epoch, position.room + 1000, 0, position.peer)
    person = lesson.Person(server, judge, "owner")
    person.before = ahead
    answer = await person.enter(**rollcall.resume(token, ahead))
    checks.check("numbers from the future recover nothing", [] if answer.get("not_recovered") == "ahead" else [f"{answer.get('not_recovered')!r}"])
    await person.close()
    await first.close()


async def test_presence(server, herd):
    """After all that everybody is there once, with one connection, and has been here all the time."""
    watcher = lesson.Person(server, checker.Checker(), "watcher", "admin")
    watcher.bearer = rollcall.token("watcher", "observer", rollcall.SESSION)
    joined = await watcher.enter("full")
    shown = list(joined["presence"]["participants"])
    following = joined["presence"]["next"]
    while following is not None:
        page = await watcher.command("presence.page", after=following)
        shown += page["participants"]
        following = page["next"]
    await watcher.close()
    users = {participant["user"]: participant for participant in shown}
    problems = [f"{one.user} is not shown" for one in herd if one.user not in users]
    problems += [f"{one.user} has peers {users[one.user]['peers']}" for one in herd if one.user in users and users[one.user]["peers"] != [one.joined["peer"]]]
    problems += [f"{one.user} is reconnecting" for one in herd if users.get(one.user, {}).get("reconnecting")]
    checks.check("everybody is there once", problems)
    rows, now = await rollcall.attendance(server)
    problems = []
    for one in herd:
        problems += [f"{one.user}: {problem}" for problem in checker.stayed_problems(rows[one.user], one.first_join, now, slack=2500)]
    checks.check("everybody was here all the time", problems)
