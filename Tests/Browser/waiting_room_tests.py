"""Before one is in: what the class is about, who waits, who lets whom in."""

import datetime

from playwright.async_api import expect

from platform_side import create, link, request, token

LATER = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=3)).replace(microsecond=0)


async def join(person, address: str) -> None:
    await person.open(address)
    await person.page.get_by_role("button", name="Join class").click()


async def lobby_tells_what_comes(stage):
    """the lobby says what the class is, when in the reader's time and in its own, and where the materials are"""
    server = stage.server
    session = create(
        server, title="Algebra for all", instructor="Ada Lovelace", description="Groups, rings, fields.", scheduled_at=LATER.isoformat(),
        time_zone="Asia/Tokyo", duration_minutes=45, admission="open", course="Mathematics",
        materials=[{"title": "Chapter 1", "url": "https://example.org/one.pdf"}])
    person = await stage.browsers.person("chromium", timezone_id="America/New_York", locale="en-US")
    await person.open(link(server, session, "bo"))
    page = person.page
    await expect(page.get_by_role("heading", name="Algebra for all")).to_be_visible()
    for text in ["with Ada Lovelace", "Groups, rings, fields.", "45 minutes", "Mathematics", "your time;", "in Asia/Tokyo"]:
        await expect(page.get_by_text(text)).to_be_visible()
    material = page.get_by_role("link", name="Chapter 1")
    await expect(material).to_have_attribute("href", "https://example.org/one.pdf")
    await expect(material).to_have_attribute("rel", "noopener noreferrer")
    await stage.picture(person, "lobby-details")
    await page.get_by_role("button", name="Join class").click()
    await person.sees_view("waiting")
    await expect(page.get_by_role("link", name="Chapter 1")).to_be_visible()


async def waiting_people_are_let_in(stage):
    """in a class with a waiting room people wait until the host lets in one, or all, or turns one away"""
    server, browsers = stage.server, stage.browsers
    session = create(server, admission="open", waiting_room=True)
    host = await browsers.person("chromium")
    bo = await browsers.person("chromium")
    cy = await browsers.person("firefox")
    di = await browsers.person("chromium")
    await join(host, link(server, session, "ada", role="host"))
    await host.sees_view("waiting")
    await host.start_class()
    await host.sees_view("present")
    await join(bo, link(server, session, "bo"))
    await bo.sees_view("waiting")
    await expect(bo.page.get_by_text("You come in by yourself as soon as the host lets you in.")).to_be_visible()
    await host.sees_notice("Bo is waiting to come in.")
    await join(cy, link(server, session, "cy"))
    await expect(bo.page.locator(".waiting-names")).to_have_text("CCy")
    await host.sees_notice("2 people are waiting to come in.")
    await join(di, link(server, session, "di"))
    await host.open_panel("People")
    await expect(host.page.locator(".waiting-person .person-name")).to_have_text(["Bo", "Cy", "Di"])
    await stage.picture(host, "waiting-panel")
    await stage.picture(bo, "waiting-to-be-let-in")

    await host.page.get_by_role("button", name="Deny Cy").click()
    await expect(cy.page.get_by_role("heading", name="You were not let in")).to_be_visible()
    await host.page.get_by_role("button", name="Admit Bo").click()
    await bo.sees_view("present")
    await host.sees_count(2)
    await host.page.get_by_role("button", name="Admit all").click()
    await di.sees_view("present")
    await host.sees_count(3)
    await expect(host.page.locator(".waiting-person")).to_have_count(0)
    await expect(host.page.locator(".notice", has_text="waiting to come in")).to_have_count(0)
    # Who was let in once comes back without asking; who was turned away does not.
    await bo.page.reload()
    await bo.sees_view("present")
    await cy.page.reload()
    await cy.page.get_by_role("button", name="Join class").click()
    await expect(cy.page.get_by_role("heading", name="You were not let in")).to_be_visible()


