"""A class from the first to the last minute."""

import asyncio

from browsers import PHONE, poll
from playwright.async_api import expect


async def a_class_in_two_browsers(stage):
    """a class with two Chromium peers and one Firefox: waiting, start, status, count, chat, video, leave, end"""
    server, browsers = stage.server, stage.browsers
    host = await browsers.person("chromium")
    grace = await browsers.person("chromium")
    alan = await browsers.person("firefox")
    everybody = [host, grace, alan]

    await host.enter(server.host_link, camera=True, microphone=True)
    await host.sees_view("waiting")
    await grace.enter(server.guest_link, "Grace Hopper", camera=True, microphone=True)
    await alan.enter(server.guest_link, "Alan Turing", camera=True, microphone=True)
    for person in everybody:
        await person.sees_view("waiting")
        await expect(person.page.locator(".waiting-count")).to_have_text("3 people are waiting, you included.")
    await expect(grace.page.get_by_text("The class has not started yet.")).to_be_visible()
    await expect(grace.page.get_by_role("button", name="Start class")).to_have_count(0)
    await stage.picture(host, "waiting-host")
    await stage.picture(grace, "waiting-guest")

    await host.start_class()
    for person in everybody:
        await person.sees_view("present")
        await person.sees_count(3)
        await expect(person.page.locator(".pill.live")).to_contain_text("Live")

    await host.say("Good morning!")
    await host.sees_messages(["Good morning!"])
    await asyncio.gather(grace.say("Hello from Grace"), alan.say("Hello from Alan"), host.say("Welcome, both"))
    await expect(host.page.locator(".messages .message-text")).to_have_count(4)
    order = await host.messages()
    for person in everybody:
        await person.sees_messages(order)

    await asyncio.gather(*(person.sees_moving_video(2) for person in everybody))
    for person in everybody:
        await person.shows_faces(3)
    await stage.picture(host, "class-light")
    await host.page.emulate_media(color_scheme="dark")
    await stage.picture(host, "class-dark")
    await grace.page.set_viewport_size(PHONE)
    await stage.picture(grace, "class-phone-chat")
    await grace.page.get_by_role("button", name="Close").click()
    await stage.picture(grace, "class-phone")
    await grace.page.get_by_role("button", name="People").click()
    await expect(grace.page.locator(".person")).to_have_count(3)
    await stage.picture(grace, "class-phone-people")

    await alan.page.get_by_role("button", name="Leave class").click()
    await expect(alan.page.get_by_role("heading", name="You left the class")).to_be_visible()
    for person in [host, grace]:
        await person.sees_count(2)
        await person.shows_faces(2)
    assert await host.page.evaluate("document.querySelector('rollcall-app').room.mesh.calls.size") == 1

    await host.page.get_by_role("button", name="Leave class").click()
    await stage.picture(host, "leave-dialog")
    await host.page.get_by_role("button", name="End class for everyone").click()
    for person in [host, grace]:
        await person.sees_view("ended")
        await person.sees_messages(order)
    await expect(host.page.get_by_role("table")).to_contain_text("Grace Hopper")
    await stage.picture(host, "ended-host")
    assert await grace.page.evaluate("document.querySelector('rollcall-app').room.mesh.calls.size") == 0


async def camera_goes_off_and_on(stage):
    """a camera that is switched off stops its track, and comes back in the same call; a late camera arrives"""
    server, browsers = stage.server, stage.browsers
    host = await browsers.person("chromium")
    guest = await browsers.person("firefox")
    await host.enter(server.host_link)
    await guest.enter(server.guest_link, "Grace Hopper", camera=True)
    await host.sees_view("waiting")
    await host.start_class()
    await host.sees_moving_video(1)
    tile = host.page.locator("rollcall-tile:not([data-own])")
    await expect(tile).to_have_attribute("data-video", "")

    await guest.page.evaluate("window.track = document.querySelector('rollcall-app').room.media.camera")
    await guest.page.get_by_role("button", name="Turn off camera").click()
    await expect(tile).not_to_have_attribute("data-video", "")
    assert await guest.page.evaluate("window.track.readyState") == "ended"
    await guest.page.get_by_role("button", name="Turn on camera").click()
    await host.sees_moving_video(1)
    await expect(tile).to_have_attribute("data-video", "")

    await host.page.get_by_role("button", name="Turn on camera").click()
    await guest.sees_moving_video(1)
    await guest.shows_faces(2)


