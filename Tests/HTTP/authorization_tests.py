"""Authorization the other way round: of every route, who must not, cannot; and what is hidden looks like what does not exist."""

import concurrent.futures
import itertools
import pathlib
import re

import yaml
from platform_tests import later
from server import UNLIMITED, Person

NONE, STRANGER, REGISTERED, PARTICIPANT, COHOST, OTHER_HOST, HOST, ADMIN = ROLES = (
    "none", "stranger", "registered", "participant", "cohost", "host of another session", "host", "admin")
EVERYBODY = set(ROLES)
USERS = EVERYBODY - {NONE}
MEMBERS = {REGISTERED, PARTICIPANT, COHOST, HOST, ADMIN}
LEADERS = {COHOST, HOST, ADMIN}
OWNERS = {HOST, ADMIN}
CREATORS = {OTHER_HOST, HOST, ADMIN}

# The method and path, the state that the session is in, who may, and the body. Written down without looking at the code.
CELLS = [
    ("GET", "/api/sessions/", "scheduled", USERS, None),
    ("POST", "/api/sessions/", "scheduled", CREATORS, {"title": "New"}),
    ("GET", "/api/sessions/upcoming/", "scheduled", USERS, None),
    ("GET", "/api/sessions/{session}/", "scheduled", USERS, None),
    ("PUT", "/api/sessions/{session}/", "scheduled", OWNERS, {"title": "Other"}),
    ("PATCH", "/api/sessions/{session}/", "scheduled", OWNERS, {"title": "Other"}),
    ("DELETE", "/api/sessions/{session}/", "scheduled", OWNERS, None),
    ("DELETE", "/api/sessions/{session}/?purge=true", "scheduled", {ADMIN}, None),
    ("POST", "/api/sessions/{session}/approve/", "pending", OWNERS, None),
    ("POST", "/api/sessions/{session}/decline/", "pending", OWNERS, None),
    ("POST", "/api/sessions/{session}/withdraw/", "pending", set(), None),
    ("POST", "/api/sessions/{session}/reschedule/", "scheduled", OWNERS, {"scheduled_at": later(900)}),
    ("POST", "/api/sessions/{session}/start/", "scheduled", OWNERS, None),
    ("POST", "/api/sessions/{session}/end/", "live", OWNERS, None),
    ("POST", "/api/sessions/{session}/cancel/", "scheduled", OWNERS, None),
    ("POST", "/api/sessions/{session}/announce/", "live", LEADERS, None),
    ("GET", "/api/sessions/{session}/registrations/", "scheduled", LEADERS, None),
    ("POST", "/api/sessions/{session}/registrations/", "scheduled", LEADERS, {"invited": [{"user": "new"}]}),
    ("POST", "/api/sessions/{session}/registrations/{user}/approve/", "scheduled", LEADERS, None),
    ("POST", "/api/sessions/{session}/registrations/{user}/reject/", "scheduled", LEADERS, None),
    ("POST", "/api/sessions/{session}/waiting/admit/", "live", LEADERS, {"all": True}),
    ("POST", "/api/sessions/{session}/participants/{user}/mute/", "live", LEADERS, {"on": True}),
    ("POST", "/api/sessions/{session}/participants/{user}/ask_unmute/", "live", LEADERS, None),
    ("POST", "/api/sessions/{session}/participants/{user}/remove/", "live", LEADERS, None),
    ("POST", "/api/sessions/{session}/participants/{user}/ban/", "live", LEADERS, {"on": True}),
    ("POST", "/api/sessions/{session}/participants/{user}/promote/", "live", OWNERS, None),
    ("POST", "/api/sessions/{session}/participants/{user}/demote/", "live", OWNERS, None),
    ("POST", "/api/sessions/{session}/mute_all/", "live", LEADERS, {"on": True, "unmute_allowed": True}),
    ("POST", "/api/sessions/{session}/join/", "live", MEMBERS, None),
    ("GET", "/api/sessions/{session}/live_participants/", "live", MEMBERS, None),
    ("GET", "/api/sessions/{session}/attendance/", "live", MEMBERS, None),
    ("GET", "/api/sessions/{session}/attendance.csv/", "live", MEMBERS, None),
    ("GET", "/api/sessions/{session}/attendance/{user}/", "live", {REGISTERED, COHOST, HOST, ADMIN}, None),
    ("POST", "/api/sessions/{session}/join_live/", "live", MEMBERS - {PARTICIPANT}, None),
    ("POST", "/api/sessions/{session}/leave/", "live", MEMBERS, None),
    ("POST", "/api/sessions/{session}/leave_live/", "live", MEMBERS, None),
    ("POST", "/api/sessions/{session}/heartbeat/", "live", {PARTICIPANT, HOST}, None),
    ("GET", "/api/sessions/{session}/check_in_code/", "live", LEADERS, None),
    ("POST", "/api/sessions/{session}/participants/{user}/check_in/", "live", LEADERS, None),
    ("POST", "/api/sessions/{session}/participants/{user}/check_out/", "live", LEADERS, None),
    ("GET", "/api/sessions/{session}/chat/", "live", MEMBERS, None),
    ("GET", "/api/live/status/{session}/", "live", EVERYBODY, None),
    ("POST", "/api/live/start/{session}/", "scheduled", OWNERS, None),
    ("GET", "/api/live/join/{session}/", "live", MEMBERS, None),
    ("GET", "/api/live-sessions/", "live", USERS, None),
    ("GET", "/api/live-sessions/{session}/", "live", USERS, None),
    ("POST", "/api/admin/live-sessions/", "scheduled", CREATORS, {"title": "New"}),
    ("PUT", "/api/admin/live-sessions/{session}/", "scheduled", OWNERS, {"isLive": True}),
    ("DELETE", "/api/admin/live-sessions/{session}/", "scheduled", OWNERS, None),
    ("GET", "/api/notifications/", "scheduled", USERS, None),
    ("GET", "/api/notifications/unread_count/", "scheduled", USERS, None),
    ("POST", "/api/notifications/read_all/", "scheduled", USERS, None),
]

