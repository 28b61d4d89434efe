"""Browsers, and the people who sit before them."""

from __future__ import annotations

import asyncio
import json
import time

from playwright.async_api import Browser, BrowserContext, Page, Playwright, expect

CHROMIUM = ["--no-sandbox", "--use-fake-device-for-media-stream", "--disable-dev-shm-usage"]
FIREFOX = {
    "media.navigator.streams.fake": True,
    "media.navigator.permission.disabled": True,
    "media.peerconnection.ice.obfuscate_host_addresses": False,
    "media.autoplay.default": 0,
}
DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 360, "height": 740}

# Cheap pictures: the machine that runs the tests is also all of the class's laptops.
VIDEO = "&video=160x120x10"

expect.set_options(timeout=20_000)


async def poll(condition, describe=None, patience: float = 40) -> None:
    """Waits until the condition holds; asks every 100 ms."""
    deadline = time.monotonic() + patience
    while not await condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not reached within {patience} s: {await describe() if describe else condition}")
        await asyncio.sleep(0.1)


class Browsers:
    def __init__(self, playwright: Playwright):
        self.playwright = playwright
        self.running: dict[str, Browser] = {}
        self.contexts: list[BrowserContext] = []
        self.errors: list[str] = []

    async def browser(self, kind: str) -> Browser:
        if kind not in self.running:
            self.running[kind] = await self._launch(kind)
        return self.running[kind]

    async def _launch(self, kind: str) -> Browser:
        if kind == "firefox":
            return await self.playwright.firefox.launch(
                channel="moz-firefox", executable_path="/usr/bin/firefox-esr", firefox_user_prefs=FIREFOX)
        # "chromium-denied" answers every question for a camera with no.
        consent = [] if kind == "chromium-denied" else ["--use-fake-ui-for-media-stream"]
        return await self.playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=CHROMIUM + consent, ignore_default_args=["--mute-audio"])

    async def context(self, kind: str = "chromium", **options) -> BrowserContext:
        options.setdefault("viewport", DESKTOP)
        context = await (await self.browser(kind)).new_context(**options)
        context.set_default_timeout(20_000)
        self.contexts.append(context)
        return context

    async def person(self, kind: str = "chromium", **options) -> Person:
        context = await self.context(kind, **options)
        return Person(self.watch(await context.new_page()))

    def watch(self, page: Page) -> Page:
        """Whatever breaks in a page breaks the test."""
        page.on("pageerror", lambda error: self._failure(page, str(error)))
        page.on("console", lambda message: self._console(page, message))
        return page

    def _failure(self, page: Page, text: str) -> None:
        # Firefox reports a server that does not answer as an error of the page.
        if "establish a connection" not in text:
            self.errors.append(f"{page.url}: {text}")

    def _console(self, page: Page, message) -> None:
        if message.type == "error" and "Content-Security-Policy" in message.text.replace(" ", "-"):
            self.errors.append(f"{page.url}: {message.text}")

    async def close_contexts(self) -> None:
        for context in self.contexts:
            await context.close()
        self.contexts.clear()

    async def close(self) -> None:
        for browser in self.running.values():
            await browser.close()
        self.running.clear()


# For every call of this page: whether it is connected, over which pair, and the frames it has decoded.
CALLS = """async () => {
  const { mesh } = document.querySelector('rollcall-app').room ?? { mesh: { calls: new Map() } };
  const calls = {};
  for (const [peer, call] of mesh.calls) {
    const entry = { user: call.user, state: call.state, frames: 0, packets: 0, pair: null };
    const report = await call.connection.getStats();
    const byId = new Map();
    report.forEach((item) => byId.set(item.id, item));
    report.forEach((item) => {
      if (item.type === 'inbound-rtp' && item.kind === 'video') entry.frames += item.framesDecoded ?? 0;
      if (item.type === 'inbound-rtp' && item.kind === 'audio') entry.packets += item.packetsReceived ?? 0;
      const selected = item.type === 'candidate-pair' && (item.selected || (item.nominated && item.state === 'succeeded'));
      if (selected) entry.pair = `${byId.get(item.localCandidateId)?.candidateType} ${byId.get(item.remoteCandidateId)?.candidateType}`;
    });
    calls[peer] = entry;
  }
  return calls;
}"""


