"""What the browser tests run in: a Python with playwright, and a network of their own."""

import importlib.metadata
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
# Later releases of playwright do not drive Debian's Firefox.
PLAYWRIGHT = "1.60.0"


def enter(script: str, *arguments: str) -> None:
    """Becomes the script, isolated from every other network. Does not return."""
    command = [str(HERE / "isolated"), python(), str(HERE / script), *arguments]
    os.execv(command[0], command)


def python() -> str:
    """A Python that has what is needed: this one, or that of a virtual environment made for it."""
    try:
        if importlib.metadata.version("playwright") == PLAYWRIGHT and importlib.util.find_spec("axe_playwright_python"):
            return sys.executable
    except importlib.metadata.PackageNotFoundError:
        pass
    venv = ROOT / ".build-browser-venv"
    ready = venv / f"ready-{PLAYWRIGHT}"
    if not ready.exists():
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
        subprocess.run(
            [str(venv / "bin/pip"), "install", "--quiet", "--disable-pip-version-check", f"playwright=={PLAYWRIGHT}",
             "axe-playwright-python==0.1.8"],
            check=True)
        ready.touch()
    return str(venv / "bin/python")
