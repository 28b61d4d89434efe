"""The life of several kinds of platform, by plain HTTP, as a newcomer would try it with curl."""

import datetime
import struct
import threading
import time
import zlib

from server import Person, expect, form


def later(minutes=60):
    time = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=minutes)
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def picture(width=1):
    """A PNG."""

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, 1, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * (width + 1))) + chunk(b"IEND", b"")


def test_a_school(server):
    """A teacher plans a class, pupils register, are approved, join, leave; the report says who was there."""
    teacher, ada, bob, eve = (Person(server, "teacher", "host"), *(Person(server, user) for user in ("ada", "bob", "eve")))
    created = teacher.post(
        "/api/sessions/",
        {"title": "Algebra II", "course": "maths", "tags": ["linear"], "scheduled_at": later(), "invited": [{"user": "bob", "name": "Bob"}]}, 201)
    path = f"/api/sessions/{created['id']}"
    assert created["status"] == "scheduled" and created["room_name"].startswith(created["id"])
    assert "room_name" not in ada.get(path)
    ada.post(f"{path}/join/", expecting=403)

    assert ada.post(f"{path}/register/")["registration"] == {"user": "ada", "state": "requested"}
    waiting = [entry["user"] for entry in teacher.get(f"{path}/registrations/")["registrations"] if entry["state"] == "requested"]
    assert waiting == ["ada"]
    ada.get(f"{path}/registrations/", 403)
    assert teacher.post(f"{path}/registrations/ada/approve/")["registration"]["state"] == "approved"
    eve.post(f"{path}/register")
    teacher.post(f"{path}/registrations/eve/reject/")
    teacher.post(f"{path}/registrations/nobody/approve/", expecting=404)

    assert ada.get("/api/live/status/" + created["id"])["is_active"] is False
    started = teacher.post(f"{path}/start/")["session"]
    assert started["status"] == "ongoing" and started["participants"] == 1
    assert teacher.ask("POST", f"{path}/start/").code == "wrong_state"
    for pupil in (ada, bob):
        joined = pupil.post(f"{path}/join/")
        assert joined["ticket"] and joined["url"] == f"ws://127.0.0.1:{server.port}/ws"
    eve.post(f"{path}/join/", expecting=403)
    here = {person["user"]["id"] for person in teacher.get(f"{path}/live_participants/")["participants"]}
    assert here == {"teacher", "ada", "bob"}, here
    assert ada.get("/api/live/status/" + created["id"])["room_name"] == created["room_name"]
    bob.post(f"{path}/leave/")
    ended = teacher.post(f"{path}/end/")["session"]
    assert ended["status"] == "completed" and ended["ended_at"]
    report = teacher.get(f"{path}/attendance/")
    assert created["id"] in str(report) and "ada" in str(report)
    assert "bob" not in str(ada.get(f"{path}/attendance/")["participants"])


def test_a_tutoring_platform(server):
    """A pupil asks a tutor for an hour; both move it; the tutor agrees; everybody is told."""
    tutor, pupil, stranger = Person(server, "tutor", "host"), Person(server, "pupil"), Person(server, "stranger")
    asked = pupil.post("/api/sessions/", {"title": "One to one", "host": "tutor", "capacity": 2}, 201)
    path = f"/api/sessions/{asked['id']}"
    assert asked["status"] == "pending_approval" and asked["host"] == "tutor"
    stranger.get(path, 404)
    told = tutor.get("/api/notifications/")
    assert [entry["kind"] for entry in told["notifications"]] == ["requested"] and told["unread"] == 1, told
    tutor.post(f"{path}/reschedule/", {"scheduled_at": later(300), "reason": "I am away"})
    pupil.post(f"{path}/reschedule", {"scheduled_at": later(360)})
    pupil.post(f"{path}/approve/", expecting=403)
    agreed = tutor.post(f"{path}/approve/")["session"]
    assert agreed["status"] == "scheduled", agreed
    kinds = [entry["kind"] for entry in pupil.get("/api/notifications/")["notifications"]]
    assert kinds == ["approved", "rescheduled"], kinds
    newest = pupil.get("/api/notifications/")["notifications"][0]["id"]
    pupil.post(f"/api/notifications/{newest}/read/")
    tutor.post(f"/api/notifications/{newest}/read/", expecting=404)
    assert pupil.get("/api/notifications/unread_count/")["unread"] == 1
    server.restart()
    assert [entry["read"] for entry in pupil.get("/api/notifications/")["notifications"]] == [True, False]
    pupil.post("/api/notifications/read_all/")
    assert pupil.get("/api/notifications/")["unread"] == 0
    tutor.post(f"{path}/cancel/", {"reason": "ill"})
    cancelled = pupil.get("/api/notifications/")["notifications"][0]
    assert cancelled["kind"] == "cancelled" and "ill" in cancelled["text"]

    other = pupil.post("/api/sessions/", {"title": "Another", "host": "tutor"}, 201)
    tutor.post(f"/api/sessions/{other['id']}/decline/", {"reason": "no time"})
    assert pupil.get(f"/api/sessions/{other['id']}/")["status"] == "cancelled"
    third = pupil.post("/api/sessions/", {"title": "A third", "host": "tutor"}, 201)
    pupil.post(f"/api/sessions/{third['id']}/withdraw/")