class Person:
    def __init__(self, page: Page):
        self.page = page

    async def open(self, link: str) -> None:
        await self.page.goto(link + VIDEO if "#" in link else link)

    async def enter(self, link: str, name: str | None = None, camera: bool = False, microphone: bool = False) -> None:
        """Through the lobby: the name, the devices, the button."""
        await self.open(link)
        if name is not None:
            await self.page.get_by_label("Your name").fill(name)
        if camera:
            await self.page.get_by_role("button", name="Turn on camera").click()
            await expect(self.page.get_by_role("button", name="Turn off camera")).to_be_visible()
        if microphone:
            await self.page.get_by_role("button", name="Turn on microphone").click()
            await expect(self.page.get_by_role("button", name="Mute microphone")).to_be_visible()
        await self.page.get_by_role("button", name="Join class").click()

    async def sees_view(self, name: str) -> None:
        await expect(self.page.locator(f"rollcall-app[data-view={name}]")).to_be_visible()

    async def start_class(self) -> None:
        await self.page.get_by_role("button", name="Start class").click()

    async def begin_class(self, link: str, **devices: bool) -> None:
        """Through the lobby, and as the host from waiting into the class."""
        await self.enter(link, **devices)
        await self.sees_view("waiting")
        await self.start_class()

    async def sees_count(self, count: int) -> None:
        await expect(self.page.locator(".count-number")).to_have_text(str(count))

    async def say(self, text: str) -> None:
        field = self.page.get_by_label("Message to everyone")
        await field.fill(text)
        await field.press("Enter")

    async def messages(self) -> list[str]:
        return await self.page.locator(".messages .message-text").all_text_contents()

    async def sees_messages(self, texts: list[str]) -> None:
        await expect(self.page.locator(".messages .message-text")).to_have_text(texts)

    async def open_panel(self, name: str) -> None:
        """People, Chat or Manage."""
        button = self.page.locator(".controls").get_by_role("button", name=name)
        if await button.get_attribute("aria-expanded") != "true":
            await button.click()
        await expect(button).to_have_attribute("aria-expanded", "true")

    async def act_on_person(self, name: str, action: str) -> None:
        """Chooses from the menu of somebody in the list of people."""
        await self.open_panel("People")
        await self.page.get_by_role("button", name=f"Actions for {name}", exact=True).click()
        await self.page.get_by_role("menuitem", name=action, exact=True).click()

    def message(self, text: str):
        own = self.page.locator(f".message-text:text-is({json.dumps(text, ensure_ascii=False)})")
        return self.page.locator(".messages .message").filter(has=own)

    async def open_message_menu(self, text: str) -> None:
        message = self.message(text)
        await message.hover()
        await message.locator(".message-menu").click()

    async def act_on_message(self, text: str, action: str) -> None:
        await self.open_message_menu(text)
        await self.page.get_by_role("menuitem", name=action, exact=True).click()

    async def sees_notice(self, text: str) -> None:
        await expect(self.page.locator(".notice", has_text=text)).to_be_visible()

    async def hands(self) -> list[str]:
        return await self.page.locator(".hand-queue .person-name").all_text_contents()

    async def calls(self) -> dict:
        return await self.page.evaluate(CALLS)

    async def sees_moving_video(self, others: int) -> None:
        """In every call a pair is selected, and frames are decoded that were not decoded before."""
        before = await self.calls()

        async def moves() -> bool:
            now = await self.calls()
            return len(now) == others and all(
                call["state"] == "connected" and call["pair"] and call["frames"] > before.get(peer, {"frames": 0})["frames"] + 3
                for peer, call in now.items())

        await poll(moves, lambda: self.calls())

    async def shows_faces(self, users: int) -> None:
        await expect(self.page.locator(".stage-faces rollcall-tile[data-video]")).to_have_count(users)

    async def peers(self) -> list[int]:
        """How many connections each participant has."""
        return await self.page.evaluate(
            "[...document.querySelector('rollcall-app').room.client.presence].map(({ peers }) => peers.length).sort()")

    async def peer(self) -> str:
        """This tab's address for signals."""
        return await self.page.evaluate("document.querySelector('rollcall-app').room.client.peer")

    async def mark_calls(self) -> None:
        """Makes the calls of now known to `marked_calls`."""
        await self.page.evaluate(
            "document.querySelector('rollcall-app').room.mesh.calls.forEach((call) => { call.connection.isMarked = true; })")

    async def marked_calls(self) -> int:
        """How many of the marked calls go on."""
        return await self.page.evaluate(
            "[...document.querySelector('rollcall-app').room.mesh.calls.values()]"
            ".filter(({ connection }) => connection.isMarked && connection.connectionState === 'connected').length")

    async def user(self) -> str:
        return await self.page.evaluate("document.querySelector('rollcall-app').room.client.you.user")
