"""What TLS costs the server: memory for each idle WebSocket, and CPU time for each new connection, with a full handshake, with
a resumed one, and without TLS. The certificate has an ECDSA key on P-256."""

import base64
import os
import resource
import socket
import ssl
import time

import process

REQUEST = "GET /health HTTP/1.1\r\nHost: a\r\n\r\n".encode()


class SecureServer(process.Server):
    """A server with TLS and a certificate of its own making."""

    def __init__(self, binary, options):
        super().__init__(binary, [*options, "--tls-self-signed"])

    def is_ready(self):
        try:
            ask(connect(self, context(self)))
            return True
        except (OSError, AssertionError):
            return False


def context(server):
    made = ssl.create_default_context(cafile=server.data / "self-signed.crt")
    made.minimum_version = ssl.TLSVersion.TLSv1_3
    return made


def connect(server, trust, session=None):
    """A connection; its port is forgotten at once when it is closed."""
    plain = socket.create_connection(("127.0.0.1", server.port))
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return trust.wrap_socket(plain, server_hostname="127.0.0.1", session=session) if trust else plain


def open_websocket(server, trust):
    connection = connect(server, trust)
    key = base64.b64encode(os.urandom(16)).decode()
    connection.sendall((
        f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: rollcall.v1\r\n\r\n").encode())
    received = b""
    while b"welcome" not in received:
        received += connection.recv(4096)
    # Idle, and not to be closed for saying nothing.
    text = b'{"type":"hello","guest":"G"}'
    connection.sendall(bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text)
    while b"ready" not in received:
        received += connection.recv(4096)
    return connection


def ask(connection):
    connection.sendall(REQUEST)
    assert b"200 OK" in connection.recv(4096)


def memory(binary, secure, count):
    """Bytes for each connection."""
    with (SecureServer if secure else process.Server)(binary, ["--loops", "1"]) as server:
        server.start()
        trust = context(server) if secure else None
        for connection in [open_websocket(server, trust) for _ in range(count // 10)]:
            connection.close()
        before = process.resident_bytes(server.pid)
        connections = [open_websocket(server, trust) for _ in range(count)]
        grown = (process.resident_bytes(server.pid) - before) / count
        for connection in connections:
            connection.close()
        return grown


def cost(binary, secure, resumed, count):
    """Microseconds of CPU for a connection that asks one thing."""
    with (SecureServer if secure else process.Server)(binary, ["--loops", "1"]) as server:
        server.start()
        trust = context(server) if secure else None
        session = None
        if resumed:
            first = connect(server, trust)
            ask(first)
            session = first.session
        began = process.cpu_seconds(server.pid)
        for _ in range(count):
            connection = connect(server, trust, session)
            ask(connection)
            if secure:
                assert connection.session_reused == resumed
            connection.close()
        time.sleep(0.1)
        return (process.cpu_seconds(server.pid) - began) / count * 1e6


def run(binary, connections, runs):
    """By name and unit: the figure of each run."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))

    def measure(function, *arguments):
        return [function(binary, *arguments, connections) for _ in range(runs)]

    return {
        ("idle WebSocket, without TLS", "B"): measure(memory, False),
        ("idle WebSocket, with TLS", "B"): measure(memory, True),
        ("a connection and a request, without TLS", "µs"): measure(cost, False, False),
        ("… with TLS 1.3, resumed", "µs"): measure(cost, True, True),
        ("… with TLS 1.3, in full", "µs"): measure(cost, True, False),
    }
