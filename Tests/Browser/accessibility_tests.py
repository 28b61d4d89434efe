"""WCAG 2.2 AA as far as axe can tell, in every view, light and dark, wide and narrow."""

from axe_playwright_python.async_playwright import Axe

from playwright.async_api import expect

from browsers import DESKTOP, PHONE
from check_in_tests import in_the_room, shown_code
from home_tests import as_host, ask_for, at
from platform_side import create, home, link, request, token

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


async def check(stage, person, view: str, sizes: bool = True) -> None:
    page = person.page
    for scheme in ["light", "dark"]:
        await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        # A menu closes when the window changes its size.
        for size, viewport in [("wide", DESKTOP), ("narrow", PHONE)] if sizes else [("wide", DESKTOP)]:
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


async def class_of_two(stage):
    host = await stage.browsers.person("chromium")
    guest = await stage.browsers.person("chromium")
    await host.enter(stage.server.host_link)
    await host.sees_view("waiting")
    await host.start_class()
    await guest.enter(stage.server.guest_link, "Grace Hopper", microphone=True)
    await guest.sees_view("present")
    return host, guest


async def axe_finds_nothing_in_the_chat(stage):
    """axe finds no violation in the chat: answers, reactions, pins, menus, and while it is closed"""
    host, guest = await class_of_two(stage)
    await host.say("What is 6 times 7?")
    await guest.sees_messages(["What is 6 times 7?"])
    await guest.act_on_message("What is 6 times 7?", "Reply")
    await guest.say("41")
    await guest.act_on_message("41", "Edit")
    await guest.say("42")
    await host.act_on_message("What is 6 times 7?", "Pin")
    await host.open_message_menu("42")
    await host.page.get_by_role("button", name="Party").click()
    await expect(host.page.locator(".reaction")).to_have_count(1)
    await check(stage, host, "chat-host")
    await guest.act_on_message("42", "Reply")
    await check(stage, guest, "chat-reply")
    await guest.open_message_menu("42")
    await check(stage, guest, "message-menu", sizes=False)
    await guest.page.keyboard.press("Escape")
    await host.open_panel("Manage")
    await host.page.get_by_label("Slow mode").select_option("600")
    await expect(guest.page.locator("#chat-everyone .composer-hint")).to_be_visible()
    await guest.say("Slowly")
    await check(stage, guest, "slow-mode")
    await guest.page.get_by_role("tab", name="Hosts only").click()
    await check(stage, guest, "hosts-only")
    await host.page.get_by_label("Who may write to everyone").select_option("off")
    await expect(guest.page.locator("#chat-hosts .composer-closed")).to_be_visible()
    await check(stage, guest, "chat-closed")


async def axe_finds_nothing_for_who_leads(stage):
    """axe finds no violation in what those who lead see, hands, menus, rules, dialogs, and in being muted and removed"""
    host, guest = await class_of_two(stage)
    await guest.page.get_by_role("button", name="Raise your hand").click()
    await host.open_panel("People")
    await expect(host.page.locator(".hand-place")).to_have_count(1)
    await check(stage, host, "people-host")
    await host.page.get_by_role("button", name="Actions for Grace Hopper", exact=True).click()
    await check(stage, host, "person-menu", sizes=False)
    await host.page.get_by_role("menuitem", name="Ban…").click()
    await check(stage, host, "ban-dialog")
    await host.page.get_by_role("button", name="Cancel").click()
    await host.open_panel("Manage")
    await host.page.get_by_role("switch", name="Mute everyone").click()
    await expect(guest.page.locator(".room-mark")).to_have_count(1)
    await host.page.get_by_text("Check people in by hand").click()
    await expect(host.page.locator(".board-people .person")).to_have_count(1)
    await check(stage, host, "manage")
    await check(stage, guest, "muted")
    await host.act_on_person("Grace Hopper", "Remove…")
    await host.page.get_by_role("button", name="Remove", exact=True).click()
    await guest.page.get_by_role("heading", name="You were sent out of the class").wait_for()
    await check(stage, guest, "removed")


