"""A Rollcall server and a load tester as child processes, and what they use."""

import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid):
    """User and system time of a process and all its threads (proc(5))."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident_bytes(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return int(fields[21]) * os.sysconf("SC_PAGESIZE")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A server on one folder and port, which can be ended and started again."""

    def __init__(self, binary, options=()):
        self.binary = str(binary)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="rollcall-bench-"))
        self.data = self.folder / "data"
        self.port = free_port()
        self.options = list(options)
        self.process = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self):
        return self.process.pid

    def start(self):
        """Starts it; returns the monotonic nanoseconds of the start and of the first 200 of /ready."""
        started = time.monotonic_ns()
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                [self.binary, "serve", "--port", str(self.port), "--data", str(self.data), *self.options],
                stdout=log, stderr=log)
        while True:
            if self.process.poll() is not None:
                raise RuntimeError((self.folder / "log").read_text()[-2000:])
            if self.is_ready():
                return started, time.monotonic_ns()
            time.sleep(0.002)

    def is_ready(self):
        try:
            with urllib.request.urlopen(f"{self.url}/ready", timeout=5) as answer:
                return answer.status == 200
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    def metrics(self):
        """The numbers of /metrics by name; none when the server has no such page."""
        try:
            with urllib.request.urlopen(f"{self.url}/metrics", timeout=5) as answer:
                text = answer.read().decode()
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return {}
        numbers = {}
        for line in text.splitlines():
            if line and not line.startswith("#"):
                name, _, value = line.rpartition(" ")
                numbers[name] = float(value)
        return numbers

    def end(self, number=signal.SIGKILL):
        """Ends it; returns the exit status."""
        self.process.send_signal(number)
        return self.process.wait(60)

    def remove(self):
        if self.process and self.process.poll() is None:
            self.end()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.remove()


def load(loadtest, server, *options):
    """Runs the load tester to its end; what it reports."""
    command = [
        str(loadtest), "--url", server.url, "--secret-file", str(server.data / "secret"), "--pid", str(server.pid),
        *map(str, options)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=600)
    if not result.stdout.strip():
        raise RuntimeError(result.stderr[-2000:])
    report = json.loads(result.stdout.strip().splitlines()[-1])
    report["table"] = result.stderr
    return report