def test_a_streaming_site(server):
    """The front end that knows `live-sessions` only."""
    admin, viewer, other = Person(server, "root", "admin"), Person(server, "viewer"), Person(server, "other")
    stored = admin.post(
        "/api/admin/live-sessions",
        {"title": "Opening", "videoUrl": "https://video.example/1", "instructor": "Grace", "isLive": True}, 201)
    assert stored["isLive"] is True and stored["_id"]
    admin.post("/api/admin/live-sessions", {"title": "Later", "startTime": later(600)}, 201)
    viewer.post("/api/admin/live-sessions", {"title": "Mine"}, 403)
    listed = viewer.get("/api/live-sessions/")
    assert [entry["isLive"] for entry in listed] == sorted((entry["isLive"] for entry in listed), reverse=True)
    watching = viewer.post("/api/live-sessions/join/", {"sessionId": stored["_id"], "userId": "somebody else"})
    assert watching["videoUrl"] == "https://video.example/1" and watching["record"]["userId"] == "viewer"
    assert watching["record"]["joinTime"] and watching["record"]["watchDuration"] == 0
    viewer.post("/api/live-sessions/join/", {"sessionId": stored["_id"]})
    other.post("/api/live-sessions/join/", {"sessionId": stored["_id"]})
    for _ in range(50):  # the list follows within a moment
        shown = next(entry for entry in viewer.get("/api/live-sessions") if entry["_id"] == stored["_id"])
        if shown["watching"] == 2:
            break
        time.sleep(0.1)
    assert shown["participants"] == 2 and shown["watching"] == 2, shown
    changed = admin.put(f"/api/admin/live-sessions/{stored['_id']}", {"isLive": False, "title": "Over"})
    assert changed["isLive"] is False and changed["title"] == "Over"
    admin.put(f"/api/admin/live-sessions/{stored['_id']}", {"isLive": False})
    viewer.post("/api/live-sessions/join/", {"sessionId": stored["_id"]}, 400)
    admin.delete(f"/api/admin/live-sessions/{stored['_id']}")
    viewer.get(f"/api/live-sessions/{stored['_id']}", 404)


def test_a_video_plugin(server):
    """The front end that asks for a room name and builds the call itself."""
    host, pupil = Person(server, "host", "host", "plugin-room"), Person(server, "pupil")
    assert pupil.get("/api/live/status/plugin-room/") == {"is_active": False, "status": None, "room_name": None}
    room = host.post("/api/live/start/plugin-room/")
    assert room["is_active"] and room["room_name"].startswith("plugin-room_") and len(room["room_name"]) <= 255
    assert host.get("/api/live/join/plugin-room/") == room
    granted = Person(server, "guest-by-token", "participant", "plugin-room")
    assert granted.get("/api/live/join/plugin-room/") == room
    host.post("/api/sessions/plugin-room/end/")
    granted.get("/api/live/join/plugin-room/", 403)
    Person(server, "x", "participant", "another").get("/api/live/join/plugin-room/", 404)