async def axe_finds_nothing_while_waiting(stage):
    """axe finds no violation in the lobby with all details, in the waiting room, among those who wait, and where one asks to join"""
    server, browsers = stage.server, stage.browsers
    session = create(
        server, title="Algebra for all", instructor="Ada Lovelace", description="Groups, rings, fields.", time_zone="Asia/Tokyo",
        admission="open", waiting_room=True, course="Mathematics", materials=[{"title": "Chapter 1", "url": "https://example.org/one.pdf"}])
    host, bo, cy = [await browsers.person("chromium") for _ in range(3)]
    await bo.open(link(server, session, "bo"))
    await bo.page.get_by_role("heading", name="Algebra for all").wait_for()
    await check(stage, bo, "lobby")
    await bo.page.get_by_role("button", name="Join class").click()
    await cy.open(link(server, session, "cy"))
    await cy.page.get_by_role("button", name="Join class").click()
    await cy.sees_view("waiting")
    await expect(bo.page.locator(".waiting-names li")).to_have_count(1)
    await check(stage, bo, "waiting-room")
    await host.open(link(server, session, "ada", role="host"))
    await host.page.get_by_role("button", name="Join class").click()
    await expect(host.page.locator(".waiting-person")).to_have_count(2)
    await check(stage, host, "waiting-host-list")
    await host.page.get_by_role("button", name="Deny Bo").click()
    await bo.page.get_by_role("heading", name="You were not let in").wait_for()
    await check(stage, bo, "denied")
    await host.start_class()
    await host.sees_view("present")
    di = await browsers.person("chromium")
    await di.open(link(server, session, "di"))
    await di.page.get_by_role("button", name="Join class").click()
    await host.sees_notice("waiting to come in")
    await check(stage, host, "class-waiting")
    await host.open_panel("People")
    await expect(host.page.locator(".notice")).to_have_count(0)
    await check(stage, host, "people-waiting")
    closed = create(server, admission="approval", visibility="listed")
    await bo.open(link(server, closed, "bo"))
    await bo.page.get_by_role("button", name="Join class").click()
    await bo.page.get_by_role("button", name="Ask to join").wait_for()
    await check(stage, bo, "ask")


async def axe_finds_nothing_at_home(stage):
    """axe finds no violation in the list of classes, empty and full, in what is over, and in the notifications"""
    server = stage.server
    person = await stage.browsers.person("chromium")
    page = person.page
    admin = token(server, "root", session=None, role="admin")
    request(server, "PATCH", f"/api/sessions/{server.session}/", admin, {"visibility": "members"})
    await person.open(home(server, "bo"))
    await page.get_by_text("Nothing is coming up").wait_for()
    await check(stage, person, "home-empty")
    invited = [{"user": "bo", "name": "Bo"}]
    live = create(server, title="Linear algebra: eigenvectors", instructor="Ada Lovelace", course="Mathematics", invited=invited)
    moved = create(server, title="Number theory", instructor="Ada Lovelace", scheduled_at=at(40), invited=invited)
    create(server, title="Physics lab", kind="in_person", course="Physics", scheduled_at=at(60 * 24), duration_minutes=90, invited=invited)
    create(server, title="Reading circle", kind="audio", scheduled_at=at(60 * 24 * 5), invited=invited)
    over = create(server, title="Geometry", instructor="Ada Lovelace", invited=invited)
    as_host(server, f"/api/sessions/{moved}/reschedule/", {"scheduled_at": at(50), "reason": "The room is taken"})
    for session in [live, over]:
        as_host(server, f"/api/sessions/{session}/start/")
    as_host(server, f"/api/sessions/{over}/end/")
    await expect(page.locator(".session")).to_have_count(4)
    await person.sees_notice("Number theory has another time")
    await check(stage, person, "home-notices")
    for _ in range(await page.get_by_role("button", name="Dismiss").count()):
        await page.get_by_role("button", name="Dismiss").first.click()
    await check(stage, person, "home")
    await page.get_by_role("button", name="Notifications").click()
    await check(stage, person, "notifications")
    await page.keyboard.press("Escape")
    await page.get_by_role("tab", name="Over").click()
    await expect(page.locator(".session")).to_have_count(1)
    await check(stage, person, "home-over")
    ask_for(server, "An hour of chess")
    ada = await stage.browsers.person("chromium")
    await ada.open(home(server, "ada", role="host"))
    await ada.page.get_by_role("button", name="Agree An hour of chess").wait_for()
    await check(stage, ada, "home-asked")


async def axe_finds_nothing_in_the_room(stage):
    """axe finds no violation in a class that is held in a room: the code, the roster, checking in, and being checked in"""
    session, host = await in_the_room(stage)
    await host.page.get_by_role("button", name="Check in Cy").click()
    await expect(host.page.locator(".board-people [data-here]")).to_have_count(1)
    await shown_code(host)
    await check(stage, host, "check-in-host")
    await host.page.get_by_role("button", name="Show large").click()
    await check(stage, host, "check-in-large")
    await host.page.keyboard.press("Escape")
    bo = await stage.browsers.person("chromium")
    await bo.open(link(stage.server, session, "bo"))
    field = bo.page.get_by_label("Code that is shown in the room")
    await field.fill("000000")
    await bo.page.get_by_role("button", name="Check in").click()
    await bo.page.get_by_text("This is not the code").wait_for()
    await check(stage, bo, "check-in")
    code = await shown_code(host)
    await field.fill(code)
    await bo.page.get_by_role("button", name="Check in").click()
    await bo.page.get_by_role("heading", name="You are checked in").wait_for()
    await check(stage, bo, "checked-in")
    await bo.page.get_by_role("button", name="Join class").click()
    await bo.sees_view("present")
    await check(stage, bo, "in-room")


TESTS = [
    axe_finds_nothing, axe_finds_nothing_in_the_chat, axe_finds_nothing_for_who_leads, axe_finds_nothing_while_waiting,
    axe_finds_nothing_at_home, axe_finds_nothing_in_the_room,
]