async def somebody_knocks(stage):
    """who is not on the list knocks, learns nothing but that, and comes in when the host lets the person in"""
    server, browsers = stage.server, stage.browsers
    session = create(server, admission="approval", visibility="listed", waiting_room=True)
    host = await browsers.person("chromium")
    bo = await browsers.person("chromium")
    await join(host, link(server, session, "ada", role="host"))
    await host.sees_view("waiting")
    await join(bo, link(server, session, "bo"))
    await bo.sees_view("waiting")
    await expect(bo.page.get_by_text("You are not on the list of this class.")).to_be_visible()
    await expect(bo.page.locator(".waiting-names")).to_be_hidden()
    await expect(host.page.locator(".waiting-person")).to_contain_text("Asks to come in")
    await stage.picture(host, "knocking")
    await host.page.get_by_role("button", name="Admit Bo").click()
    await expect(bo.page.get_by_text("The class has not started yet.")).to_be_visible()
    await host.start_class()
    await bo.sees_view("present")


async def a_place_is_asked_for(stage):
    """who is not on the list of a class without a waiting room asks for a place, and comes in when a host gives one"""
    server, browsers = stage.server, stage.browsers
    session = create(server, admission="approval", visibility="listed")
    host = await browsers.person("chromium")
    bo = await browsers.person("chromium")
    cy = await browsers.person("firefox")
    await join(host, link(server, session, "ada", role="host"))
    await host.sees_view("waiting")
    await join(bo, link(server, session, "bo"))
    await bo.page.get_by_role("button", name="Ask to join").click()
    await expect(bo.page.get_by_text("Your request was sent.")).to_be_visible()
    await stage.picture(bo, "asked")
    await expect(host.page.get_by_role("heading", name="Asking for a place (1)")).to_be_visible()
    await stage.picture(host, "asked-host")
    await host.page.get_by_role("button", name="Give a place Bo").click()
    await expect(host.page.get_by_role("heading", name="Asking for a place")).to_have_count(0)
    await expect(bo.page.locator("rollcall-app[data-view=waiting]")).to_be_visible(timeout=30_000)
    await host.start_class()
    await join(cy, link(server, session, "cy"))
    await cy.page.get_by_role("button", name="Ask to join").click()
    await host.sees_notice("Somebody asks for a place in this class.")
    await host.page.get_by_role("button", name="Show", exact=True).click()
    await host.page.get_by_role("button", name="Decline Cy").click()
    await expect(host.page.get_by_role("heading", name="Asking for a place")).to_have_count(0)
    state = request(server, "GET", f"/api/sessions/{session}/registrations/", token(server, "ada", session=None, role="host"))
    assert {entry["user"]: entry["state"] for entry in state["registrations"]} == {"bo": "approved", "cy": "rejected"}, state


async def class_is_cancelled(stage):
    """who waits for a class that is cancelled is told, with the reason"""
    server = stage.server
    session = create(server, admission="open", scheduled_at=LATER.isoformat())
    bo = await stage.browsers.person("chromium")
    await join(bo, link(server, session, "bo"))
    await bo.sees_view("waiting")
    host = token(server, "ada", session=None, role="host")
    request(server, "POST", f"/api/sessions/{session}/cancel/", host, {"reason": "I am ill"})
    await expect(bo.page.get_by_role("heading", name="This class was cancelled")).to_be_visible()
    await expect(bo.page.get_by_text("I am ill")).to_be_visible()


async def waiting_room_is_switched_on(stage):
    """the waiting room is switched on and off during the class"""
    server, browsers = stage.server, stage.browsers
    host = await browsers.person("chromium")
    await host.begin_class(server.host_link)
    await host.open_panel("Manage")
    waiting_room = host.page.get_by_role("switch", name="Waiting room")
    await expect(waiting_room).to_have_attribute("aria-checked", "false")
    await waiting_room.click()
    await expect(waiting_room).to_have_attribute("aria-checked", "true")
    guest = await browsers.person("chromium")
    await guest.enter(server.guest_link, "Grace Hopper")
    await guest.sees_view("waiting")
    await host.sees_notice("Grace Hopper is waiting to come in.")
    await host.page.get_by_role("button", name="Let in").click()
    await guest.sees_view("present")
    await waiting_room.click()
    await expect(waiting_room).to_have_attribute("aria-checked", "false")
    other = await browsers.person("firefox")
    await other.enter(server.guest_link, "Alan Turing")
    await other.sees_view("present")


TESTS = [
    lobby_tells_what_comes, waiting_people_are_let_in, somebody_knocks, a_place_is_asked_for, class_is_cancelled, waiting_room_is_switched_on,
]