async def both_sides_at_once(stage):
    """both sides of a call change it at the same moment, again and again, and the call survives (glare)"""
    server, browsers = stage.server, stage.browsers
    host = await browsers.person("chromium")
    guest = await browsers.person("firefox")
    await host.enter(server.host_link)
    await guest.enter(server.guest_link, "Grace Hopper")
    await host.sees_view("waiting")
    await host.start_class()
    await guest.sees_view("present")
    toggle = """async () => {
      const { media } = document.querySelector('rollcall-app').room;
      for (let round = 0; round < 4; round += 1) {
        await media.toggle('camera');
        await media.toggle('microphone');
      }
      await media.switchOn('camera');
    }"""
    await asyncio.gather(host.page.evaluate(toggle), guest.page.evaluate(toggle))
    await asyncio.gather(host.sees_moving_video(1), guest.sees_moving_video(1))
    for person in [host, guest]:
        await person.shows_faces(2)


async def screen_is_shared(stage):
    """a shared screen stands beside the face of who shares it, and goes when it is stopped"""
    server, browsers = stage.server, stage.browsers
    host = await browsers.person("chromium")
    guest = await browsers.person("firefox")
    await host.enter(server.host_link, camera=True)
    await guest.enter(server.guest_link, "Grace Hopper")
    await host.sees_view("waiting")
    await host.start_class()
    await guest.shows_faces(1)
    await host.page.get_by_role("button", name="Share your screen").click()
    screen = guest.page.locator(".stage-screens rollcall-tile")
    await expect(screen).to_have_attribute("data-video", "")
    await guest.shows_faces(1)
    await stage.picture(host, "screen-share")
    await host.page.get_by_role("button", name="Stop sharing your screen").click()
    await expect(screen).to_have_count(0)


async def class_without_camera(stage):
    """without a camera (permission denied) one still joins, is told what is missing, and sees the others"""
    server, browsers = stage.server, stage.browsers
    host = await browsers.person("chromium")
    guest = await browsers.person("chromium-denied")
    await host.enter(server.host_link, camera=True)
    await guest.open(server.guest_link)
    await guest.page.get_by_label("Your name").fill("Grace Hopper")
    await guest.page.get_by_role("button", name="Turn on camera").click()
    sentence = guest.page.get_by_text("Your browser does not let this page use the camera.")
    await expect(sentence).to_be_visible()
    await stage.picture(guest, "lobby-no-camera")
    await guest.page.get_by_role("button", name="Join class").click()
    await guest.sees_view("waiting")
    await host.start_class()
    await guest.sees_view("present")
    await guest.sees_moving_video(1)
    await guest.sees_count(2)
    await guest.page.get_by_role("button", name="Turn on camera").click()
    await expect(sentence).to_be_visible()
    await guest.page.get_by_role("button", name="Dismiss").click()
    await expect(sentence).to_have_count(0)


async def audience_is_not_called(stage):
    """people who send nothing are not called by each other; who steps onto the stage is seen by all, and who leaves it frees the calls"""
    server, browsers = stage.server, stage.browsers
    host = await browsers.person("chromium")
    grace = await browsers.person("chromium")
    alan = await browsers.person("firefox")
    await host.enter(server.host_link, camera=True)
    await host.sees_view("waiting")
    await grace.enter(server.guest_link, "Grace Hopper")
    await alan.enter(server.guest_link, "Alan Turing")
    await host.start_class()
    await host.sees_count(3)

    def calls_only(person, *users):
        async def condition() -> bool:
            calls = (await person.calls()).values()
            return sorted(call["user"] for call in calls) == sorted(users) and all(call["state"] == "connected" for call in calls)

        return poll(condition, lambda: person.calls())

    teacher, grace_user, alan_user = await host.user(), await grace.user(), await alan.user()
    await calls_only(host, grace_user, alan_user)
    for person in [grace, alan]:
        await calls_only(person, teacher)
        await person.shows_faces(1)
    await grace.page.get_by_role("button", name="Turn on camera").click()
    await calls_only(alan, teacher, grace_user)
    for person in [host, alan]:
        await person.shows_faces(2)
    await grace.page.get_by_role("button", name="Turn off camera").click()
    await calls_only(alan, teacher)
    await calls_only(grace, teacher)
    await alan.page.get_by_role("button", name="Turn on camera").click()
    for person in [host, grace]:
        await person.shows_faces(2)


