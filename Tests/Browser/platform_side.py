"""What a course platform does: it gives its users tokens, and makes sessions over HTTP."""

import base64
import hashlib
import hmac
import json
import time
import urllib.error
import urllib.request


def token(server, user: str, seconds: float = 3600, session: str | None = "", **claims) -> str:
    """A token of a platform that shares the server's secret: for the demo session, another, or (None) for no session alone."""
    def part(value: bytes) -> str:
        return base64.urlsafe_b64encode(value).rstrip(b"=").decode()

    claims = {"sub": user, "name": user.capitalize(), "exp": int(time.time() + seconds), **claims}
    if session is not None:
        claims["session"] = session or server.session
    text = f"{part(json.dumps({'alg': 'HS256'}).encode())}.{part(json.dumps(claims).encode())}"
    secret = (server.data / "secret").read_bytes().strip()
    return f"{text}.{part(hmac.new(secret, text.encode(), hashlib.sha256).digest())}"


def request(server, method: str, path: str, bearer: str, body: dict | None = None) -> dict:
    """Speaks to the HTTP API; refusals raise."""
    call = urllib.request.Request(
        server.origin + path, method=method, data=json.dumps(body).encode() if body is not None else None,
        headers={"Authorization": f"Bearer {bearer}", "Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(call, timeout=20) as answer:
            return json.loads(answer.read() or b"{}")
    except urllib.error.HTTPError as refusal:
        raise AssertionError(f"{method} {path}: {refusal.code} {refusal.read().decode()}") from None


def create(server, **fields) -> str:
    """Makes a session of the user `ada`, who is called Ada; returns its id."""
    host = token(server, "ada", session=None, role="host")
    return request(server, "POST", "/api/sessions/", host, {"title": "Algebra", **fields})["id"]


def link(server, session: str, user: str, **claims) -> str:
    """The link that the platform gives a user: with a token that is not for this session alone."""
    return f"{server.origin}/#session={session}&token={token(server, user, session=None, **claims)}"


def home(server, user: str, **claims) -> str:
    """The link to the list of a user's classes."""
    return f"{server.origin}/#token={token(server, user, session=None, **claims)}"
