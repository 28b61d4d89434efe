"""The server under test: the real binary with a data folder of its own, and plain HTTP to it."""

import base64
import hashlib
import hmac
import http.client
import json
import pathlib
import re
import signal
import subprocess
import tempfile
import time


# No limit of rates, for tests that are thousands of requests of one user.
UNLIMITED = tuple(
    option
    for kind in ("reading", "changing", "creating", "joining")
    for scope in ("", "-address")
    for option in (f"--{kind}{scope}-rate", "0")
)


class Answer:
    """What a request was answered with."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = {name.lower(): value for name, value in headers}
        self.body = body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        return self.json["error"]["code"]

    def __repr__(self):
        return f"{self.status} {self.body[:300]!r}"


def form(fields, files):
    """A multipart/form-data body, and its type."""
    boundary = "----rollcall-form"
    parts = b""
    for name, value in fields.items():
        parts += f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
    for name, (filename, content) in files.items():
        head = f'Content-Disposition: form-data; name="{name}"; filename="{filename}"\r\nContent-Type: image/png'
        parts += f"--{boundary}\r\n{head}\r\n\r\n".encode() + content + b"\r\n"
    return parts + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


class Server:
    SECRET = "the secret of the HTTP tests, 32 bytes and more"

    def __init__(self, binary, *options):
        self.folder = tempfile.TemporaryDirectory(prefix="rollcall-http-")
        self.data = pathlib.Path(self.folder.name) / "data"
        secret = pathlib.Path(self.folder.name) / "secret"
        secret.write_text(self.SECRET)
        secret.chmod(0o600)
        self.command = [binary, "serve", "--port", "0", "--data", self.data, "--secret-file", secret, *options]
        self.start()

    def start(self):
        self.log = open(pathlib.Path(self.folder.name) / "log", "ab")
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=self.log, text=True)
        self.port = None
        while self.port is None:
            line = self.process.stdout.readline()
            if not line:
                raise SystemExit("the server does not start:\n" + self.log_text)
            if match := re.search(r"listening https?://\S+:(\d+)", line):
                self.port = int(match.group(1))

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.process.wait(timeout=20)
        self.log.close()

    def restart(self, how=signal.SIGTERM):
        self.stop(how)
        self.start()

    @property
    def log_text(self):
        return (pathlib.Path(self.folder.name) / "log").read_text(errors="replace")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.stop()
        self.folder.cleanup()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def token(self, user, role="participant", session=None, expires=3600, **claims):
        """A token as a platform signs it."""

        def encode(value):
            return base64.urlsafe_b64encode(value).rstrip(b"=")

        claims = {"sub": user, "name": user.capitalize(), "role": role, "exp": int(time.time()) + expires, **claims}
        if session:
            claims["session"] = session
        signed = encode(b'{"alg":"HS256","typ":"JWT"}') + b"." + encode(json.dumps(claims).encode())
        return (signed + b"." + encode(hmac.digest(self.SECRET.encode(), signed, hashlib.sha256))).decode()

    def ask(self, method, path, token=None, body=None, headers=None, raw=None):
        """One request on a connection of its own."""
        headers = dict(headers or {})
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if raw is None and body is not None:
            raw = json.dumps(body).encode()
            headers.setdefault("Content-Type", "application/json")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.request(method, path, body=raw, headers=headers)
        response = connection.getresponse()
        answer = Answer(response.status, response.getheaders(), response.read())
        connection.close()
        return answer


class Person:
    """Somebody of a platform, with a token."""

    def __init__(self, server, user, role="participant", session=None):
        self.server, self.user, self.role, self.session = server, user, role, session

    def ask(self, method, path, body=None, **more):
        token = self.server.token(self.user, self.role, self.session)
        return self.server.ask(method, path, token, body, **more)

    def get(self, path, expecting=200):
        return expect(self.ask("GET", path), expecting)

    def post(self, path, body=None, expecting=200, **more):
        return expect(self.ask("POST", path, body, **more), expecting)

    def put(self, path, body=None, expecting=200):
        return expect(self.ask("PUT", path, body), expecting)

    def patch(self, path, body=None, expecting=200):
        return expect(self.ask("PATCH", path, body), expecting)

    def delete(self, path, expecting=200):
        return expect(self.ask("DELETE", path), expecting)


def expect(answer, status):
    """The JSON of an answer that has this status."""
    if answer.status != status:
        raise AssertionError(f"expected {status}, got {answer}")
    return answer.json if answer.body else None