async def has_peers(person, counts: list[int]) -> bool:
    return await person.peers() == counts


async def second_tab(stage):
    """a second tab of the same person does not count twice, and closing it takes nobody away"""
    server, browsers = stage.server, stage.browsers
    host = await browsers.person("chromium")
    guest = await browsers.person("chromium")
    await host.enter(server.host_link)
    await guest.enter(server.guest_link, "Grace Hopper")
    await host.sees_view("waiting")
    await host.start_class()
    await host.sees_count(2)

    # A duplicated tab starts with the storage of the first.
    stored = await guest.page.evaluate("JSON.stringify(sessionStorage)")
    second = browsers.watch(await guest.page.context.new_page())
    await second.add_init_script(
        f"if (!sessionStorage.length) for (const [key, value] of Object.entries({stored})) sessionStorage.setItem(key, value)")
    await second.goto(server.guest_link)
    await expect(second.locator("rollcall-app[data-view=present]")).to_be_visible()
    await expect(second.locator(".count-number")).to_have_text("2")
    await poll(lambda: has_peers(host, [1, 2]))
    await host.sees_count(2)
    await second.close()
    await poll(lambda: has_peers(host, [1, 1]))
    await host.sees_count(2)
    await guest.say("Still here")
    await host.sees_messages(["Still here"])


async def text_is_text(stage):
    """names and messages are shown as text, whatever they contain"""
    server, browsers = stage.server, stage.browsers
    attack = "<img src=x onerror=\"document.title='pwned'\"><b>bold</b> &amp; </p>"
    name = "<i>Mallory</i> & Söhne 👩‍🏫"
    host = await browsers.person("chromium")
    guest = await browsers.person("chromium")
    await host.enter(server.host_link)
    await guest.enter(server.guest_link, name)
    await host.sees_view("waiting")
    await host.start_class()
    await guest.sees_view("present")
    await guest.say(attack)
    await host.sees_messages([attack])
    await expect(host.page.locator(".message-name")).to_have_text([name])
    await host.page.get_by_role("button", name="People").click()
    await expect(host.page.locator(".person-name", has_text="Mallory")).to_have_text(name)
    assert await host.page.locator(".message-text *, .person-name i, .message-name i").count() == 0
    assert "pwned" not in await host.page.title()


async def earlier_messages(stage):
    """who comes late sees the newest messages, and earlier ones page by page, each once and in order"""
    server, browsers = stage.server, stage.browsers
    host = await browsers.person("chromium")
    await host.begin_class(server.host_link)
    await host.sees_view("present")
    await host.page.evaluate(
        """async () => {
          const { client } = document.querySelector('rollcall-app').room;
          for (let number = 1; number <= 120; number += 1) await client.chat.send(`message ${number}`);
        }""")
    guest = await browsers.person("chromium")
    await guest.enter(server.guest_link, "Grace Hopper")
    texts = [f"message {number}" for number in range(1, 121)]
    await guest.sees_messages(texts[70:])
    for start in [20, 0]:
        await guest.page.get_by_role("button", name="Show earlier messages").click()
        await guest.sees_messages(texts[start:])
    await expect(guest.page.get_by_role("button", name="Show earlier messages")).to_be_hidden()


TESTS = [
    a_class_in_two_browsers, camera_goes_off_and_on, both_sides_at_once, screen_is_shared, class_without_camera,
    audience_is_not_called, second_tab, text_is_text, earlier_messages,
]
