"""Links, names, and what is said when there is no way in."""

from playwright.async_api import expect


async def token_leaves_the_address(stage):
    """the token is taken out of the address at once, and a reload still knows it"""
    server, browsers = stage.server, stage.browsers
    host = await browsers.person("chromium")
    await host.open(server.host_link)
    await expect(host.page.get_by_role("button", name="Join class")).to_be_visible()
    assert "token" not in host.page.url and f"session={server.session}" in host.page.url
    await host.page.reload()
    await host.page.get_by_role("button", name="Join class").click()
    await expect(host.page.get_by_role("button", name="Start class")).to_be_visible()


async def bad_token(stage):
    """a token that is not valid is explained, and one can come in as a guest"""
    server, browsers = stage.server, stage.browsers
    person = await browsers.person("chromium")
    await person.enter(f"{server.origin}/#session={server.session}&token=not.a.token")
    await expect(person.page.get_by_role("heading", name="This link does not work")).to_be_visible()
    await expect(person.page.get_by_text("Ask whoever invited you for a new one.")).to_be_visible()
    await stage.picture(person, "bad-token")
    await person.page.get_by_role("button", name="Join as a guest").click()
    await person.page.get_by_label("Your name").fill("Grace Hopper")
    await person.page.get_by_role("button", name="Join class").click()
    await person.sees_view("waiting")


async def unknown_session(stage):
    """an unknown class is explained, and another can be chosen"""
    server, browsers = stage.server, stage.browsers
    person = await browsers.person("firefox")
    await person.enter(f"{server.origin}/#session=nowhere", "Grace Hopper")
    await expect(person.page.get_by_role("heading", name="There is no such class")).to_be_visible()
    await person.page.get_by_role("button", name="Join another class").click()
    await person.page.get_by_label("Class id").fill(server.session)
    await person.page.get_by_label("Your name").fill("Grace Hopper")
    await person.page.get_by_role("button", name="Join class").click()
    await person.sees_view("waiting")


async def no_link(stage):
    """without a link the page asks for the class, takes a pasted link too, and insists on a name"""
    server, browsers = stage.server, stage.browsers
    person = await browsers.person("chromium")
    await person.open(server.origin + "/")
    await person.page.get_by_role("button", name="Join class").click()
    await expect(person.page.get_by_text("Please enter the id of your class.")).to_be_visible()
    await person.page.get_by_label("Class id").fill(server.guest_link)
    await person.page.get_by_role("button", name="Join class").click()
    await expect(person.page.get_by_text("Please enter your name.")).to_be_visible()
    await person.page.get_by_label("Your name").fill("Grace Hopper")
    await person.page.get_by_label("Your name").press("Enter")
    await person.sees_view("waiting")


async def keyboard_alone(stage):
    """the keyboard alone suffices: join, start, write, leave"""
    server, browsers = stage.server, stage.browsers
    host = await browsers.person("chromium")
    await host.open(server.host_link)
    await host.page.get_by_role("button", name="Join class").wait_for()

    async def press(name: str) -> None:
        for _ in range(30):
            focused = await host.page.evaluate("document.activeElement.closest('button')?.innerText ?? ''")
            if name in " ".join(focused.split()):
                ring = await host.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
                assert ring != "none", f"no visible focus on {name}"
                await host.page.keyboard.press("Enter")
                return
            await host.page.keyboard.press("Tab")
        raise AssertionError(f"{name} cannot be reached by keyboard")

    await press("Join class")
    await host.sees_view("waiting")
    await press("Start class")
    await host.sees_view("present")
    for _ in range(30):
        if await host.page.evaluate("document.activeElement.id") == "message":
            break
        await host.page.keyboard.press("Tab")
    await host.page.keyboard.type("Hello")
    await host.page.keyboard.press("Enter")
    await host.sees_messages(["Hello"])
    await press("Leave class")
    await expect(host.page.get_by_role("dialog")).to_be_visible()
    await host.page.keyboard.press("Escape")
    await expect(host.page.get_by_role("dialog")).to_have_count(0)
    await press("Leave class")
    await press("Leave only")
    await expect(host.page.get_by_role("heading", name="You left the class")).to_be_visible()


TESTS = [token_leaves_the_address, bad_token, unknown_session, no_link, keyboard_alone]
