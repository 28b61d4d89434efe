"""A Rollcall server as a child process, and clients that chat with it."""

import asyncio
import base64
import collections
import hashlib
import hmac
import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request

import websockets.asyncio.client
import websockets.exceptions

import checker

SECRET = "the secret of the fault tests, 32 bytes and more"
SESSION = "class"
PATIENCE = 30


def token(user, role="participant", session=None, name=None):
    """A JWT (RFC 7519) for somebody, valid for a day."""
    claims = {"sub": user, "name": name or user.title(), "role": role, "exp": int(time.time()) + 86400}
    if session:
        claims["session"] = session

    def encode(data):
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    signed = encode(b'{"alg":"HS256","typ":"JWT"}') + "." + encode(json.dumps(claims).encode())
    return signed + "." + encode(hmac.new(SECRET.encode(), signed.encode(), hashlib.sha256).digest())


def now():
    """Unix milliseconds."""
    return round(time.time() * 1000)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A server on one data folder and port, which can be killed and started again."""

    every = []

    def __init__(self, binary, folder, grace=8, data=None, options=()):
        self.binary = binary
        self.folder = folder
        self.data = data or folder / "data"
        self.port = free_port()
        self.grace = grace
        self.options = list(options)
        folder.mkdir(exist_ok=True)
        (folder / "secret").write_text(SECRET)
        self.log_path = folder / "log"
        self.log_start = 0
        self.process = None
        Server.every.append(self)

    def command(self, port=None, data=None):
        return [
            self.binary, "serve", "--data", str(data or self.data), "--port", str(port or self.port),
            "--secret-file", str(self.folder / "secret"), "--loops", "2", "--grace", f"{self.grace}s", *self.options,
        ]

    def start(self, prefix=(), environment=None):
        """Starts the process, without waiting for it to be ready.

        `prefix` is a command that executes the server in its own place (`strace -D`), so that the process stays ours.
        """
        with open(self.log_path, "a") as log:
            self.log_start = log.tell()
            self.process = subprocess.Popen(
                [*prefix, *self.command()], stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder,
                env=None if environment is None else {**os.environ, **environment})

    async def ready(self):
        """Waits until the server answers; how long that took, in seconds."""
        start = time.monotonic()
        while True:
            if self.process.poll() is not None:
                raise RuntimeError(f"the server ended with {self.process.returncode}: {self.log_tail()}")
            try:
                status, _ = await asyncio.to_thread(self.request, "GET", "/ready")
                if status == 200:
                    return time.monotonic() - start
            except OSError:
                pass
            if time.monotonic() - start > PATIENCE:
                raise RuntimeError(f"the server is not ready after {PATIENCE} s: {self.log_tail()}")
            await asyncio.sleep(0.01)

    def log(self):
        """What the server has said since its last start."""
        with open(self.log_path, errors="replace") as log:
            log.seek(self.log_start)
            return log.read()

    def log_tail(self):
        return self.log_path.read_text(errors="replace")[-1500:]

    @property
    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    @classmethod
    def kill_all(cls):
        """Leaves no process behind, whatever happened."""
        for server in cls.every:
            if server.is_running:
                server.kill()
        cls.every.clear()

    async def terminate(self):
        """Sends SIGTERM; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return await asyncio.to_thread(self.process.wait, PATIENCE)

    @property
    def url(self):
        return f"ws://127.0.0.1:{self.port}/ws"

    def request(self, method, path, bearer=None, body=None, patience=PATIENCE):
        """One HTTP request; status and parsed body (text when it is no JSON)."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", method=method)
        if bearer:
            request.add_header("Authorization", f"Bearer {bearer}")
        data = None if body is None else json.dumps(body).encode()
        if data is not None:
            request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, data, timeout=patience) as response:
                return response.status, json.loads(response.read() or b"null")
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or b"null")


class Unavailable(OSError):
    """The server cannot let anybody in now."""


def resume(token, position):
    """What `session.join` carries to go on from there."""
    if token is None:
        return {}
    return {"resume": {
        "token": token, "epoch": position.epoch, "streams": {"room": position.room}, "signal_seq": position.signal}}


async def connect(server):
    return await websockets.asyncio.client.connect(
        server.url, subprotocols=["rollcall.v1"], compression=None, proxy=None, ping_interval=None, open_timeout=PATIENCE,
        close_timeout=1, max_size=2**24)


async def enter(server, bearer, session=SESSION, **more):
    """Opens a connection and joins the session; the connection and `session.joined`."""
    connection = await connect(server)
    await connection.send(json.dumps({"type": "hello", "token": bearer}))
    await connection.send(json.dumps({"type": "session.join", "id": 1, "session": session, "presence": "none", **more}))
    while True:
        message = json.loads(await asyncio.wait_for(connection.recv(), PATIENCE))
        if message["type"] == "session.joined":
            return connection, message
        if message["type"] == "error":
            connection.transport.abort()
            if message["code"] == "storage_unavailable":
                raise Unavailable(message["message"])
            raise RuntimeError(f"cannot join: {message}")


async def read_history(server, session=SESSION):
    """What a server shows now to somebody who only reads: `session.joined` and every chat message, ascending."""
    connection, joined = await enter(server, token("watcher", "observer", session), session)
    messages = []
    before = None
    try:
        while True:
            command = {"type": "chat.history", "id": 2, "limit": 100}
            if before is not None:
                command["before"] = before
            await connection.send(json.dumps(command))
            while True:
                answer = json.loads(await asyncio.wait_for(connection.recv(), PATIENCE))
                if answer.get("id") == 2:
                    break
            if answer["type"] != "ok":
                raise RuntimeError(f"no history: {answer}")
            messages = answer["messages"] + messages
            if not answer["has_more"]:
                return joined, messages
            if not answer["messages"]:
                raise RuntimeError("has_more, and an empty page")
            before = answer["messages"][0]["seq"]
    finally:
        await connection.close()


class Chatter:
    """A client that chats until its server is gone, comes back, and repeats what was not answered."""

    def __init__(self, user, tab, server, judge, random):
        self.user = user
        self.name = f"{user}.{tab}"
        self.server = server
        self.judge = judge
        self.random = random
        self.bearer = token(user)
        self.pending = collections.OrderedDict()  # key -> text, sent and not answered
        self.answered = collections.deque(maxlen=20)  # keys that were answered
        self.commands = {}  # id -> (key, text) on this connection
        self.signals = {}  # id -> payload, likewise
        self.pause = (0.01, 0.12)  # between two things to say, in seconds
        self.patience = 0.02  # between two attempts to connect
        self.count = 0
        self.next_id = 10
        self.first_join = None
        self.is_in = asyncio.Event()
        self.drained = None
        self.close_code = None
        self.retries = 0
        self.unavailable = 0
        self.token = self.position = None  # to go on from, after the first time
        self.forgets = 0.15  # how often it comes back as somebody who remembers nothing
        self.connection = self.joined = None

    async def live(self):
        """Joins as soon as the server answers, chats until the connection ends; then returns."""
        self.is_in.clear()
        self.drained = self.close_code = None
        while True:
            try:
                if self.random.random() < self.forgets:
                    self.token = self.position = None
                connection, joined = await enter(self.server, self.bearer, **resume(self.token, self.position))
                break
            except (OSError, asyncio.TimeoutError, websockets.exceptions.WebSocketException, EOFError):
                if self.server.process.poll() is not None:
                    return
                await asyncio.sleep(self.random.uniform(0, 2 * self.patience))
        if self.first_join is None:
            self.first_join = now()
        # One connection is one story of numbers, from the state it began with.
        if self.position is None:
            self.judge.joined(connection, joined)
        else:
            self.judge.came_back(connection, self.position, joined)
        self.token = joined["resume_token"]
        self.is_in.set()
        self.commands = {}
        self.signals = {}
        self.connection, self.joined = connection, joined
        speaking = asyncio.create_task(self.speak(connection))
        try:
            await self.listen(connection)
        except websockets.exceptions.ConnectionClosed as closed:
            self.close_code = closed.rcvd.code if closed.rcvd else None
        except OSError:
            pass
        finally:
            speaking.cancel()
            await asyncio.gather(speaking, return_exceptions=True)
            for _, text in self.commands.values():
                self.judge.is_uncertain(text)
            self.position = self.judge.position(connection, joined)
            self.judge.ended(connection)
            connection.transport.abort()

    async def speak(self, connection):
        for key in list(self.pending):
            if self.random.random() < 0.7:
                self.retries += 1
                self.judge.will_send(self.user, self.pending[key])
                await self.send(connection, key, self.pending[key])
            else:
                del self.pending[key]  # given up: it may be there or not
        while True:
            await asyncio.sleep(self.random.uniform(*self.pause))
            if len(self.pending) > 5:
                waiting = {key for key, _ in self.commands.values()}
                unavailable = [key for key in self.pending if key not in waiting]
                if unavailable:
                    self.retries += 1
                    self.judge.will_send(self.user, self.pending[unavailable[0]])
                    await self.send(connection, unavailable[0], self.pending[unavailable[0]])
                continue
            if self.answered and self.random.random() < 0.05:
                # As if the answer had been lost: the same again must be the same answer, and nothing new.
                key, text = self.random.choice(self.answered)
                await self.send(connection, key, text)
                continue
            self.count += 1
            key = f"{self.name}-{self.count}"
            text = f"{key} " + "x" * self.random.choice((0, 10, 200, 2000))
            self.judge.will_send(self.user, text)
            self.pending[key] = text
            await self.send(connection, key, text)

    async def send(self, connection, key, text):
        self.next_id += 1
        self.commands[self.next_id] = (key, text)
        await connection.send(json.dumps({"type": "chat.send", "id": self.next_id, "text": text, "key": key}))

    async def listen(self, connection):
        while True:
            message = json.loads(await connection.recv())
            kind = message["type"]
            if kind in ("chat.message", "session.status"):
                self.judge.event(connection, message)
            elif kind == "ok" and message["id"] in self.commands:
                key, text = self.commands.pop(message["id"])
                self.pending.pop(key, None)
                self.answered.append((key, text))
                self.judge.was_acknowledged(text, checker.Answer(message["seq"], message["at"], message["message_id"]))
            elif kind == "error" and message.get("id") in self.commands:
                key, text = self.commands.pop(message["id"])
                if message["code"] == "storage_unavailable":
                    self.unavailable += 1
                    if message["details"]["outcome"] == "unknown":
                        self.judge.is_uncertain(text)
                    elif text not in self.judge.acknowledged:
                        self.judge.was_refused(text, message["code"])
                    continue
                self.pending.pop(key, None)
                self.judge.was_refused(text, message["code"])
                self.judge.violation(f"{self.name}: refused: {message}")
            elif kind == "server.draining":
                self.drained = message["retry_after_ms"]
            elif kind == "signal":
                self.judge.signal(connection, message["signal_seq"])
                self.signalled(message)
            elif message.get("id") in self.signals:
                self.signal_answered(self.signals.pop(message["id"]), kind == "ok")

    def signalled(self, message):
        """For who listens to signals."""

    def signal_answered(self, payload, is_ok):
        """For who sends them."""


async def attendance(server, session=SESSION):
    """The report as an admin sees it: rows by user, and the time at which it was read."""
    status, report = await asyncio.to_thread(
        server.request, "GET", f"/api/sessions/{session}/attendance/", token("root", "admin"))
    if status != 200:
        raise RuntimeError(f"no report: {status} {report}")
    return {row["user"]: row for row in report["participants"]}, now()


async def open_session(server):
    """Creates the session and starts it."""
    host = token("host", "host")
    body = {"id": SESSION, "title": "Class", "admission": "open"}
    for path, expected, sent in (("", 201, body), (f"{SESSION}/start/", 200, None)):
        status, answer = await asyncio.to_thread(server.request, "POST", f"/api/sessions/{path}", host, sent)
        if status != expected:
            raise RuntimeError(f"cannot open the session: {status} {answer}")