def test_a_picture(server):
    """A form with a picture, which is served to whoever has its address, and a form with something else."""
    teacher = Person(server, "painter", "host")
    body, kind = form(
        {"title": "Painting", "duration_minutes": "90", "guests": "on", "tags": '["art"]'}, {"thumbnail": ("../../x.png", picture())})
    created = teacher.post("/api/sessions/", raw=body, headers={"Content-Type": kind}, expecting=201)
    assert created["duration_minutes"] == 90 and created["guests"] and created["tags"] == ["art"]
    for _ in range(2):
        shown = server.ask("GET", created["thumbnail"])
        assert shown.status == 200 and shown.body == picture() and shown.headers["content-type"] == "image/png"
        assert shown.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in shown.headers["content-security-policy"]
        server.restart()
    assert server.ask("GET", "/api/thumbnails/aaaaaaaaaaaaaaaaaaaaaaaaaa.png").status == 404
    assert server.ask("GET", "/api/thumbnails/..%2Fsecret").status == 404
    for content in (b"<svg onload=alert(1)>", b"GIF", b"\x89PNG"):
        body, kind = form({"title": "No"}, {"thumbnail": ("x.png", content)})
        refused = teacher.ask("POST", "/api/sessions/", raw=body, headers={"Content-Type": kind})
        assert refused.status == 422 and refused.json["error"]["details"]["field"] == "thumbnail", refused
    body, kind = form({"title": "Large"}, {"thumbnail": ("x.png", picture() + b"\0" * (5 << 20))})
    assert teacher.ask("POST", "/api/sessions/", raw=body, headers={"Content-Type": kind}).status == 413
    body, kind = form({"title": "Largest allowed"}, {"thumbnail": ("x.png", picture() + b"\0" * ((5 << 20) - len(picture())))})
    teacher.post("/api/sessions/", raw=body, headers={"Content-Type": kind}, expecting=201)
    body, kind = form({"title": "Wrong", "capacity": "many"}, {})
    assert teacher.ask("POST", "/api/sessions/", raw=body, headers={"Content-Type": kind}).json["error"]["details"]["field"] == "capacity"


def test_edits(server):
    """What is edited is changed, what is not given stays, null clears, and a deleted session is gone."""
    teacher, pupil = Person(server, "editor", "host"), Person(server, "reader")
    created = teacher.post("/api/sessions/", {"title": "First", "capacity": 5, "scheduled_at": later(), "instructor": "Ada"}, 201)
    path = f"/api/sessions/{created['id']}/"
    changed = teacher.patch(path, {"title": "Second", "capacity": None})
    assert (changed["title"], changed["capacity"], changed["instructor"]) == ("Second", None, "Ada")
    assert changed["rev"] > created["rev"]
    assert teacher.put(path, {"title": "Third", "tags": ["x"], "invited": [{"user": "reader"}]})["tags"] == ["x"]
    assert teacher.get(path + "registrations")["registrations"][0]["user"] == "reader"
    assert expect(teacher.ask("PUT", path, {"instructor": "Bob"}), 422)["error"]["details"]["field"] == "title"
    for field, value in (("title", ""), ("duration_minutes", 0), ("video_url", "javascript:alert(1)"), ("reminders", [0]), ("time_zone", "Mars/Olympus")):
        assert expect(teacher.ask("PATCH", path, {field: value}), 422)["error"]["details"]["field"] == field
    pupil.patch(path, {"title": "Mine"}, 403)
    pupil.delete(path, 403)
    teacher.delete(path)
    teacher.get(path, 404)


