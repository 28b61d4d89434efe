"""Everybody loses the server at once, and comes back."""

import json
import signal
import subprocess
import time

import process


def run(rollcall, loadtest, people=10_000, sessions=20, ending=signal.SIGKILL, down_seconds=1.0, progress=None):
    """Brings people in, ends the server, starts it again, and waits until all are back; what the load tester reports."""
    with process.Server(rollcall) as server:
        server.start()
        tester = subprocess.Popen(
            [
                str(loadtest), "--url", server.url, "--secret-file", str(server.data / "secret"), "--pid", str(server.pid),
                "--sessions", str(sessions), "--attendees", str(people // sessions - 1), "--presence", "count",
                "--chat-rate", "0.5", "--quiet-ramp", "--in-flight", "200", "--seconds", "3", "--herd",
                "--herd-seconds", "120", "--grace", "60",
            ],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=progress or subprocess.PIPE, text=True)
        try:
            line = tester.stdout.readline()
            if not line.startswith("herd:"):
                _, errors = tester.communicate(timeout=60)
                raise RuntimeError(f"the load tester did not come so far: {line}{(errors or '')[-2000:]}")
            # For some time to speak before and after.
            time.sleep(2)
            status = server.end(ending)
            time.sleep(down_seconds)
            started, ready = server.start()
            tester.stdin.write(f"ready {ready} {server.pid}\n")
            tester.stdin.flush()
            output, errors = tester.communicate(timeout=300)
        finally:
            if tester.poll() is None:
                tester.kill()
                tester.wait()
    report = json.loads(output.strip().splitlines()[-1])
    report["table"] = errors or ""
    report["exit_status"] = status
    report["start_to_ready_ms"] = (ready - started) / 1e6
    return report
