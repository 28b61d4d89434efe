"""The server under test: the real binary, with a data folder of its own."""

import asyncio
import re
import shutil
import signal
import tempfile
from pathlib import Path


class Server:
    def __init__(self, binary: str, log: Path, options: tuple[str, ...] = ()):
        self.binary = binary
        self.options = options
        self.scheme = "http"
        self.log = log
        self.data = Path(tempfile.mkdtemp(prefix="rollcall-browser-"))
        self.port = 0
        self.host_link = ""
        self.guest_link = ""
        self.process: asyncio.subprocess.Process | None = None
        self.drain: asyncio.Task | None = None

    async def __aenter__(self) -> "Server":
        await self.start()
        return self

    async def __aexit__(self, *_) -> None:
        await self.kill()
        shutil.rmtree(self.data, ignore_errors=True)

    @property
    def origin(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    @property
    def session(self) -> str:
        return re.search(r"session=([^&]+)", self.guest_link).group(1)

    async def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                self.binary, "serve", "--port", str(self.port), "--demo", "--data", str(self.data), *self.options,
                stdout=asyncio.subprocess.PIPE, stderr=log)
        await asyncio.wait_for(self._read_links(), 20)
        self.drain = asyncio.create_task(self._drain())

    async def _read_links(self) -> None:
        listening, host, guest = None, None, None
        while not (listening and host and guest):
            line = (await self.process.stdout.readline()).decode()
            if not line:
                raise RuntimeError(f"the server has stopped; see {self.log}")
            if match := re.search(r"listening (https?://\S+)", line):
                listening = match.group(1)
            elif match := re.search(r"https?://\S+#\S+", line):
                if "token=" in match.group(0):
                    host = match.group(0)
                else:
                    guest = match.group(0)
        self.scheme, port = re.fullmatch(r"(https?)://.*:(\d+)", listening).groups()
        self.port = int(port)
        self.host_link, self.guest_link = host, guest

    async def _drain(self) -> None:
        while await self.process.stdout.readline():
            pass

    async def kill(self) -> None:
        """As a power cut would: SIGKILL."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> int:
        """As an operator does; returns the exit code."""
        await self._end(signal.SIGTERM)
        return self.process.returncode

    async def erase(self, user: str) -> None:
        """Takes a user out of the data folder, while the server is down."""
        eraser = await asyncio.create_subprocess_exec(
            self.binary, "erase", "--user", user, "--data", str(self.data), stdout=asyncio.subprocess.DEVNULL)
        assert await eraser.wait() == 0

    async def _end(self, how: signal.Signals) -> None:
        if self.process and self.process.returncode is None:
            self.process.send_signal(how)
            await self.process.wait()
        if self.drain:
            self.drain.cancel()
