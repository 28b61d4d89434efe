"""The servers of the comparison, and the cases in which one client program measures them one after the other."""

import base64
import hashlib
import hmac
import importlib.util
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

import process

SOURCES = pathlib.Path(__file__).resolve().parent / "peers"
SERVER_CORE, LOAD_CORE = "0", "1"

# name: (measure, options, unit, what is divided)
CASES = {
    "fan-out 1 × 500, one at a time": ("fanout", {"members": 500, "rate": 100, "seconds": 4}, "us_each"),
    "fan-out 1 × 500, 16 in flight": ("fanout", {"members": 500, "window": 16, "seconds": 4}, "us_each"),
    "fan-out 1 × 500, saturated": ("fanout", {"members": 500, "window": 64, "seconds": 4}, "us_each"),
    "fan-out 1 × 5,000, one at a time": ("fanout", {"members": 5000, "rate": 5, "seconds": 5}, "us_each"),
    "fan-out 1 × 5,000, 16 in flight": ("fanout", {"members": 5000, "window": 16, "seconds": 5}, "us_each"),
    "fan-out 1 × 5,000, saturated": ("fanout", {"members": 5000, "window": 64, "seconds": 5}, "us_each"),
    "500 senders at once": ("burst", {"members": 500, "seconds": 4}, "us_each"),
    "relay of 1 KiB, each hop": ("relay", {"members": 20, "bytes": 1024, "seconds": 3}, "us_each"),
    "handshake": ("handshake", {"members": 5000}, "us_each"),
    "idle WebSocket, memory": ("idle", {"members": 5000, "join": 0, "seconds": 1}, "resident_each"),
    "idle attendee, memory": ("idle", {"members": 5000, "join": 2, "presence": "count", "seconds": 1}, "resident_each"),
    "join, 500 in one room": ("idle", {"members": 500, "join": 2, "presence": "count", "seconds": 1}, "us_each"),
    "join, 5,000 in one room": ("idle", {"members": 5000, "join": 2, "presence": "count", "seconds": 1}, "us_each"),
    "join, presence full, 500": ("idle", {"members": 500, "join": 2, "presence": "full", "seconds": 1}, "us_each"),
    "join, presence full, 5,000": ("idle", {"members": 5000, "join": 2, "presence": "full", "seconds": 2}, "us_each"),
}
OF_ROLLCALL = {name for name in CASES if name.startswith(("join", "idle attendee"))}


def compile_c(output, source, *options):
    compiler = shutil.which("cc") or shutil.which("clang")
    if not compiler:
        raise RuntimeError("there is no C compiler")
    subprocess.run([compiler, "-O2", "-o", output, source, *options], check=True)


def compile_program(folder, name, *libraries):
    compile_c(folder / name, SOURCES / f"{name}.c", *libraries)


def compile_programs(folder):
    """Builds the client program and the servers written in C."""
    compile_program(folder, "load")
    compile_program(folder, "floor", "-lcrypto")
    compile_program(folder, "uwebsockets", "-ldl")


class Server:
    """A server of the comparison, pinned to its core, on a port of its own."""

    dialect = "room"
    # Valgrind, for counting instructions.
    wrapper = ()

    def __init__(self, name, command):
        self.name = name
        self.command = command

    def __enter__(self):
        self.port = process.free_port()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="rollcall-peer-"))
        self.prepare()
        with open(self.folder / "log", "wb") as log:
            self.process = subprocess.Popen(
                ["taskset", "-c", SERVER_CORE, *self.wrapper, *self.arguments()], stdout=log, stderr=log, env=self.environment())
        try:
            self.wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def prepare(self):
        pass

    def environment(self):
        return os.environ

    def arguments(self):
        return [str(part).replace("PORT", str(self.port)) for part in self.command]

    def wait(self):
        for _ in range(600):
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.05)
        raise RuntimeError(f"{self.name} does not start: {(self.folder / 'log').read_text()[-400:]}")

    def options(self):
        return {}

    def end(self, number=signal.SIGKILL):
        if self.process.poll() is None:
            self.process.send_signal(number)
        self.process.wait(60)

    def __exit__(self, *_):
        self.end()
        shutil.rmtree(self.folder, ignore_errors=True)


class Nchan(Server):
    dialect = "nchan"

    def prepare(self):
        text = (SOURCES / "nchan.conf").read_text()
        text = text.replace("FOLDER", str(self.folder)).replace("PORT", str(self.port))
        (self.folder / "nginx.conf").write_text(text)

    def arguments(self):
        return ["nginx", "-p", str(self.folder), "-c", str(self.folder / "nginx.conf")]


