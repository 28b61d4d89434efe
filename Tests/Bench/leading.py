"""What a command costs in a small and in a large class: CPU time of the server, everybody else listening to nothing."""

import asyncio
import base64
import json
import os
import pathlib
import struct

import process
from sessions import UNLIMITED, Client, token

OPTIONS = [*UNLIMITED, "--message-rate", "0", "--user-message-rate", "0", "--loops", "1", "--snapshot-interval", "3600s"]
WAITERS = 200
ROUNDS = 1000


def cpu_nanoseconds(pid):
    """What all threads have run so far (proc(5), schedstat): finer than the ticks of `stat`."""
    return sum(int(file.read_text().split()[0]) for file in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat"))


class Socket:
    """A WebSocket connection that sends text in single frames, and reads when it is asked to."""

    async def open(self, server, bearer):
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", server.port)
        key = base64.b64encode(os.urandom(16)).decode()
        self.writer.write(
            "GET /ws HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Protocol: rollcall.v1\r\n\r\n".encode())
        head = await self.reader.readuntil(b"\r\n\r\n")
        if b" 101 " not in head:
            raise RuntimeError(head.decode())
        self.number = 0
        await self.ask("hello", token=bearer)
        return self

    def send(self, kind, **fields):
        self.number += 1
        content = json.dumps({"type": kind, "id": self.number, **fields}).encode()
        size = len(content)
        length = struct.pack("!B", 0x80 | size) if size < 126 else struct.pack("!BH", 0xFE, size)
        self.writer.write(b"\x81" + length + bytes(4) + content)

    async def receive(self):
        while True:
            first, second = await self.reader.readexactly(2)
            size = second & 0x7F
            if size == 126:
                (size,) = struct.unpack("!H", await self.reader.readexactly(2))
            elif size == 127:
                (size,) = struct.unpack("!Q", await self.reader.readexactly(8))
            content = await self.reader.readexactly(size)
            if first & 0xF == 9:
                self.writer.write(b"\x8a" + struct.pack("!B", 0x80 | size) + bytes(4) + content)
            elif first & 0xF == 1:
                return json.loads(content)
            else:
                raise RuntimeError(f"opcode {first & 0xF}: {content!r}")

    async def ask(self, kind, **fields):
        """Sends a command; what it was answered."""
        self.send(kind, **fields)
        while True:
            message = await self.receive()
            if message.get("id") == self.number:
                if message["type"] == "error":
                    raise RuntimeError(f"{kind}: {message}")
                return message

    def close(self):
        self.writer.close()


async def join(server, session, user, role="participant"):
    socket = await Socket().open(server, token(server, user, role))
    return socket, await socket.ask("session.join", session=session, presence="none")


async def measure(server, people):
    """Microseconds of the server's CPU time of each command in a class of so many people."""
    client = await Client().open(server)
    bearer = token(server, "teacher", "host")
    session = f"class-{people}"
    body = {"id": session, "title": session, "admission": "open", "waiting_room": False}
    for path, content in (("/api/sessions/", body), (f"/api/sessions/{session}/start/", None)):
        status, answer = await client.ask("POST", path, bearer, content)
        if status not in (200, 201):
            raise RuntimeError(f"{status} {answer[:200]}")
    teacher, _ = await join(server, session, "teacher", "host")
    everybody = []
    for begin in range(0, people, 50):
        everybody += await asyncio.gather(
            *(join(server, session, f"person-{number}") for number in range(begin, min(begin + 50, people))))
    student = everybody[0][0]
    figures = {}

    async def cost(name, rounds, operation):
        await asyncio.sleep(1)
        before = cpu_nanoseconds(server.pid)
        for number in range(rounds):
            await operation(number)
        figures[name] = (cpu_nanoseconds(server.pid) - before) / 1000 / rounds

    async def hand(number):
        await student.ask("hand.lower" if number % 2 else "hand.raise")

    async def mute(number):
        await teacher.ask("participant.mute", user="person-1", on=number % 2 == 0)

    async def mute_all(number):
        await teacher.ask("room.mute_all", on=number % 2 == 0)

    async def come(number):
        socket, _ = await join(server, session, f"late-{number}")
        await socket.ask("session.leave")
        socket.close()

    await cost("hand", ROUNDS, hand)
    await cost("mute one", ROUNDS, mute)
    await cost("join and leave", ROUNDS // 2, come)
    await cost("mute all", ROUNDS // 10, mute_all)
    await teacher.ask("room.policy", waiting_room=True)
    waiting = [await join(server, session, f"waiter-{number}") for number in range(WAITERS)]
    before = cpu_nanoseconds(server.pid)
    admitted = (await teacher.ask("waiting.admit", all=True))["count"]
    for socket, _ in waiting:
        while (await socket.receive())["type"] != "session.joined":
            pass
    if admitted != WAITERS:
        raise RuntimeError(f"{admitted} admitted")
    figures["admit all, each"] = (cpu_nanoseconds(server.pid) - before) / 1000 / WAITERS
    for socket in [teacher, *(one for one, _ in everybody + waiting)]:
        socket.close()
    return figures


def run(rollcall, people):
    """The cost of each command in a class of so many people."""
    with process.Server(rollcall, OPTIONS) as server:
        server.start()
        return asyncio.run(measure(server, people))


if __name__ == "__main__":
    import sys

    print(json.dumps(run(sys.argv[1], int(sys.argv[2])), indent=1))
