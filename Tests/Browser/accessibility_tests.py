"""WCAG 2.2 AA as far as axe can tell, in every view, light and dark, wide and narrow."""

from axe_playwright_python.async_playwright import Axe

from browsers import DESKTOP, PHONE

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


async def check(stage, person, view: str) -> None:
    page = person.page
    for scheme in ["light", "dark"]:
        await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        for size, viewport in [("wide", DESKTOP), ("narrow", PHONE)]:
            await page.set_viewport_size(viewport)
            results = await Axe().run(page, options=RULES)
            found = [
                f"{violation['id']}: {node['html'][:160]} {node.get('failureSummary', '')}"
                for violation in results.response["violations"] for node in violation["nodes"]
            ]
            await stage.picture(person, f"axe-{view}-{scheme}-{size}")
            assert not found, f"{view}, {scheme}, {size}:\n" + "\n".join(found)
            overflow = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert overflow <= 0, f"{view}, {size}: scrolls sideways by {overflow} px"
    await page.set_viewport_size(DESKTOP)


async def axe_finds_nothing(stage):
    """axe finds no violation in any view, light and dark, at 1280 and at 360 pixels"""
    server, browsers = stage.server, stage.browsers
    guest = await browsers.person("chromium")
    host = await browsers.person("chromium")
    await guest.open(server.guest_link)
    await guest.page.get_by_label("Your name").wait_for()
    await check(stage, guest, "name")
    await guest.page.get_by_label("Your name").fill("Grace Hopper")
    await guest.page.get_by_role("button", name="Join class").click()
    await guest.sees_view("waiting")
    await check(stage, guest, "waiting")
    await host.enter(server.host_link, camera=True, microphone=True)
    await host.sees_view("waiting")
    await check(stage, host, "waiting-host")
    await host.start_class()
    await guest.sees_view("present")
    await host.say("Welcome")
    await guest.say("Thank you")
    await guest.sees_messages(["Welcome", "Thank you"])
    await guest.shows_faces(1)
    await check(stage, guest, "class-chat")
    await guest.page.get_by_role("button", name="People").click()
    await check(stage, guest, "class-people")
    await host.page.get_by_role("button", name="Leave class").click()
    await check(stage, host, "dialog")
    await host.page.get_by_role("button", name="End class for everyone").click()
    await guest.sees_view("ended")
    await host.page.get_by_role("table").wait_for()
    await check(stage, guest, "ended")
    await check(stage, host, "ended-host")


TESTS = [axe_finds_nothing]
