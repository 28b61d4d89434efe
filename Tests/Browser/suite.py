"""usage: suite.py BINARY OUTPUT [NAME…]"""

import asyncio
import re
import sys
import time
import traceback
from pathlib import Path

from playwright.async_api import async_playwright

import accessibility_tests
import attendance_tests
import check_in_tests
import class_tests
import compression_tests
import conversation_tests
import entrance_tests
import home_tests
import moderation_tests
import recovery_tests
import relay_tests
import secure_tests
import token_tests
import waiting_room_tests
from browsers import Browsers
from server import Server

SUITES = [
    class_tests, moderation_tests, conversation_tests, waiting_room_tests, attendance_tests, check_in_tests, home_tests, recovery_tests,
    relay_tests, entrance_tests, compression_tests, secure_tests, token_tests, accessibility_tests,
]
PATIENCE = 150
# How many tests run at the same time, those of one file one after the other. They wait for pages more than they compute.
LANES = 2


class Stage:
    """What a test gets: a fresh server, browsers, and a place for pictures."""

    def __init__(self, server: Server, browsers: Browsers, output: Path, name: str):
        self.server = server
        self.browsers = browsers
        self.output = output
        self.name = name

    async def picture(self, person, name: str) -> None:
        await person.page.screenshot(path=self.output / f"{name}.png")


async def run(test, browsers: Browsers, binary: str, output: Path) -> str | None:
    slug = re.sub(r"\W+", "-", test.__name__)
    browsers.errors.clear()
    try:
        options = getattr(test, "server_options", ())
        async with Server(binary, output / f"{slug}.log", options) as server:
            try:
                await asyncio.wait_for(test(Stage(server, browsers, output, slug)), PATIENCE)
                if browsers.errors:
                    return "errors in pages: " + "; ".join(browsers.errors[:3])
            except BaseException:
                for number, context in enumerate(browsers.contexts):
                    for page in context.pages:
                        try:
                            await page.screenshot(path=output / f"failed-{slug}-{number}.png", timeout=5000)
                        except Exception:  # a page that crashed has no picture
                            pass
                raise
            finally:
                await browsers.close_contexts()
    except Exception:
        return traceback.format_exc()
    return None


async def main() -> int:
    binary, output, names = sys.argv[1], Path(sys.argv[2]), sys.argv[3:]
    for old in [*output.glob("failed-*.png"), *output.glob("*.log")]:
        old.unlink()
    suites = [[test for test in suite.TESTS if not names or any(name in test.__name__ for name in names)] for suite in SUITES]
    suites.sort(key=len)
    passed: list[bool] = []

    async def lane(playwright) -> None:
        browsers = Browsers(playwright)
        while suites:
            for test in suites.pop():
                start = time.monotonic()
                problem = await run(test, browsers, binary, output)
                seconds = time.monotonic() - start
                passed.append(problem is None)
                if problem is None:
                    print(f"ok      {test.__doc__}  ({seconds:.1f} s)", flush=True)
                else:
                    print(f"FAILED  {test.__doc__}  ({seconds:.1f} s)\n{problem}", flush=True)
        await browsers.close()

    async with async_playwright() as playwright:
        await asyncio.gather(*(lane(playwright) for _ in range(LANES)))
    print(f"{passed.count(True)} passed, {passed.count(False)} failed")
    return 0 if passed and all(passed) else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
