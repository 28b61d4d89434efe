"""Clients that mean harm, or do it without meaning to: floods of handshakes, messages and frames, readers that do not read, and
more of them than there are descriptors. The others must not notice."""

import asyncio
import base64
import contextlib
import json
import os
import resource
import socket
import struct
import time
import urllib.request

import checks
import rollcall

#: In seconds. A handshake has five; the server looks at its deadlines twice a second, and the machine may be busy.
HANDSHAKE, LATE = 5, 10


def raise_limit():
    """As many descriptors as there may be: floods need some."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def figures(server):
    """The numbers of /metrics, by name with labels."""
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/metrics", timeout=rollcall.PATIENCE) as answer:
        lines = answer.read().decode().splitlines()
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if not line.startswith("#"))}


def limit(name):
    return f'rollcall_limit_reached_total{{limit="{name}"}}'


def connect(server, index=0, receive_bytes=None):
    """A TCP connection from one of many addresses: what one address may do is another test."""
    connection = socket.socket()
    if receive_bytes:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    connection.bind((f"127.0.{1 + index % 200}.1", 0))
    connection.settimeout(rollcall.PATIENCE)
    connection.connect(("127.0.0.1", server.port))
    return connection


def frame(opcode, payload=b"", final=True, mask=True, length=None, reserved=0):
    """A frame of a client, or what looks like one (RFC 6455, 5.2)."""
    count = len(payload) if length is None else length
    head = bytes([(0x80 if final else 0) | reserved | opcode])
    bit = 0x80 if mask else 0
    if count < 126:
        head += bytes([bit | count])
    elif count < 65536:
        head += bytes([bit | 126]) + struct.pack(">H", count)
    else:
        head += bytes([bit | 127]) + struct.pack(">Q", count)
    # A key of zeros masks nothing.
    return head + (b"\0\0\0\0" if mask else b"") + payload


def upgrade(connection):
    """Makes it a WebSocket, and reads up to the end of the answer's head."""
    key = base64.b64encode(os.urandom(16)).decode()
    connection.sendall(
        f"GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Key: {key}\r\n\r\n".encode())
    received = b""
    while b"\r\n\r\n" not in received:
        received += connection.recv(4096)
    if not received.startswith(b"HTTP/1.1 101 "):
        raise RuntimeError(f"no WebSocket: {received[:80]}")
    return received.split(b"\r\n\r\n", 1)[1]


def read_close(connection, received=b""):
    """Reads to the server's Close; its code, None when the connection ended without one."""
    while True:
        while len(received) >= 2:
            count, start = received[1] & 127, 2
            if count == 126 and len(received) >= 4:
                count, start = struct.unpack(">H", received[2:4])[0], 4
            elif count == 127 and len(received) >= 10:
                count, start = struct.unpack(">Q", received[2:10])[0], 10
            elif count >= 126:
                break
            if len(received) < start + count:
                break
            if received[0] & 15 == 8:
                return struct.unpack(">H", received[start:start + 2])[0] if count >= 2 else 1005
            received = received[start + count:]
        try:
            more = connection.recv(65536)
        except ConnectionResetError:
            return None
        if not more:
            return None
        received += more


def text(message):
    return frame(1, json.dumps(message).encode())


async def prepare(server):
    """A server with a class that is live."""
    server.start()
    await server.ready()
    host = rollcall.token("teacher", "host")
    status, _ = await asyncio.to_thread(
        server.request, "POST", "/api/sessions/", host,
        {"id": rollcall.SESSION, "title": "Flooded", "admission": "open", "visibility": "listed"})
    started, _ = await asyncio.to_thread(server.request, "POST", f"/api/sessions/{rollcall.SESSION}/start/", host, {})
    if (status, started) != (201, 200):
        raise RuntimeError(f"no class: {status}, {started}")


async def ask(connection, message, number):
    """The answer to a command; what comes before it is passed over."""
    await connection.send(json.dumps({**message, "id": number}))
    while True:
        answer = json.loads(await asyncio.wait_for(connection.recv(), rollcall.PATIENCE))
        if answer.get("id") == number:
            return answer


async def is_well(server, user="honest"):
    """Whether somebody can come in and say something."""
    connection, _ = await rollcall.enter(server, rollcall.token(user))
    answer = await ask(connection, {"type": "chat.send", "text": "All is well."}, 7)
    await connection.close()
    return [] if answer["type"] == "ok" else [f"chat is answered with {answer}"]


