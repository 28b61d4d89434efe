"""A short class after a script, and what must be true of it when the server was cut off at any point of it."""

import asyncio
import itertools
import json
import urllib.error

import websockets.exceptions

import checker
import rollcall

#: What a client sees of a server that dies.
GONE = (OSError, EOFError, asyncio.TimeoutError, websockets.exceptions.WebSocketException, urllib.error.URLError)


class Refused(Exception):
    """An error message in answer to a command."""

    def __init__(self, message):
        super().__init__(f"{message['code']}: {message['message']}")
        self.message = message
        self.code = message["code"]


class Person:
    """One connection whose commands can be awaited. Everything that it is told goes to the judge."""

    def __init__(self, server, judge, user, role="participant", session=rollcall.SESSION):
        self.server = server
        self.judge = judge
        self.user = user
        self.session = session
        self.bearer = rollcall.token(user, role)
        self.connection = self.reading = self.joined = self.close_code = None
        self.before = None  # the position from which it asks to go on
        self.answers = {}
        self.ids = itertools.count(1)
        self.received = []  # whatever is neither an answer nor a durable event

    async def enter(self, presence="none", **more):
        """Connects and joins; `session.joined`."""
        self.connection = await rollcall.connect(self.server)
        self.reading = asyncio.create_task(self._read(self.connection))
        await self.connection.send(json.dumps({"type": "hello", "token": self.bearer}))
        self.joined = await self.command("session.join", session=self.session, presence=presence, **more)
        return self.joined

    async def command(self, name, /, **fields):
        """Sends a command and waits for its answer."""
        number = next(self.ids)
        answer = self.answers[number] = asyncio.get_running_loop().create_future()
        await self.connection.send(json.dumps({"type": name, "id": number, **fields}))
        if self.reading.done():
            raise ConnectionResetError("the connection has ended")
        return await asyncio.wait_for(answer, rollcall.PATIENCE)

    async def say(self, text, key):
        """`chat.send`, judged."""
        self.judge.will_send(self.user, text)
        try:
            answer = await self.command("chat.send", text=text, key=key)
        except Refused as refusal:
            if refusal.message.get("details", {}).get("outcome") == "unknown":
                self.judge.is_uncertain(text)
            else:
                self.judge.was_refused(text, refusal.code)
            raise
        except GONE:
            self.judge.is_uncertain(text)
            raise
        self.judge.was_acknowledged(text, checker.Answer(answer["seq"], answer["at"], answer["message_id"]))
        return answer

    async def leave(self):
        """Says good-bye and closes."""
        await self.command("session.leave")
        await self.close()

    async def close(self):
        if self.connection:
            await self.connection.close()
            await asyncio.gather(self.reading, return_exceptions=True)

    def abandon(self):
        """Closes without a word."""
        if self.connection:
            self.connection.transport.abort()
            self.reading.cancel()

    async def _read(self, connection):
        try:
            while True:
                message = json.loads(await connection.recv())
                kind = message["type"]
                if kind == "session.joined" and message["state"] == "present":
                    if self.before is None:
                        self.judge.joined(self, message)
                    else:
                        self.judge.came_back(self, self.before, message)
                answer = self.answers.pop(message.get("id"), None)
                if answer is not None and not answer.done():
                    if kind == "error":
                        answer.set_exception(Refused(message))
                    else:
                        answer.set_result(message)
                elif kind in ("chat.message", "session.status") and "seq" in message:
                    self.judge.event(self, message)
                elif answer is None:
                    self.received.append(message)
        except (websockets.exceptions.ConnectionClosed, OSError) as closed:
            received = getattr(closed, "rcvd", None)
            self.close_code = received.code if received else None
        finally:
            for answer in self.answers.values():
                if not answer.done():
                    answer.set_exception(ConnectionResetError("the connection has ended"))
                    answer.exception()  # nobody may be waiting for it any more


