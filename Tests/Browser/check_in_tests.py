"""A class that is held in a room: a code that is shown there, and a roster to tick off."""

import re

from playwright.async_api import expect

from browsers import PHONE
from platform_side import create, link

PEOPLE = [{"user": "bo", "name": "Bo"}, {"user": "cy", "name": "Cy"}, {"user": "di", "name": "Di"}]


async def in_the_room(stage, **fields):
    """The host of a class in a room, which is on."""
    session = create(stage.server, title="Physics lab", kind="in_person", admission="registered", invited=PEOPLE, **fields)
    host = await stage.browsers.person("chromium")
    await host.open(link(stage.server, session, "ada", role="host"))
    await host.page.get_by_role("button", name="Join class").click()
    await host.start_class()
    await host.sees_view("present")
    return session, host


def row(host, name: str):
    return host.page.locator(".board-people .person", has_text=name)


async def shown_code(host) -> str:
    code = host.page.locator(".code-card .code")
    await expect(code).to_have_attribute("data-code", re.compile("^[A-Z0-9]{6}$"))
    return await code.get_attribute("data-code")


async def code_is_typed_in(stage):
    """who sits in the room types in the code that the host shows, and is there without a connection, until check-out"""
    session, host = await in_the_room(stage)
    await expect(host.page.locator(".board-summary")).to_have_text("0 of 3 here")
    bo = await stage.browsers.person("chromium", viewport=PHONE, has_touch=True)
    page = bo.page
    await bo.open(link(stage.server, session, "bo"))
    field = page.get_by_label("Code that is shown in the room")
    await field.fill("abc")
    await page.get_by_role("button", name="Check in").click()
    await expect(page.get_by_text("The code has 6 letters and digits.")).to_be_visible()
    await field.fill("000000")
    await page.get_by_role("button", name="Check in").click()
    await expect(page.get_by_text("This is not the code that is shown now.")).to_be_visible()
    await stage.picture(bo, "check-in-phone")
    code = await shown_code(host)
    await field.fill(f"{code[:3].lower()} {code[3:].lower()}")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="You are checked in")).to_be_focused()
    await stage.picture(bo, "checked-in-phone")
    await expect(row(host, "Bo")).to_contain_text("Checked in at")
    await expect(host.page.locator(".board-summary")).to_have_text("1 of 3 here")
    await page.reload()
    await expect(page.get_by_role("heading", name="You are checked in")).to_be_visible()
    await page.get_by_role("button", name="check me out").click()
    await expect(field).to_be_focused()
    await expect(row(host, "Bo")).to_contain_text("Left at")

    await host.page.get_by_role("button", name="Show large").click()
    await expect(host.page.get_by_role("dialog")).to_contain_text("Check in: Physics lab")
    await stage.picture(host, "check-in-code")
    await host.page.keyboard.press("Escape")
    await expect(host.page.get_by_role("dialog")).to_have_count(0)


async def host_vouches(stage):
    """the host ticks people off by hand, takes it back, and the report says who was vouched for"""
    session, host = await in_the_room(stage)
    await host.page.get_by_role("button", name="Check in Cy").click()
    await expect(row(host, "Cy")).to_contain_text("Checked in at")
    await host.page.get_by_role("button", name="Check in Di").click()
    await expect(host.page.locator(".board-summary")).to_have_text("2 of 3 here")
    await stage.picture(host, "check-in-board")
    await host.page.get_by_role("button", name="Check out Di").click()
    await expect(row(host, "Di")).to_contain_text("Left at")
    await expect(host.page.locator(".board-summary")).to_have_text("1 of 3 here")
    # Who comes in by a connection types the code in there.
    bo = await stage.browsers.person("firefox")
    await bo.open(link(stage.server, session, "bo"))
    await bo.page.get_by_role("button", name="Join class").click()
    await bo.sees_view("present")
    await expect(row(host, "Bo")).to_contain_text("Connected since")
    await bo.page.get_by_label("Code that is shown in the room").fill(await shown_code(host))
    await bo.page.get_by_role("button", name="Check in").click()
    await expect(bo.page.get_by_role("heading", name="You are checked in")).to_be_visible()
    await expect(row(host, "Bo")).to_contain_text("Checked in at")
    await host.page.get_by_role("button", name="Leave class").click()
    await host.page.get_by_role("button", name="End class for everyone").click()
    table = host.page.get_by_role("table")
    for name in ["Bo", "Cy", "Di"]:
        await expect(table.get_by_role("row", name=name)).to_contain_text("checked in")


async def some_sit_in_the_room(stage):
    """in a class over video the host checks in by hand who sits before somebody else's screen"""
    session = create(stage.server, title="Algebra", admission="registered", invited=PEOPLE)
    host = await stage.browsers.person("chromium")
    await host.open(link(stage.server, session, "ada", role="host"))
    await host.page.get_by_role("button", name="Join class").click()
    await host.start_class()
    await host.open_panel("Manage")
    await host.page.get_by_text("Check people in by hand").click()
    await host.page.get_by_role("button", name="Check in Cy").click()
    await expect(row(host, "Cy")).to_contain_text("Checked in at")
    await host.sees_count(2)


TESTS = [code_is_typed_in, host_vouches, some_sit_in_the_room]
