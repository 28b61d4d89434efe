"""The server under test as a child process, and certificates for it."""

import re
import selectors
import signal
import subprocess
import time

PATIENCE = 30


class Server:
    """A server with TLS on a folder of its own."""

    def __init__(self, binary, folder, *options):
        folder.mkdir(parents=True, exist_ok=True)
        self.log = folder / "log"
        self.data = folder / "data"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [binary, "serve", "--port", "0", "--data", str(self.data), "--demo", *options],
                stdout=subprocess.PIPE, stderr=log, text=True)
        line = self.process.stdout.readline()
        match = re.fullmatch(r"listening https://127\.0\.0\.1:(\d+)\n", line)
        if not match:
            self.stop()
            raise AssertionError(f"the server said {line!r}: {self.log.read_text()}")
        self.port = int(match.group(1))
        self.links = [self.process.stdout.readline().split()[-1] for _ in range(2)]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(PATIENCE)

    def reload(self):
        """Sends SIGHUP, and waits for what the log says to it."""
        before = len(self.log.read_text())
        self.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + PATIENCE
        while True:
            said = self.log.read_text()[before:]
            if "certificate" in said:
                return said
            assert time.monotonic() < deadline, "SIGHUP was not heard"
            with selectors.DefaultSelector() as selector:
                selector.select(0.02)


def openssl(*arguments, given=b"", folder=None):
    """What the openssl command says, on both of its outputs."""
    done = subprocess.run(["openssl", *arguments], input=given, capture_output=True, timeout=PATIENCE, cwd=folder)
    return (done.stdout + done.stderr).decode(errors="replace")


class Authority:
    """A certificate authority of the test's own."""

    def __init__(self, folder):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.certificate = folder / "authority.crt"
        self._run("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "authority.key")
        self._run(
            "req", "-x509", "-new", "-key", "authority.key", "-sha256", "-days", "90", "-subj", "/CN=Test authority",
            "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
            "-out", "authority.crt")

    def issue(self, name, *key):
        """Makes `NAME.crt` and `NAME.key`, with a key by `openssl genpkey`'s options."""
        self._run("genpkey", *key, "-out", f"{name}.key")
        self._run("req", "-new", "-key", f"{name}.key", "-subj", "/CN=localhost", "-out", f"{name}.csr")
        (self.folder / "extensions").write_text(
            "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth\n"
            "subjectAltName=DNS:localhost,IP:127.0.0.1\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n")
        self._run(
            "x509", "-req", "-in", f"{name}.csr", "-CA", "authority.crt", "-CAkey", "authority.key", "-CAcreateserial",
            "-days", "60", "-sha256", "-extfile", "extensions", "-out", f"{name}.crt")
        return self.folder / f"{name}.crt", self.folder / f"{name}.key"

    def _run(self, *arguments):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True, cwd=self.folder)