class Lesson:
    """Three people: they come, talk, one goes and comes back, the class ends. Short, and never the same session twice."""

    users = ("ann", "bob", "cy")

    def __init__(self, server, name, rounds=6, ends=True):
        self.server = server
        self.name = name
        self.rounds = rounds
        self.ends = ends
        self.judge = checker.Checker()
        self.is_created = None  # None: asked for, no answer
        self.pending = {}  # key -> (user, text): sent, and not answered
        self.came = set()  # who is in
        self.is_done = False
        self.is_over = False

    async def run(self):
        """Until the end, or until the server is gone; whether the end was reached."""
        people = []
        try:
            await self._open()
            people = [Person(self.server, self.judge, user, session=self.name) for user in self.users]
            for person in people:
                await self._enter(person)
            for number in range(self.rounds):
                await asyncio.gather(*(self._say(person, f"{self.name}/{person.user}/{number}") for person in people))
                if number == self.rounds // 2:
                    self.came.discard(people[2].user)
                    await people[2].leave()
                    people[2] = Person(self.server, self.judge, people[2].user, session=self.name)
                    await self._enter(people[2])
            if self.ends:
                await self._change("end")
                self.is_over = True
            self.is_done = True
        except GONE:
            pass
        finally:
            for person in people:
                person.abandon()
            await asyncio.sleep(0)
        return self.is_done

    async def _post(self, path, body=None):
        return await asyncio.to_thread(
            self.server.request, "POST", f"/api/sessions/{path}", rollcall.token("host", "host"), body, 10)

    async def _open(self):
        status, answer = await self._post("", {"id": self.name, "title": "Class", "admission": "open"})
        if status != 201:
            raise RuntimeError(f"cannot create the session: {status} {answer}")
        self.is_created = True
        await self._change("start")

    async def _change(self, verb):
        self.judge.will_change_session()
        status, answer = await self._post(f"{self.name}/{verb}/")
        if status != 200:
            raise RuntimeError(f"cannot {verb} the session: {status} {answer}")
        status, shown = await asyncio.to_thread(
            self.server.request, "GET", f"/api/sessions/{self.name}/", rollcall.token("host", "host"), None, 10)
        if status != 200:
            raise RuntimeError(f"the session is {status} after {verb}")
        self.judge.session_changed(shown)
        # Its event has a number, which nobody present may have seen.
        if verb == "start":
            self.judge.status_changed(1)

    async def _enter(self, person):
        await person.enter()
        self.came.add(person.user)

    async def _say(self, person, text):
        key = f"key-{text}"
        self.pending[key] = (person.user, text)
        await person.say(text, key)
        del self.pending[key]

    async def verify(self, server):
        """Judges by a server that was started after the end of the one that the lesson ran on; sentences."""
        status, shown = await asyncio.to_thread(
            server.request, "GET", f"/api/sessions/{self.name}/", rollcall.token("host", "host"))
        if status == 404 and not self.is_created:
            return []
        if status != 200:
            return [f"the session was created, and now it is {status}"]
        if shown["rev"] == 1:
            return [] if self.judge.session is None else ["the session was started, and now is not"]
        joined, history = await rollcall.read_history(server, self.name)
        self.judge.verify(history, joined)
        problems = list(self.judge.violations)
        problems += await self._attendance_problems(server)
        if shown["status"] == "ongoing":
            problems += await self._repeat(server)
        return problems

    async def _attendance_problems(self, server):
        rows, at = await rollcall.attendance(server, self.name)
        problems = []
        for user in self.came:
            row = rows.get(user)
            if row is None:
                problems.append(f"{user} was in, and is not in the report")
                continue
            problems += [f"{user}: {problem}" for problem in checker.attendance_problems(row, at, is_away=True)]
            if not self.judge.asked and not self.is_over and not row["is_active"]:
                problems.append(f"{user} was in a moment ago, and is not active")
            if self.is_over and row["is_active"]:
                problems.append(f"the class is over, and {user} is active")
        return problems

    async def _repeat(self, server):
        """Repeats what was not answered, with its key: whatever became of it, now it is there once."""
        people = {}
        try:
            for key, (user, text) in list(self.pending.items()):
                if user not in people:
                    people[user] = Person(server, self.judge, user, session=self.name)
                    await people[user].enter()
                await people[user].say(text, key)
            joined, history = await rollcall.read_history(server, self.name)
            self.judge.verify(history, joined)
            missing = [text for user, text in self.pending.values() if text not in {shown["text"] for shown in history}]
            self.pending.clear()
            return list(self.judge.violations) + [f"{text!r} was repeated, and is not there" for text in missing]
        finally:
            for person in people.values():
                await person.close()
