"""A server with many scheduled sessions: what each takes in memory, and what a page of the list costs."""

import asyncio
import base64
import datetime
import hashlib
import hmac
import json
import random
import time

import process

UNLIMITED = [
    option
    for kind in ("reading", "changing", "creating", "joining")
    for scope in ("", "-address")
    for option in (f"--{kind}{scope}-rate", "0")
]
CONNECTIONS = 64
REQUESTS = 300
COURSES = [f"course-{number}" for number in range(400)]
SUBJECTS = ["Algebra", "Analysis", "Biology", "Chemistry", "Drawing", "English", "French", "Geometry", "History", "Physics"]


def token(server, user, role):
    def encode(value):
        return base64.urlsafe_b64encode(value).rstrip(b"=")

    claims = {"sub": user, "name": user, "role": role, "exp": int(time.time()) + 86_400}
    signed = encode(b'{"alg":"HS256","typ":"JWT"}') + b"." + encode(json.dumps(claims).encode())
    secret = (server.data / "secret").read_bytes().rstrip(b"\n")
    return (signed + b"." + encode(hmac.digest(secret, signed, hashlib.sha256))).decode()


class Client:
    """One connection that is kept."""

    async def open(self, server):
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", server.port)
        return self

    async def ask(self, method, path, bearer, body=None):
        content = json.dumps(body).encode() if body is not None else b""
        self.writer.write(
            f"{method} {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {bearer}\r\n"
            f"Content-Length: {len(content)}\r\n\r\n".encode() + content)
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
        length = int(head.lower().split("content-length: ")[1].split("\r\n")[0])
        return int(head.split()[1]), await self.reader.readexactly(length)


def session(number, random):
    start = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=30 * random.randrange(1, 20_000))
    subject = random.choice(SUBJECTS)
    return {
        "title": f"{subject}, lesson {number}", "description": "What we did not get to last time, and what comes of it.",
        "instructor": f"Teacher {number % 500}", "course": random.choice(COURSES), "kind": random.choice(["video", "audio"]),
        "tags": random.sample(["morning", "evening", "exam", "repeat"], random.randrange(3)), "admission": "registered",
        "visibility": random.choice(["listed", "listed", "members"]), "scheduled_at": start.isoformat(timespec="seconds"),
    }


async def fill(server, count):
    chance = random.Random(1)
    bearers = [token(server, f"teacher-{number}", "host") for number in range(500)]
    numbers = iter(range(count))

    async def work():
        client = await Client().open(server)
        for number in numbers:
            status, body = await client.ask("POST", "/api/sessions/", bearers[number % 500], session(number, chance))
            if status != 201:
                raise RuntimeError(f"{status} {body[:200]}")

    await asyncio.gather(*(work() for _ in range(CONNECTIONS)))


QUERIES = {
    "the first page": "",
    "far down, by cursor": None,
    "a course": "course=course-7",
    "a course, a kind and a tag": "course=course-7&kind=audio&tag=exam",
    "words": "q=geom+lesson+123",
    "a letter": "q=l",
    "a tag and a kind": "tag=exam&kind=audio",
    "a week": "from={week}&to={next}",
    "mine": "mine=hosted",
    "nothing fits": "status=ongoing&course=course-7",
    "nothing fits, in many": "kind=in_person",
}


async def pages(server, count):
    """The server's CPU time of a page, in milliseconds, by question and by who asks."""
    client = await Client().open(server)
    now = datetime.datetime.now(datetime.timezone.utc)
    times = {"week": (now + datetime.timedelta(days=90)).date(), "next": (now + datetime.timedelta(days=97)).date()}
    figures = {}
    for who, bearer in (("an admin", token(server, "root", "admin")), ("a teacher", token(server, "teacher-3", "host"))):
        _, body = await client.ask("GET", "/api/sessions/?limit=100", bearer)
        cursor = json.loads(body)["next"]
        for _ in range(count // 1000):
            _, body = await client.ask("GET", f"/api/sessions/?limit=100&cursor={cursor}", bearer)
            cursor = json.loads(body)["next"] or cursor
        for name, query in QUERIES.items():
            query = f"cursor={cursor}" if query is None else query.format(**times)
            before = process.cpu_seconds(server.pid)
            for _ in range(REQUESTS):
                status, body = await client.ask("GET", f"/api/sessions/?{query}", bearer)
            spent = process.cpu_seconds(server.pid) - before
            figures[f"{name}, {who}"] = {
                "status": status, "sessions": len(json.loads(body)["sessions"]), "cpu_ms": spent * 1000 / REQUESTS}
    return figures


def run(rollcall, count):
    """Fills a server and asks it; memory before, after, and after a restart."""
    with process.Server(rollcall, UNLIMITED) as server:
        server.start()
        empty = process.resident_bytes(server.pid)
        begin = time.monotonic()
        asyncio.run(fill(server, count))
        filled = time.monotonic() - begin
        full = process.resident_bytes(server.pid)
        figures = asyncio.run(pages(server, count))
        server.end(process.signal.SIGTERM)
        server.start()
        again = process.resident_bytes(server.pid)
        return {
            "sessions": count, "fill_seconds": filled, "bytes_each": (full - empty) / count,
            "bytes_each_after_restart": (again - empty) / count, "pages": figures}


if __name__ == "__main__":
    import sys

    print(json.dumps(run(sys.argv[1], int(sys.argv[2])), indent=1))