async def join_repeatedly(server, until, pause=0.1):
    """Honest people who come and go; how long each took to come in, in seconds."""
    times = []
    while not until.is_set():
        begun = time.monotonic()
        connection, _ = await rollcall.enter(server, rollcall.token(f"honest{len(times)}"))
        times.append(time.monotonic() - begun)
        connection.transport.abort()
        await asyncio.sleep(pause)
    return times


def spread(times):
    times = sorted(times)
    return f"median {times[len(times) // 2] * 1000:.0f} ms, 99% {times[len(times) * 99 // 100] * 1000:.0f} ms, of {len(times)}"


async def test_handshakes(binary, folder, count):
    """Thousands who connect and say nothing, or one byte a second."""
    server = rollcall.Server(binary, folder)
    await prepare(server)
    done = asyncio.Event()
    honest = asyncio.create_task(join_repeatedly(server, done))
    begun = time.monotonic()
    flood = await asyncio.to_thread(lambda: [connect(server, index) for index in range(count)])
    request = iter(b"GET /ws HTTP/1.1\r\nHost: a\r\nX: 0123456789")
    for connection in flood:
        connection.setblocking(False)
    waiting = set(flood)
    lasted = []
    while waiting and time.monotonic() - begun < HANDSHAKE + 3 * LATE:
        byte = bytes([next(request, 120)])
        for connection in flood[::2]:
            if connection in waiting:
                with contextlib.suppress(OSError):
                    connection.send(byte)
        for connection in list(waiting):
            try:
                if connection.recv(4096) == b"":
                    waiting.discard(connection)
            except BlockingIOError:
                continue
            except OSError:
                waiting.discard(connection)
            if connection not in waiting:
                lasted.append(time.monotonic() - begun)
                connection.close()
        await asyncio.sleep(1)
    done.set()
    times = await honest
    seen = figures(server)
    checks.say(f"{count} handshakes that come to nothing: cut after {min(lasted, default=0):.1f} to {max(lasted, default=0):.1f} s; joins meanwhile: {spread(times)}")
    problems = []
    if waiting:
        problems.append(f"{len(waiting)} of {count} were never cut")
    if seen[limit("handshake_time")] < count:
        problems.append(f"{seen[limit('handshake_time')]:.0f} of {count} were counted")
    if max(times) > LATE:
        problems.append(f"an honest join took {max(times):.1f} s")
    checks.check("slow and silent handshakes", problems + await is_well(server))
    server.kill()


async def test_slow_readers(binary, folder, count):
    """A busy room in which many do not read."""
    server = rollcall.Server(binary, folder)
    await prepare(server)

    def sit(index):
        connection = connect(server, index, receive_bytes=4096)
        upgrade(connection)
        connection.sendall(
            text({"type": "hello", "token": rollcall.token(f"slow{index}")})
            + text({"type": "session.join", "id": 1, "session": rollcall.SESSION, "presence": "none"}))
        return connection

    slow = await asyncio.to_thread(lambda: [sit(index) for index in range(count)])
    reader, _ = await rollcall.enter(server, rollcall.token("reader"))
    speaker, _ = await rollcall.enter(server, rollcall.token("speaker"))
    while figures(server)["rollcall_people"] < count:
        await asyncio.sleep(0.2)
    before = figures(server)
    most = queued = 0
    times = []
    number = 10
    problems = []
    begun = time.monotonic()
    words = "x" * 4000
    while figures(server)[limit("outbound_bytes")] < count:
        for _ in range(10):
            number += 1
            said = time.monotonic()
            answer = await ask(speaker, {"type": "chat.send", "text": f"{number} {words}"}, number)
            if answer["type"] != "ok":
                raise RuntimeError(f"chat is answered with {answer}")
            while True:
                message = json.loads(await asyncio.wait_for(reader.recv(), rollcall.PATIENCE))
                if message["type"] == "chat.message":
                    break
            times.append(time.monotonic() - said)
            if not message["text"].startswith(f"{number} "):
                problems.append(f"{message['text'][:8]} came instead of {number}")
        now = figures(server)
        most = max(most, now["process_resident_memory_bytes"])
        queued = max(queued, now["rollcall_queue_bytes"])
        if time.monotonic() - begun > 240:
            problems.append(f"after {number - 10} messages {now[limit('outbound_bytes')]:.0f} of {count} were closed as slow")
            break
    grown = most - before["process_resident_memory_bytes"]
    checks.say(
        f"{count} slow readers: closed after {number - 10} messages of 4 kB; memory +{grown / 2**20:.0f} MiB, "
        f"queues {queued / 2**20:.0f} MiB; messages to a reader: {spread(times)}")
    if queued > count * 270_000:
        problems.append(f"{queued / count:.0f} bytes waited for each")
    # What is queued, as much again while a queue is moved to a larger place, and what the room itself has grown.
    if grown > count * 2 * 270_000 + (128 << 20):
        problems.append(f"memory grew by {grown / 2**20:.0f} MiB")
    for connection in slow:
        connection.close()
    checks.check("slow readers", problems + await is_well(server))
    server.kill()


