#!/usr/bin/env python3
"""usage: Tests/Bench/compression ROLLCALL [--members N] [--rate R] [--seconds S] [--runs N]

What permessage-deflate costs and saves: chat of 128 bytes and of 1 KiB in a room whose members agreed to compression, and
in one whose members did not. Prints for each the server's CPU time per delivered message and the bytes on the wire."""

import argparse
import base64
import json
import os
import pathlib
import random
import re
import resource
import select
import socket
import statistics
import struct
import sys
import time
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import process  # noqa: E402

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


def measure(arguments, count, compresses):
    """One run: CPU microseconds and bytes of a delivery."""
    options = ["--demo", "--durability", "relaxed", *arguments.server_options]
    with process.Server(arguments.rollcall, options) as server:
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
        members = [Member(server.port, session, number, compresses) for number in range(arguments.members)]
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
        sent = int(arguments.rate * arguments.seconds)
        for number in range(sent):
            drain(began + number / arguments.rate)
            members[number % 20].send({"type": "chat.send", "id": number + 2, "text": text(count, source)})
        drain(time.monotonic() + 1)
        used = process.cpu_seconds(server.pid) - used
        deliveries = sent * len(members)
        for member in members:
            member.socket.close()
        return used / deliveries * 1e6, received / deliveries


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rollcall")
    parser.add_argument("--members", type=int, default=500)
    parser.add_argument("--rate", type=float, default=50, help="messages a second")
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--runs", type=int, default=3)
    arguments, arguments.server_options = parser.parse_known_args()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    print(f"{'chat':8}{'compression':13}{'µs of CPU per delivery':>34}{'bytes per delivery':>22}")
    for count in (128, 1024):
        runs = {False: [], True: []}
        for _ in range(arguments.runs):
            for compresses in runs:
                runs[compresses].append(measure(arguments, count, compresses))
        for compresses, figures in runs.items():
            times = [figure[0] for figure in figures]
            print(f"{count:<8}{'on' if compresses else 'off':13}"
                  f"{statistics.median(times):>10.2f} ({min(times):.2f} to {max(times):.2f})"
                  f"{statistics.median(figure[1] for figure in figures):>28.0f}", flush=True)


main()
