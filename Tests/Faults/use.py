"""What cannot work says why, and changes nothing."""

import asyncio
import subprocess

import rollcall
from checks import check

GRACE = 8


def run_to_the_end(command, folder):
    return subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20)


def refusal_problems(result, code):
    """A refusal has its exit code, and a sentence for a person on standard error."""
    problems = [] if result.returncode == code else [f"exit {result.returncode}, not {code}"]
    sentence = result.stderr.strip()
    if not sentence or len(sentence.splitlines()[0]) < 10:
        problems.append(f"no sentence: {sentence!r}")
    if any(word in result.stderr for word in ("Fatal error", "Stack dump", "SwiftError")):
        problems.append(f"not a sentence: {sentence[:300]}")
    return problems


async def test(binary, folder):
    """What cannot work says why, and leaves a running server alone."""
    server = rollcall.Server(binary, folder, GRACE)
    server.start()
    await server.ready()
    await rollcall.open_session(server)
    result = await asyncio.to_thread(run_to_the_end, server.command(port=rollcall.free_port()), folder)
    check("a second server on the same data folder", refusal_problems(result, 1))
    result = await asyncio.to_thread(run_to_the_end, server.command(data=folder / "other"), folder)
    check("a second server on the same port", refusal_problems(result, 1))
    status, _ = await asyncio.to_thread(server.request, "GET", f"/api/sessions/{rollcall.SESSION}/", rollcall.token("u"))
    check("the first server goes on", [] if status == 200 else [f"{status}"])
    check("the first server ends with 0", [] if await server.terminate() == 0 else [server.log_tail()])

    again = folder / "again"
    again.mkdir()
    first = rollcall.Server(binary, again, GRACE)
    first.start()
    await first.ready()
    second = rollcall.Server(binary, again, GRACE)
    second.port = first.port
    second.start()
    first.kill()
    await second.ready()
    check("a server started while the one before it dies", [] if await second.terminate() == 0 else [second.log_tail()])

    serve = [binary, "serve"]
    for arguments in (["--port", "99999"], ["--port", "x"], ["--grace", "soon"], ["--loops", "0"], ["--loops", "-1"], ["--no-such-option"], ["extra"]):
        check(f"rollcall serve {' '.join(arguments)}", refusal_problems(run_to_the_end(serve + arguments, folder), 2))
    check("rollcall nonsense", refusal_problems(run_to_the_end([binary, "nonsense"], folder), 2))
    short = folder / "short"
    short.write_text("too short")
    file = folder / "file"
    file.write_text("")
    for what, arguments in (
        ("a secret file that does not exist", ["--secret-file", str(folder / "nowhere"), "--data", str(folder / "d1")]),
        ("a secret that is too short", ["--secret-file", str(short), "--data", str(folder / "d2")]),
        ("a data folder that is a file", ["--secret-file", str(folder / "secret"), "--data", str(file)]),
        ("a host that is none of this machine", ["--secret-file", str(folder / "secret"), "--data", str(folder / "d3"), "--host", "192.0.2.1"]),
    ):
        check(what, refusal_problems(run_to_the_end(serve + ["--port", str(rollcall.free_port()), *arguments], folder), 1))