#: What breaks a rule, and the code it is closed with.
ABUSE = [
    ("a length of 2^63", frame(1, length=1 << 63), 1002),
    ("a length of 2^63 - 1", frame(1, length=(1 << 63) - 1), 1009),
    ("more than a message may have", frame(1, length=65_537), 1009),
    ("no mask", frame(1, b"{}", mask=False), 1002),
    ("a reserved bit", frame(1, b"{}", reserved=0x20), 1002),
    ("a reserved opcode", frame(5, b"{}"), 1002),
    ("a ping of 126 bytes", frame(9, b"x" * 126), 1002),
    ("a ping in two frames", frame(9, b"x", final=False), 1002),
    ("a close code that does not travel", frame(8, struct.pack(">H", 1006)), 1002),
    ("half a close code", frame(8, b"\x03"), 1002),
    ("a close reason that is not UTF-8", frame(8, struct.pack(">H", 1000) + b"\xff"), 1007),
    ("half a character", frame(1, b'{"\xc3'), 1007),
    ("a continuation of nothing", frame(0, b"x"), 1002),
    ("a message inside a message", frame(1, b"{", final=False) + frame(1, b"{}"), 1002),
    ("a binary message", frame(2, b"{}"), 1003),
    ("a million empty fragments", frame(1, final=False) + frame(0, final=False) * 1_000_000, 1008),
    ("a million tiny fragments", frame(1, final=False) + frame(0, b"x", final=False) * 1_000_000, 1008),
    ("a hundred thousand pings", frame(9) * 100_000, 4006),
]


async def test_frames(binary, folder):
    """What no client sends: each is answered with its own code, and costs no memory."""
    server = rollcall.Server(binary, folder)
    await prepare(server)
    await is_well(server)
    before = figures(server)["process_resident_memory_bytes"]

    def abuse(sent):
        connection = connect(server)
        connection.settimeout(rollcall.PATIENCE)
        received = upgrade(connection)
        with contextlib.suppress(ConnectionResetError, BrokenPipeError):
            connection.sendall(sent)
        code = read_close(connection, received)
        connection.close()
        return code

    problems = []
    for name, sent, expected in ABUSE:
        code = await asyncio.to_thread(abuse, sent)
        if code != expected:
            problems.append(f"{name}: closed with {code}, not {expected}")
    grown = figures(server)["process_resident_memory_bytes"] - before
    checks.say(f"{len(ABUSE)} ways to abuse frames: memory +{grown / 2**20:.1f} MiB")
    if grown > 32 << 20:
        problems.append(f"memory grew by {grown / 2**20:.0f} MiB")
    checks.check("abuse of frames", problems + await is_well(server))
    server.kill()


async def test_messages(binary, folder):
    """Somebody who sends without end, beside somebody who does not."""
    server = rollcall.Server(binary, folder)
    await prepare(server)
    done = asyncio.Event()
    honest = asyncio.create_task(join_repeatedly(server, done))

    def flood(index):
        connection = connect(server, index)
        received = upgrade(connection)
        with contextlib.suppress(ConnectionResetError, BrokenPipeError):
            connection.sendall(text({"type": "hello", "token": rollcall.token(f"flood{index}")}))
            connection.setblocking(False)
            burst = text({"type": "ping"}) * 1000
            sent = 0
            rest = b""
            deadline = time.monotonic() + rollcall.PATIENCE
            while sent < 200 and time.monotonic() < deadline:
                if not rest:
                    rest, sent = burst, sent + 1
                try:
                    rest = rest[connection.send(rest):]
                except BlockingIOError:
                    time.sleep(0.001)
                with contextlib.suppress(BlockingIOError):
                    more = connection.recv(1 << 20)
                    if not more:
                        break
                    received += more
        connection.settimeout(rollcall.PATIENCE)
        return read_close(connection, received)

    codes = await asyncio.gather(*[asyncio.to_thread(flood, index) for index in range(4)])
    done.set()
    times = await honest
    seen = figures(server)
    checks.say(f"4 floods of 200,000 messages: {seen[limit('message_rate')]:.0f} refused; joins meanwhile: {spread(times)}")
    problems = [f"a flood was closed with {code}" for code in codes if code != 4006]
    if seen[limit("message_rate")] < 4:
        problems.append("none was counted")
    if max(times) > LATE:
        problems.append(f"an honest join took {max(times):.1f} s")
    checks.check("floods of messages", problems + await is_well(server))
    server.kill()