class Rollcall(Server):
    dialect = "rollcall"
    extra = ()
    # One client is everybody here: what bounds a single person would bound the measurement.
    unbounded = ("--message-rate", 0, "--user-message-rate", 0, "--control-frame-rate", 0)

    def arguments(self):
        command = [*self.command, "serve", "--port", self.port, "--data", self.folder / "data", "--loops", "1"]
        return [str(part) for part in [*command, *self.unbounded, *self.extra]]

    def wait(self):
        super().wait()
        secret = (self.folder / "data" / "secret").read_bytes().strip()
        token = self.token(secret)
        for path, body in (
            ("", {"id": "bench", "title": "Bench", "instructor": "B", "guests": True, "admission": "open"}),
            ("bench/start/", None),
        ):
            request = urllib.request.Request(
                f"http://127.0.0.1:{self.port}/api/sessions/{path}", method="POST",
                data=json.dumps(body).encode() if body else b"",
                headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"})
            urllib.request.urlopen(request, timeout=60).read()

    @staticmethod
    def token(secret):
        def encode(data):
            return base64.urlsafe_b64encode(data).rstrip(b"=")

        claims = {"sub": "bench", "name": "B", "role": "admin", "exp": int(time.time()) + 3600}
        text = encode(b'{"alg":"HS256","typ":"JWT"}') + b"." + encode(json.dumps(claims).encode())
        return (text + b"." + encode(hmac.new(secret, text, hashlib.sha256).digest())).decode()


def socketify_library():
    found = importlib.util.find_spec("socketify")
    if not found:
        return None
    return pathlib.Path(found.origin).parent / "libsocketify_linux_amd64.so"


def servers(rollcall, folder):
    """Every server that can run here; Rollcall first, then what it is measured against."""
    strict = Rollcall("Rollcall", [rollcall])
    relaxed = Rollcall("… relaxed", [rollcall])
    relaxed.extra = ["--durability", "relaxed"]
    found = [strict, relaxed]
    if socketify_library():
        found.append(Server("uWebSockets", [folder / "uwebsockets", "PORT", socketify_library()]))
    found.append(Server("C floor", [folder / "floor", "PORT"]))
    if shutil.which("nginx") and list(pathlib.Path("/usr/lib/nginx/modules").glob("ngx_nchan_module.so")):
        found.append(Nchan("nchan", []))
    if shutil.which("node") and pathlib.Path("/usr/share/nodejs/ws").exists():
        found.append(NodeServer("node ws", ["node", SOURCES / "node.js", "PORT"]))
    if importlib.util.find_spec("websockets"):
        found.append(Server("websockets", [sys.executable, SOURCES / "python_websockets.py", "PORT"]))
    return found


class NodeServer(Server):
    def environment(self):
        return {**os.environ, "WS_MODULE": "/usr/share/nodejs/ws"}


def measure(folder, server, case, **changes):
    """One run of one case against a server that runs; what the client program reports."""
    kind, options, _ = CASES[case]
    return run_client(folder, server, kind, **{"session": "bench", **options, **changes})


def run_client(folder, server, kind, **options):
    command = [
        "taskset", "-c", LOAD_CORE, folder / "load", kind, server.dialect, server.port, server.process.pid,
        *(f"{key}={value}" for key, value in options.items())]
    result = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=180)
    if result.returncode:
        raise RuntimeError(result.stderr.strip()[-160:] or f"exit {result.returncode}")
    return json.loads(result.stdout)


def compare(rollcall, runs, cases=CASES, only=None):
    """Every case, run by run, server after server: what one run of the machine does to one it does to all."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="rollcall-peers-"))
    results = {}
    try:
        compile_programs(folder)
        everybody = servers(rollcall, folder)
        for case in cases:
            for _ in range(runs):
                for server in everybody:
                    if case in OF_ROLLCALL and server.dialect != "rollcall" or only and server.name not in only:
                        continue
                    if case.startswith("relay") and server.dialect == "nchan":
                        continue
                    try:
                        with server:
                            report = measure(folder, server, case)
                        results.setdefault(case, {}).setdefault(server.name, []).append(report)
                    except (RuntimeError, OSError, subprocess.SubprocessError) as error:
                        results.setdefault(case, {}).setdefault(server.name, []).append({"failed": str(error)[-160:]})
            yield case, results.get(case, {})
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def table_line(case, of_server, reference="uWebSockets"):
    """The median of each server with its spread, and what Rollcall's are of the reference's."""
    key = CASES[case][2]
    unit, digits = ("B", 0) if key == "resident_each" else ("µs", 2)
    cells, medians = {}, {}
    for name, reports in of_server.items():
        values = [report[key] for report in reports if key in report]
        if not values:
            cells[name] = ("failed", reports[0].get("failed", ""))
            continue
        medians[name] = statistics.median(values)
        spread = f"{min(values):.{digits}f} to {max(values):.{digits}f}" if len(values) > 1 else ""
        cells[name] = (f"{medians[name]:.{digits}f} {unit}", spread)
    ratios = {
        name: medians[name] / medians[reference] for name in ("Rollcall", "… relaxed")
        if name in medians and medians.get(reference)}
    return cells, ratios, medians


def count_instructions(rollcall):
    """User instructions for each delivery of a fan-out, as valgrind counts them; nothing where there is none."""
    if not shutil.which("valgrind") or not shutil.which("objcopy"):
        return {}
    folder = pathlib.Path(tempfile.mkdtemp(prefix="rollcall-instructions-"))
    counts = {}
    try:
        compile_programs(folder)
        # Valgrind cannot read the debug information of Swift.
        subprocess.run(["objcopy", "--strip-debug", rollcall, folder / "rollcall"], check=True)
        for server in servers(folder / "rollcall", folder):
            if server.name not in ("… relaxed", "uWebSockets", "C floor"):
                continue
            server.wrapper = ("valgrind", "--tool=callgrind", f"--callgrind-out-file={folder / 'out'}")
            totals = []
            for kind, options in (
                ("idle", {"members": 500, "seconds": 0.5}), ("fanout", {"members": 500, "window": 16, "seconds": 3})
            ):
                with server:
                    report = run_client(folder, server, kind, session="bench", **options)
                    server.end(signal.SIGTERM)
                    log = (server.folder / "log").read_text()
                found = re.search(r"Collected : (\d+)", log)
                if not found:
                    break
                totals.append((int(found[1]), report.get("deliveries_with_warm_up", 0)))
            if len(totals) == 2:
                counts[server.name] = (totals[1][0] - totals[0][0]) / totals[1][1]
    except (RuntimeError, OSError, subprocess.SubprocessError) as error:
        print(f"  instructions were not counted: {error}"[:200])
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return counts