# Who is in already cannot come in without a socket, and who is not in cannot say to be still there.
ALREADY = {("/api/sessions/{session}/join_live/", role): "already_in_session" for role in (PARTICIPANT,)} | {
    ("/api/sessions/{session}/heartbeat/", role): "not_joined" for role in (REGISTERED, COHOST, ADMIN)}

# Routes that the table cannot say it of, and where it is said instead.
ELSEWHERE = {
    "POST /api/sessions/{session}/register/": "test_registering",
    "DELETE /api/sessions/{session}/register/": "test_registering",
    "POST /api/live-sessions/join/": "test_registering",
    "POST /api/notifications/{notification}/read/": "platform_tests.test_a_tutoring_platform",
    "POST /api/sessions/{session}/waiting/deny/": "test_waiting",
    "POST /api/sessions/{session}/check_in/": "the tests of attendance",
    "GET /.well-known/rollcall-report-keys.json": "anybody",
    "GET /api/thumbnails/{name}": "platform_tests.test_a_picture",
    "GET /ws": "the tests of upgrades", "GET /client": "anybody", "GET /health": "anybody", "GET /ready": "anybody", "GET /metrics": "the tests of figures",
}

numbers = itertools.count()


class Scene:
    """A session in some state, with its people."""

    def __init__(self, server, state, **fields):
        self.id = f"scene-{next(numbers)}"
        host = Person(server, "owner", "host")
        creator = Person(server, "asker") if state == "pending" else host
        fields = {"id": self.id, "title": "Scene", "scheduled_at": later(), **fields}
        if state == "pending":
            fields["host"] = "owner"
        creator.post("/api/sessions/", fields, 201)
        self.people = {
            STRANGER: Person(server, "stranger"), OTHER_HOST: Person(server, "other-owner", "host"),
            REGISTERED: Person(server, "registered"), PARTICIPANT: Person(server, "participant"),
            COHOST: Person(server, "cohost", "cohost", self.id), HOST: host, ADMIN: Person(server, "root", "admin"),
        }
        path = f"/api/sessions/{self.id}"
        if state != "pending":
            host.post(f"{path}/registrations/", {"invited": [{"user": "registered"}, {"user": "participant"}]})
        if state == "live":
            host.post(f"{path}/start/")
            self.people[PARTICIPANT].post(f"{path}/join/")


def filled(path, session):
    """The path of a session, about somebody in it: who is to be moderated is in the class, who is to be approved is not."""
    return path.replace("{session}", session).replace("{user}", "participant" if "/participants/" in path else "registered")


def cell(server, method, path, state, allowed, body, role):
    """What is wrong with one cell, if anything."""
    scene = Scene(server, state)
    target = filled(path, scene.id)
    answer = server.ask(method, target, body=body) if role == NONE else scene.people[role].ask(method, target, body)
    if role in allowed:
        return None if answer.status in (200, 201) else f"{method} {path} by {role}: {answer}"
    if (path, role) in ALREADY:
        return None if answer.status == 400 and answer.code == ALREADY[path, role] else f"{method} {path} by {role}: {answer}"
    expected = (401,) if role == NONE else (403, 404) if state == "pending" else (403,)
    return None if answer.status in expected else f"{method} {path} by {role}: {answer}"