async def test_descriptors(binary, folder):
    """More connections than the process may have files."""
    for name, options in [
        ("limited", []), ("not limited", ["--connections", "100000", "--connections-per-address", "100000"]),
    ]:
        server = rollcall.Server(binary, folder / name.replace(" ", "-"), options=options)
        command = server.command
        server.command = lambda command=command: ["prlimit", "--nofile=160:160", *command()]
        await prepare(server)
        resident, _ = await rollcall.enter(server, rollcall.token("resident"))
        pid = server.process.pid
        before = rollcall_cpu(pid)
        flood = []
        for index in range(400):
            with contextlib.suppress(OSError):
                flood.append(connect(server, index))
        begun = time.monotonic()
        problems = []
        for number in range(10, 30):
            answer = await ask(resident, {"type": "chat.send", "text": f"{number}"}, number)
            if answer["type"] != "ok":
                problems.append(f"who is in is answered with {answer}")
            await asyncio.sleep(0.1)
        used, elapsed = rollcall_cpu(pid) - before, time.monotonic() - begun
        if used > elapsed * 0.7:
            problems.append(f"{used:.1f} s of processor time in {elapsed:.1f} s: it spins")
        for connection in flood:
            connection.close()
        deadline = time.monotonic() + rollcall.PATIENCE
        while True:
            try:
                seen = figures(server)
                break
            except (OSError, EOFError):
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(0.2)
        turned = seen[limit("connections")] + seen[limit("descriptors")]
        checks.say(
            f"400 connections, 160 files, connections {name}: {seen[limit('connections')]:.0f} refused, "
            f"{seen[limit('descriptors')]:.0f} shed, {used / elapsed * 100:.0f}% of a core")
        if turned == 0 or (seen[limit("descriptors")] > 0) != (name == "not limited"):
            problems.append("it was not counted as what it was")
        await resident.close()
        checks.check(f"more connections than files, connections {name}", problems + await is_well(server))
        server.kill()


def rollcall_cpu(pid):
    """Processor seconds of a process."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def test_churn(binary, folder, count):
    """Many who come and go, each in its own way: every descriptor comes back."""
    server = rollcall.Server(binary, folder, grace=1)
    await prepare(server)

    def visit(index):
        connection = connect(server, index)
        if index % 5:
            upgrade(connection)
        if index % 5 > 1:
            connection.sendall(text({"type": "hello", "token": rollcall.token(f"visitor{index % 50}")}))
        if index % 5 > 2:
            connection.sendall(text({"type": "session.join", "id": 1, "session": rollcall.SESSION}))
        if index % 5 == 4:
            connection.sendall(text({"type": "session.leave", "id": 2}) + frame(8, struct.pack(">H", 1000)))
            read_close(connection)
        if index % 2:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()

    def visits(begin, end):
        for index in range(begin, end):
            visit(index)

    async def settled():
        deadline = time.monotonic() + rollcall.PATIENCE
        while True:
            seen = figures(server)
            # The one that asks.
            if seen["rollcall_connections"] <= 1 or time.monotonic() > deadline:
                return seen
            await asyncio.sleep(0.5)

    await asyncio.to_thread(visits, 0, count // 5)
    before = await settled()
    await asyncio.to_thread(visits, count // 5, count)
    after = await settled()
    files = after["process_open_fds"] - before["process_open_fds"]
    grown = after["process_resident_memory_bytes"] / before["process_resident_memory_bytes"] - 1
    checks.say(f"{count} visits: {files:+.0f} descriptors, memory {grown:+.1%}")
    problems = []
    if files != 0:
        problems.append(f"{files:+.0f} descriptors")
    if after["rollcall_connections"] > 1:
        problems.append(f"{after['rollcall_connections']:.0f} connections are left")
    if grown > 0.3:
        problems.append(f"memory {grown:+.0%}")
    checks.check("churn", problems + await is_well(server))
    server.kill()


async def test(binary, folder, soak):
    raise_limit()
    stories = [
        ("handshakes", lambda place: test_handshakes(binary, place, 8000 if soak else 3000)),
        ("slow-readers", lambda place: test_slow_readers(binary, place, 1000 if soak else 200)),
        ("frames", lambda place: test_frames(binary, place)),
        ("messages", lambda place: test_messages(binary, place)),
        ("descriptors", lambda place: test_descriptors(binary, place)),
        ("churn", lambda place: test_churn(binary, place, 200_000 if soak else 4000)),
    ]
    for name, story in stories:
        place = folder / name
        place.mkdir()
        await story(place)
