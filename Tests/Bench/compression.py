"""What permessage-deflate costs and saves: chat of 128 bytes and of 1 KiB in a room whose members agreed to compression, and
in one whose members did not."""

import base64
import json
import os
import random
import re
import resource
import select
import socket
import struct
import time
import urllib.error
import urllib.request

import process

WORDS = ("the teacher asks whether everybody has understood exercise seven and somebody answers no because this integral is "
         "hard to see please show it again more slowly thank you yes now I have got it what about the next one").split()


class Member:
    """A guest's socket; after joining only its bytes are counted."""

    def __init__(self, port, session, number, compresses):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        offer = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n" if compresses else ""
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall((
            f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: rollcall.v1\r\n"
            f"{offer}\r\n").encode())
        self.send({"type": "hello", "guest": f"Student {number}"})
        self.send({"type": "session.join", "id": 1, "session": session, "presence": "none"})
        seen = b""
        while b'"session.joined"' not in seen:
            piece = self.socket.recv(65536)
            if not piece:
                raise RuntimeError(f"member {number} was not let in: {seen[-300:]!r}")
            seen += piece
        if (b"permessage-deflate" in seen) != compresses:
            raise RuntimeError("compression was not agreed on as it should")
        self.socket.setblocking(False)

    def send(self, message):
        """A text frame with a mask of zeros."""
        payload = json.dumps(message).encode()
        head = struct.pack("!BB", 0x81, 0x80 | len(payload)) if len(payload) < 126 else struct.pack(
            "!BBH", 0x81, 0x80 | 126, len(payload))
        self.socket.sendall(head + bytes(4) + payload)


def text(count, source):
    words = ""
    while len(words) < count:
        words += source.choice(WORDS) + " "
    return words[:count]


def measure(binary, count, compresses, people, rate, seconds):
    """One run: CPU microseconds and bytes of a delivery."""
    options = ["--demo", "--durability", "relaxed"]
    with process.Server(binary, options) as server:
        server.start()
        links = ""
        while not re.search(r"students .*\n", links):
            links = (server.folder / "log").read_text()
        session = re.search(r"students\s+\S*#session=(\S+)", links).group(1)
        host = re.search(r"teacher\s+\S*token=(\S+)", links).group(1)
        start = urllib.request.Request(
            f"{server.url}/api/sessions/{session}/start/", method="POST", headers={"Authorization": f"Bearer {host}"})
        try:
            urllib.request.urlopen(start).read()
        except urllib.error.HTTPError:
            pass  # it is live already
        members = [Member(server.port, session, number, compresses) for number in range(people)]
        poller = select.epoll()
        by_descriptor = {member.socket.fileno(): member.socket for member in members}
        for descriptor in by_descriptor:
            poller.register(descriptor, select.EPOLLIN)
        source = random.Random(1)
        received = 0

        def drain(until):
            nonlocal received
            while (left := until - time.monotonic()) > 0:
                for descriptor, _ in poller.poll(left, 256):
                    received += len(by_descriptor[descriptor].recv(1 << 18))

        drain(time.monotonic() + 1)
        received = 0
        used = process.cpu_seconds(server.pid)
        began = time.monotonic()
        sent = int(rate * seconds)
        for number in range(sent):
            drain(began + number / rate)
            members[number % 20].send({"type": "chat.send", "id": number + 2, "text": text(count, source)})
        drain(time.monotonic() + 1)
        used = process.cpu_seconds(server.pid) - used
        deliveries = sent * len(members)
        for member in members:
            member.socket.close()
        return used / deliveries * 1e6, received / deliveries


def run(binary, runs, people=500, rate=50, seconds=6):
    """By bytes of a text and whether it is compressed: CPU microseconds and bytes of a delivery, of each run."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    cases = [(count, compresses) for count in (128, 1024) for compresses in (False, True)]
    figures = {case: [] for case in cases}
    for _ in range(runs):
        for case in cases:
            figures[case].append(measure(binary, *case, people, rate, seconds))
    return figures
