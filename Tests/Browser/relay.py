"""A TURN server: coturn, with a secret that it shares with Rollcall."""

import asyncio
import shutil
import tempfile
from pathlib import Path

ADDRESS = "10.99.0.1"  # the one of environment `isolated`
URLS = [f"turn:{ADDRESS}:3478?transport=udp", f"turn:{ADDRESS}:3478?transport=tcp"]
SECRET = "Hb2Zq9XvK7sLd0wTnR8yMcE5pJmUg3Fa"


class Coturn:
    """Runs for as long as the `async with` lasts."""

    def __init__(self, log: Path, secret: str = SECRET):
        self.log = log
        self.secret = secret
        self.folder = Path(tempfile.mkdtemp(prefix="rollcall-coturn-"))
        self.process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> "Coturn":
        configuration = self.folder / "turnserver.conf"
        configuration.write_text(
            f"listening-ip={ADDRESS}\nrelay-ip={ADDRESS}\nlistening-port=3478\nmin-port=50000\nmax-port=50200\n"
            f"use-auth-secret\nstatic-auth-secret={self.secret}\nrealm=school.example\nno-cli\nno-tls\nno-dtls\n"
            f"log-file=stdout\nuserdb={self.folder}/turndb\npidfile={self.folder}/turnserver.pid\n")
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                "turnserver", "-c", str(configuration), "-v", stdout=log, stderr=log)
        for _ in range(100):
            try:
                _, writer = await asyncio.open_connection(ADDRESS, 3478)
                writer.close()
                return self
            except OSError:
                await asyncio.sleep(0.1)
        raise RuntimeError(f"coturn does not listen; see {self.log}")

    async def __aexit__(self, *_) -> None:
        if self.process and self.process.returncode is None:
            self.process.terminate()
            await self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