def test_every_cell(server):
    """Each route by each role, each in a session of its own."""
    cells = [(*row[:5], role) for row in CELLS for role in ROLES]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        problems = [problem for problem in pool.map(lambda one: cell(server, *one), cells) if problem]
    assert not problems, "\n".join(problems)


def test_the_table_is_whole(server):
    """Every route of the server is in the description, and every one of the description in the table."""
    root = pathlib.Path(__file__).resolve().parents[2]
    description = root / "protocol" / "openapi.yaml"
    routes = {
        f"{method.upper()} {path}"
        for path, item in yaml.safe_load(description.read_text())["paths"].items()
        for method in item if method != "parameters"
    }
    known = {f"{method} {path.split('?')[0]}" for method, path, *_ in CELLS} | set(ELSEWHERE)
    assert routes == known, sorted(routes ^ known)
    code = (root / "Sources" / "SignalingServer" / "Routes.swift").read_text()
    served = {f"{method.upper()} {path}" for method, path in re.findall(r'Route\(\s*\.(\w+), "([^"]+)"', code)} | {"GET /ws"}
    described = {route.rstrip("/") for route in routes}
    assert served == described, sorted(served ^ described)


def test_hidden_and_unknown(server):
    """Who may not know of a session is answered to the byte as if it did not exist."""
    scene = Scene(server, "live", visibility="members")
    for method, path, _, _, body in CELLS:
        if "{session}" not in path:
            continue
        for role in (STRANGER, OTHER_HOST):
            answers = [
                scene.people[role].ask(method, filled(path, name), body)
                for name in (scene.id, "no-such-session")
            ]
            if path == "/api/live/status/{session}/":
                assert answers[0].json == {"is_active": False, "status": None, "room_name": None}
            else:
                assert answers[0].status == 404, (method, path, role, answers)
            same = [
                (answer.status, answer.body, [(name, value) for name, value in answer.headers.items() if name != "date"])
                for answer in answers
            ]
            assert same[0] == same[1], (method, path, role, answers)


def test_registering(server):
    """Who may see a session may ask to be let in to it, and be turned down."""
    scene = Scene(server, "live")
    path = f"/api/sessions/{scene.id}"
    assert server.ask("POST", f"{path}/register/").status == 401
    assert scene.people[STRANGER].post(f"{path}/register/")["registration"]["state"] == "requested"
    assert scene.people[STRANGER].delete(f"{path}/register/")["registration"]["state"] == "withdrawn"
    assert server.ask("DELETE", f"{path}/register/").status == 401
    assert server.ask("POST", "/api/live-sessions/join/", body={"sessionId": scene.id}).status == 401
    scene.people[STRANGER].post("/api/live-sessions/join/", {"sessionId": scene.id}, 403)
    scene.people[REGISTERED].post("/api/live-sessions/join/", {"sessionId": scene.id})
    hidden = Scene(server, "live", visibility="members")
    for person in (scene.people[STRANGER], scene.people[OTHER_HOST]):
        person.post(f"/api/sessions/{hidden.id}/register/", expecting=404)
        person.delete(f"/api/sessions/{hidden.id}/register/", 404)
        person.post("/api/live-sessions/join/", {"sessionId": hidden.id}, 404)


def test_waiting(server):
    """Who leads the class turns away who waits, and nobody else does; nobody can be turned away who does not wait."""
    scene = Scene(server, "live")
    for role in ROLES[1:]:
        answer = scene.people[role].ask("POST", f"/api/sessions/{scene.id}/waiting/deny/", {"user": "stranger"})
        assert (answer.status, answer.code) == ((404, "not_on_list") if role in LEADERS else (403, "forbidden")), (role, answer)
    assert scene.people[HOST].ask("POST", f"/api/sessions/{scene.id}/waiting/admit/", {}).code == "missing_field"


def test_lists_show_no_more(server):
    """What is not for somebody is in none of the lists either, and room names are in none at all."""
    hidden = Scene(server, "live", visibility="members")
    pending = Scene(server, "pending")
    for path in ("/api/sessions/?limit=100", "/api/sessions/upcoming/?limit=100", "/api/live-sessions/?limit=100"):
        for role in (STRANGER, OTHER_HOST):
            shown = str(hidden.people[role].get(path))
            assert f"'{hidden.id}'" not in shown and f"'{pending.id}'" not in shown, (path, role)
            assert "room_name" not in shown and f"{hidden.id}_" not in shown
    for role in (REGISTERED, HOST, ADMIN):
        assert hidden.people[role].get("/api/sessions/?q=scene&status=live&limit=100")["sessions"]


for test in list(globals().values()):
    if callable(test) and getattr(test, "__name__", "").startswith("test_"):
        test.options = UNLIMITED

ALL = [value for name, value in sorted(globals().items()) if name.startswith("test_")]
