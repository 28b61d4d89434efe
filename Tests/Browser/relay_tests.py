"""Calls over a TURN server, a real one."""

import atexit
import shutil
import signal
import tempfile
from pathlib import Path

from browsers import poll
from relay import SECRET, URLS, Coturn

FOLDER = Path(tempfile.mkdtemp(prefix="rollcall-relay-"))
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)
SECRET_FILE = FOLDER / "turn-secret"
SECRET_FILE.write_text(SECRET + "\n")
SECRET_FILE.chmod(0o600)
SETTINGS = FOLDER / "rollcall.toml"


def settings(policy: str) -> str:
    urls = ", ".join(f'"{url}"' for url in URLS)
    return f'turn-url = [{urls}]\nturn-secret-file = "{SECRET_FILE}"\nice-transport-policy = "{policy}"\n'


async def in_a_call(stage):
    """A host in Chromium and a guest in Firefox, both with a camera, who see each other."""
    server, browsers = stage.server, stage.browsers
    host = await browsers.person("chromium")
    guest = await browsers.person("firefox")
    await host.enter(server.host_link, camera=True)
    await guest.enter(server.guest_link, "Grace Hopper", camera=True)
    await host.sees_view("waiting")
    await host.start_class()
    await guest.sees_view("present")
    for person in [host, guest]:
        await person.sees_moving_video(1)
    return host, guest


async def pairs(person) -> list[str]:
    """The kinds of the two ends of each call, by getStats."""
    return [call["pair"] for call in (await person.calls()).values()]


def goes_over_relays(person):
    async def condition() -> bool:
        return await pairs(person) == ["relay relay"]

    return condition


def goes_on(person):
    """The call that was marked, and not a new one."""
    async def condition() -> bool:
        return await person.marked_calls() == 1

    return condition


async def relay_only_call(stage):
    """with the policy relay, two browsers see each other's moving pictures over coturn alone, with credentials of their own"""
    async with Coturn(stage.output / "coturn-relay-only.log"):
        host, guest = await in_a_call(stage)
        for person in [host, guest]:
            await poll(goes_over_relays(person), lambda: pairs(person))
            servers = await person.page.evaluate("document.querySelector('rollcall-app').room.client.iceServers")
            assert [server["urls"] for server in servers] == [URLS], servers
            assert servers[0]["username"].endswith((await person.user()).replace(":", "%3A")), servers
            kinds = await person.page.evaluate(
                """async () => {
                  const [call] = document.querySelector('rollcall-app').room.mesh.calls.values();
                  const kinds = [];
                  (await call.connection.getStats()).forEach((item) => {
                    if (item.type === 'local-candidate') kinds.push(item.candidateType);
                  });
                  return kinds;
                }""")
            assert kinds and set(kinds) == {"relay"}, f"an address was given away: {kinds}"


relay_only_call.server_options = (
    "--turn-url", URLS[0], "--turn-url", URLS[1], "--turn-secret-file", str(SECRET_FILE), "--ice-transport-policy", "relay")


async def policy_changes_in_a_call(stage):
    """when the operator makes the policy relay and sends SIGHUP, calls that go on change over to coturn, without an end"""
    async with Coturn(stage.output / "coturn-policy.log"):
        host, guest = await in_a_call(stage)
        assert await pairs(host) != ["relay relay"], await pairs(host)
        for person in [host, guest]:
            await person.mark_calls()
        SETTINGS.write_text(settings("relay"))
        try:
            stage.server.process.send_signal(signal.SIGHUP)
            for person in [host, guest]:
                await poll(goes_over_relays(person), lambda: pairs(person))
                await person.sees_moving_video(1)
                # A call that looks for a new path is not connected for a moment.
                await poll(goes_on(person), lambda: person.calls())
        finally:
            SETTINGS.write_text(settings("all"))


SETTINGS.write_text(settings("all"))
policy_changes_in_a_call.server_options = ("--config", str(SETTINGS))


async def network_changes(stage):
    """when a browser's network comes back, its calls look for a new path, and go on meanwhile"""
    host, guest = await in_a_call(stage)
    fragment = """() => {
      const [call] = document.querySelector('rollcall-app').room.mesh.calls.values();
      return call.connection.localDescription.sdp.match(/a=ice-ufrag:(\\S+)/)[1];
    }"""
    before = await guest.page.evaluate(fragment)
    await guest.mark_calls()
    await guest.page.evaluate("dispatchEvent(new Event('online'))")

    async def has_restarted() -> bool:
        return await guest.page.evaluate(fragment) != before

    await poll(has_restarted)
    for person in [host, guest]:
        await person.sees_moving_video(1)
    await poll(goes_on(guest), lambda: guest.calls())


TESTS = [relay_only_call, policy_changes_in_a_call, network_changes]