def test_lists(server):
    """Filters narrow the list, and pages follow each other."""
    teacher, pupil = Person(server, "planner", "host"), Person(server, "visitor")
    for number in range(12):
        teacher.post(
            "/api/sessions/",
            {"id": f"lesson-{number}", "title": f"Zoology lesson {number}", "course": "zoo", "kind": "audio" if number % 2 else "video",
             "tags": ["even"] if number % 2 == 0 else [], "scheduled_at": later(60 * (number + 1))}, 201)
    found, cursor = [], ""
    while cursor is not None:
        page = pupil.get(f"/api/sessions/?course=zoo&limit=5&cursor={cursor}")
        found += [session["id"] for session in page["sessions"]]
        cursor = page["next"]
    assert found == [f"lesson-{number}" for number in reversed(range(12))], found

    def ids(query):
        return [session["id"] for session in pupil.get(f"/api/sessions/?course=zoo&{query}")["sessions"]]

    assert len(ids("kind=audio")) == 6 and len(ids("tag=even&kind=video")) == 6 and ids("tag=even&kind=audio") == []
    assert ids("q=zool+11") == ["lesson-11"] and ids("q=oology") == []
    assert ids(f"from={later(60 * 11.5)}") == ["lesson-11"] and ids(f"to={later(90)}") == ["lesson-0"]
    assert ids("status=scheduled,live") == found and ids("status=in-progress") == []
    assert [session["id"] for session in teacher.get("/api/sessions/upcoming/?course=zoo&limit=2")["sessions"]] == ["lesson-0", "lesson-1"]
    assert len(teacher.get("/api/sessions/?mine=hosted&limit=100")["sessions"]) == 12
    assert pupil.get("/api/sessions/?mine=attended")["sessions"] == []
    mine = pupil.get("/api/sessions/?course=zoo&limit=1")["next"]
    for query in ("status=open", "mine=all", "limit=0", "from=soon", "q=%21", "cursor=abc", f"cursor={mine[:-1]}x"):
        refused = pupil.ask("GET", f"/api/sessions/?{query}")
        assert refused.status == 422 and refused.json["error"]["details"]["field"] == query.split("=")[0], (query, refused)
    teacher.get(f"/api/sessions/?cursor={mine}", 422)


def test_repetitions(server):
    """With the same key the same request is answered alike and done once."""
    teacher = Person(server, "repeater", "host")
    path = None
    for _ in range(2):
        created = teacher.post("/api/sessions/", {"title": "Once"}, 201, headers={"Idempotency-Key": "k1"})
        assert path in (None, f"/api/sessions/{created['id']}/")
        path = f"/api/sessions/{created['id']}/"
    for action in ("start", "end"):
        answers = [teacher.post(f"{path}{action}/", headers={"Idempotency-Key": action}) for _ in range(2)]
        assert answers[0] == answers[1]
    conflict = teacher.ask("POST", f"{path}start/", headers={"Idempotency-Key": "end"})
    assert conflict.code == "key_conflict"
    assert teacher.ask("POST", f"{path}start/", headers={"Idempotency-Key": ""}).status == 422


def test_browsers_from_elsewhere(server):
    """Pages of a listed origin may ask, those of others get no leave; nobody needs one to ask without a browser."""
    ask = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    for path in ("/api/sessions/", "/api/sessions/x/start", "/api/live-sessions/join", "/api/notifications/"):
        allowed = server.ask("OPTIONS", path, headers={"Origin": "https://school.example", **ask})
        assert allowed.status == 204 and allowed.headers["access-control-allow-origin"] == "https://school.example"
        assert "Authorization" in allowed.headers["access-control-allow-headers"] and "Origin" in allowed.headers["vary"]
        for origin in ("https://evil.example", "null", "https://school.example.evil", "http://school.example"):
            refused = server.ask("OPTIONS", path, headers={"Origin": origin, **ask})
            assert refused.status == 204 and "access-control-allow-origin" not in refused.headers
    answer = server.ask("GET", "/api/sessions/", headers={"Origin": "https://school.example"})
    assert answer.status == 401 and answer.headers["access-control-allow-origin"] == "https://school.example"
    assert "access-control-allow-origin" not in server.ask("GET", "/api/sessions/").headers


def test_too_many(server):
    """Who asks too often is told when to come again, and others are not held up."""
    answers = []

    def hammer():
        token = server.token("hammer", "host")
        answers.extend(server.ask("POST", "/api/sessions/", token, {"title": "T"}) for _ in range(90))

    threads = [threading.Thread(target=hammer) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    refused = [answer for answer in answers if answer.status == 429]
    assert refused, {answer.status for answer in answers}
    assert all(answer.code == "rate_limited" and int(answer.headers["retry-after"]) >= 1 for answer in refused)
    Person(server, "patient", "host").post("/api/sessions/", {"title": "T"}, 201)


ALL = [value for name, value in sorted(globals().items()) if name.startswith("test_")]
