"""The running server is what protocol/openapi.yaml says: schemathesis makes requests of it and judges the answers."""

import pathlib
import subprocess
import sys

from platform_tests import later
from server import UNLIMITED, Person

DESCRIPTION = pathlib.Path(__file__).resolve().parents[2] / "protocol" / "openapi.yaml"
SECONDS = 60
# Sessions and people that there are, so that what lies behind their names is reached.
SETTINGS = """
[dictionaries.sessions]
values = ["scheduled", "live", "over"]
[dictionaries.users]
values = ["root", "ada"]
[parameters]
"path.session" = {dictionary = "sessions", probability = 0.9}
"path.user" = {dictionary = "users", probability = 0.9}
"""
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance"


def test_schemathesis(server):
    """No answer that is not described, no 5xx; of an administrator, for whom everything exists."""
    admin = Person(server, "root", "admin")
    for state in ("scheduled", "live", "over"):
        admin.post("/api/sessions/", {"id": state, "title": state, "scheduled_at": later()}, 201)
        if state != "scheduled":
            admin.post(f"/api/sessions/{state}/start/")
        if state == "over":
            admin.post(f"/api/sessions/{state}/end/")
    admin.post("/api/sessions/live/registrations/", {"invited": [{"user": "ada"}]})
    Person(server, "ada").post("/api/sessions/live/join/")
    settings = pathlib.Path(server.folder.name) / "schemathesis.toml"
    settings.write_text(SETTINGS)
    schemathesis = pathlib.Path(sys.executable).with_name("schemathesis")
    run = subprocess.run(
        [schemathesis, "--config-file", settings, "run", DESCRIPTION, "--url", server.url,
         "--header", f"Authorization: Bearer {server.token('root', 'admin')}",
         "--checks", CHECKS, "--max-time", str(SECONDS), "--workers", "1", "--exclude-path", "/ws", "--no-color",
         # The same requests each time: what CI refuses can be tried here.
         "--seed", "1", "--generation-deterministic"],
        capture_output=True, text=True, timeout=SECONDS * 3, cwd=server.folder.name)
    print("\n".join(line for line in run.stdout.splitlines() if "generated" in line or "passed" in line))
    assert run.returncode == 0, run.stdout[-20000:] + run.stderr[-2000:]
    assert server.process.poll() is None, server.log_text
    # Whatever was asked, the server lives, and what it keeps can be read back.
    server.restart()
    assert admin.get("/api/sessions/live/")["id"] == "live"


test_schemathesis.options = UNLIMITED

ALL = [test_schemathesis]
