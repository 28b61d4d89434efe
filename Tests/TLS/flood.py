"""Thousands of handshakes that come to nothing, while honest people come in."""

import asyncio
import json
import selectors
import socket
import ssl
import struct
import time

import websockets.asyncio.client

HANDSHAKE_SECONDS = 5
# The server looks at deadlines twice a second; the rest is for a busy machine.
GRACE_SECONDS = 3


def hello():
    """A client's first flight."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    session = ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname="localhost")
    try:
        session.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


class Flood:
    """Connections that say nothing, that say hello and stop, and that say it byte by byte, one byte a second."""

    def __init__(self, port, silent, greeting, trickling):
        self.selector = selectors.DefaultSelector()
        self.hello = hello()
        self.began = {}
        self.lasted = []
        self.trickling = []
        for index in range(silent + greeting + trickling):
            connection = socket.socket()
            # Each kind from addresses of its own: a limit for one address is another test.
            connection.bind((f"127.0.{1 + index % 200}.1", 0))
            connection.connect(("127.0.0.1", port))
            connection.setblocking(False)
            self.began[connection] = time.monotonic()
            self.selector.register(connection, selectors.EVENT_READ)
            if index >= silent + greeting:
                self.trickling.append((connection, iter(self.hello)))
            elif index >= silent:
                connection.send(self.hello)

    async def run(self):
        """Goes on until every connection has been ended by the server."""
        second = time.monotonic()
        while self.began:
            for key, _ in self.selector.select(0):
                self._receive(key.fileobj)
            if time.monotonic() >= second:
                second += 1
                for connection, rest in self.trickling:
                    if connection in self.began:
                        try:
                            connection.send(bytes([next(rest)]))
                        except OSError:
                            self._end(connection)
            oldest = min(self.began.values(), default=time.monotonic())
            assert time.monotonic() - oldest < HANDSHAKE_SECONDS + GRACE_SECONDS, f"{len(self.began)} are still connected"
            await asyncio.sleep(0.05)

    def _receive(self, connection):
        try:
            if connection.recv(65536):
                return
        except BlockingIOError:
            return
        except OSError:
            pass
        self._end(connection)

    def _end(self, connection):
        began = self.began.pop(connection, None)
        if began is None:
            return
        self.lasted.append(time.monotonic() - began)
        self.selector.unregister(connection)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()


async def join(port, session, context, number):
    """Seconds from the first packet until one is in the class."""
    began = time.monotonic()
    async with websockets.asyncio.client.connect(
            f"wss://127.0.0.1:{port}/ws", ssl=context, subprotocols=["rollcall.v1"], open_timeout=30) as socket:
        await socket.send(json.dumps({"type": "hello", "guest": f"Guest {number}"}))
        await socket.send(json.dumps({"type": "session.join", "id": 1, "session": session}))
        while True:
            answer = json.loads(await socket.recv())
            if answer.get("id") == 1:
                break
        assert answer["type"] in ("session.joined", "session.waiting"), answer
        return time.monotonic() - began


async def honest(port, session, context, flood):
    """Somebody comes in ten times a second for as long as the flood lasts."""
    seconds = []
    while not flood.done():
        seconds.append(await join(port, session, context, len(seconds)))
        await asyncio.sleep(0.1)
    await flood
    return seconds
