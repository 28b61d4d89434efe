"""The list of a person's classes, which keeps itself up to date, and what the person was told."""

import datetime

from playwright.async_api import expect

from platform_side import create, home, request, token


def at(minutes: float) -> str:
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=minutes)).isoformat()


def as_host(server, path: str, body: dict | None = None) -> dict:
    return request(server, "POST", path, token(server, "ada", session=None, role="host"), body if body is not None else {})


async def classes_are_listed(stage):
    """the classes of a person are listed by day, live ones first with how many are there, and change by themselves"""
    server = stage.server
    live = create(server, title="Algebra II", instructor="Ada Lovelace", course="Mathematics", admission="open")
    create(server, title="Number theory", instructor="Ada Lovelace", admission="open", scheduled_at=at(60 * 24), duration_minutes=90)
    planned = create(server, title="Geometry", admission="open", scheduled_at=at(40), kind="audio")
    as_host(server, f"/api/sessions/{live}/start/")
    bo = await stage.browsers.person("chromium")
    page = bo.page
    await bo.open(home(server, "bo"))
    await bo.sees_view("home")
    assert "token" not in page.url
    row = page.locator(f"[data-session='{live}']")
    await expect(row).to_contain_text("1 person here now")
    await expect(page.locator(".home-section", has_text="Live now").locator("h3")).to_have_text(["Algebra II"])
    await expect(page.locator(f"[data-session='{planned}']")).to_contain_text("By sound alone")
    await expect(page.locator(f"[data-session='{planned}']")).to_contain_text("Begins in 40 minutes")
    await stage.picture(bo, "home")

    request(server, "POST", f"/api/sessions/{live}/join/", token(server, "cy", session=None), {})
    await expect(row).to_contain_text("2 people here now")
    new = create(server, title="Topology", admission="open", scheduled_at=at(50))
    await expect(page.get_by_role("link", name="Topology")).to_be_visible()
    as_host(server, f"/api/sessions/{new}/cancel/", {"reason": "ill"})
    await expect(page.get_by_role("link", name="Topology")).to_have_count(0)
    as_host(server, f"/api/sessions/{planned}/start/")
    await expect(page.locator(".home-section", has_text="Live now").locator("h3")).to_have_count(2)

    await server.kill()
    await expect(page.get_by_text("The connection is lost")).to_be_visible()
    await server.start()
    await expect(page.get_by_text("The connection is lost")).to_have_count(0)
    as_host(server, f"/api/sessions/{live}/end/")
    await expect(row).to_have_count(0)
    await page.get_by_role("tab", name="Over").click()
    await expect(row).to_contain_text("2 people came")

    await page.get_by_role("tab", name="Coming up").click()
    await page.get_by_role("link", name="Geometry").click()
    await expect(page.get_by_role("heading", name="Geometry")).to_be_visible()
    await page.go_back()
    await bo.sees_view("home")
    await page.get_by_role("link", name="Geometry").click()
    await page.get_by_role("button", name="Join class").click()
    await bo.sees_view("present")
    await page.get_by_role("button", name="Leave class").click()
    await page.get_by_role("button", name="All your classes").click()
    await bo.sees_view("home")


async def people_are_told(stage):
    """what a person was told stands under the bell, comes at once, is read one by one or all, and opens the class"""
    server = stage.server
    session = create(server, title="Algebra II", scheduled_at=at(60), invited=[{"user": "bo", "name": "Bo"}])
    other = create(server, title="Geometry", scheduled_at=at(90), invited=[{"user": "bo", "name": "Bo"}])
    as_host(server, f"/api/sessions/{session}/reschedule/", {"scheduled_at": at(120), "reason": "The room is taken"})
    bo = await stage.browsers.person("firefox")
    page = bo.page
    await bo.open(home(server, "bo"))
    bell = page.get_by_role("button", name="Notifications")
    await expect(bell).to_have_accessible_name("Notifications (1 unread)")
    as_host(server, f"/api/sessions/{other}/start/")
    await expect(bell).to_have_accessible_name("Notifications (2 unread)")
    await bo.sees_notice("Geometry is live")
    await page.get_by_role("button", name="Dismiss").click()
    await bell.focus()
    await page.keyboard.press("Enter")
    entries = page.locator(".notification .notification-text")
    await expect(entries).to_have_text(["Geometry is live", "Algebra II has another time: The room is taken"])
    await page.keyboard.press("Escape")
    await expect(entries.first).to_be_hidden()
    await expect(bell).to_be_focused()
    await bell.click()
    await entries.first.click()
    await expect(page.get_by_role("heading", name="Geometry")).to_be_visible()
    await page.get_by_role("link", name="All your classes").click()
    await expect(bell).to_have_accessible_name("Notifications (1 unread)")
    await bell.click()
    await page.get_by_role("button", name="Mark all as read").click()
    await expect(bell).to_have_accessible_name("Notifications")
    await page.reload()
    await bo.sees_view("home")
    await bell.click()
    await expect(entries).to_have_count(2)
    await expect(bell).to_have_accessible_name("Notifications")
    # In a class one hears what becomes of another.
    await entries.first.click()
    await page.get_by_role("button", name="Join class").click()
    await bo.sees_view("present")
    as_host(server, f"/api/sessions/{session}/cancel/", {"reason": "ill"})
    await bo.sees_notice("Algebra II is cancelled: ill")


def ask_for(server, title: str) -> str:
    """Bo asks Ada for a class."""
    bo = token(server, "bo", session=None)
    return request(server, "POST", "/api/sessions/", bo, {"title": title, "host": "ada", "scheduled_at": at(600)})["id"]


async def class_is_asked_for(stage):
    """who is asked to give a class agrees to one, and declines another, in the list; who asked is told"""
    server = stage.server
    wanted, unwanted = ask_for(server, "An hour of algebra"), ask_for(server, "An hour of chess")
    ada, bo = await stage.browsers.person("chromium"), await stage.browsers.person("chromium")
    await ada.open(home(server, "ada", role="host"))
    await bo.open(home(server, "bo"))
    await expect(bo.page.locator(f"[data-session='{wanted}']")).to_contain_text("The host has not agreed yet")
    await expect(ada.page.get_by_role("button", name="Notifications")).to_have_accessible_name("Notifications (2 unread)")
    await stage.picture(ada, "asked-for")
    await ada.page.get_by_role("button", name="Agree An hour of algebra").click()
    await ada.page.get_by_role("button", name="Decline An hour of chess").click()
    for person in [ada, bo]:
        await expect(person.page.locator(f"[data-session='{unwanted}']")).to_have_count(0)
        await expect(person.page.locator(f"[data-session='{wanted}']")).not_to_contain_text("agree")
    await bo.page.get_by_role("button", name="Notifications").click()
    await expect(bo.page.locator(".notification-text")).to_have_text(["An hour of chess: declined", "An hour of algebra: approved"])


async def access_has_ended(stage):
    """who comes to the list with a token that is not good any more is told so, and can come in by an id"""
    server = stage.server
    bo = await stage.browsers.person("chromium")
    await bo.open(home(server, "bo", seconds=-10))
    await expect(bo.page.get_by_role("heading", name="This link has expired")).to_be_visible()
    await bo.page.get_by_role("button", name="Join a class by its id").click()
    await expect(bo.page.get_by_label("Class id")).to_be_visible()


TESTS = [classes_are_listed, people_are_told, class_is_asked_for, access_has_ended]
