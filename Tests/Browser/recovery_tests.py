"""What happens when connection or server go away."""

import asyncio

from playwright.async_api import expect

from browsers import poll
from proxy import Proxy


async def server_is_killed(stage):
    """kill -9 and a restart: pages say so, come back, the chat is there once, nobody counts twice, video goes on"""
    server, browsers = stage.server, stage.browsers
    host = await browsers.person("chromium")
    grace = await browsers.person("chromium")
    alan = await browsers.person("firefox")
    everybody = [host, grace, alan]
    await host.enter(server.host_link, camera=True)
    await grace.enter(server.guest_link, "Grace Hopper", camera=True)
    await alan.enter(server.guest_link, "Alan Turing", camera=True)
    for person in everybody:
        await person.sees_view("waiting")
    await host.start_class()
    for person in everybody:
        await person.sees_count(3)
    await host.say("Before")
    await alan.say("Also before")
    await host.sees_messages(["Before", "Also before"])
    await alan.sees_moving_video(2)
    users = [await person.user() for person in everybody]
    addresses = [await person.peer() for person in everybody]
    for person in everybody:
        await person.mark_calls()

    await server.kill()
    for person in everybody:
        await expect(person.page.get_by_text("Connection lost. Reconnecting…")).to_be_visible()
    await stage.picture(grace, "reconnecting")
    # The call needs no server: it goes on meanwhile.
    await grace.shows_faces(3)
    # What is written meanwhile is sent after the reconnect, once.
    await grace.say("Meanwhile")
    await expect(grace.page.get_by_text("Sending…")).to_be_visible()

    await server.start()
    for person in everybody:
        await expect(person.page.locator("rollcall-banner[data-state=lost]")).to_have_count(0, timeout=40_000)
        await person.sees_messages(["Before", "Also before", "Meanwhile"])
        await person.sees_count(3)
        await person.sees_view("present")
    assert users == [await person.user() for person in everybody]
    assert addresses == [await person.peer() for person in everybody]
    await host.page.get_by_role("button", name="People").click()
    await expect(host.page.locator(".person")).to_have_count(3)
    await expect(host.page.get_by_text("Connection lost, may come back")).to_have_count(0)
    await asyncio.gather(grace.sees_moving_video(2), host.sees_moving_video(2), alan.sees_moving_video(2))
    # They are the calls of before.
    assert [await person.marked_calls() for person in everybody] == [2, 2, 2]
    await host.shows_faces(3)
    await expect(grace.page.get_by_text("Sending…")).to_have_count(0)
    await alan.say("After")
    for person in everybody:
        await expect(person.page.locator(".messages .message-text")).to_have_text(["Before", "Also before", "Meanwhile", "After"])


async def waiting_survives_restart(stage):
    """who waits while the server restarts waits on, and comes in at the start"""
    server, browsers = stage.server, stage.browsers
    host = await browsers.person("chromium")
    guest = await browsers.person("chromium")
    await host.enter(server.host_link)
    await guest.enter(server.guest_link, "Grace Hopper")
    await expect(host.page.locator(".waiting-count")).to_have_text("2 people are waiting, you included.")
    await server.kill()
    await expect(guest.page.locator("rollcall-banner[data-state=lost]")).to_be_visible()
    await server.start()
    await expect(guest.page.locator("rollcall-banner[data-state=lost]")).to_have_count(0, timeout=40_000)
    await expect(host.page.locator(".waiting-count")).to_have_text("2 people are waiting, you included.", timeout=40_000)
    await host.start_class()
    for person in [host, guest]:
        await person.sees_view("present")
        await person.sees_count(2)


async def server_is_restarted(stage):
    """an orderly restart (SIGTERM) ends no class: pages come back, nothing is lost, nobody counts twice"""
    server, browsers = stage.server, stage.browsers
    host = await browsers.person("firefox")
    guest = await browsers.person("chromium")
    await host.enter(server.host_link)
    await guest.enter(server.guest_link, "Grace Hopper")
    await host.sees_view("waiting")
    await host.start_class()
    await guest.sees_view("present")
    await guest.say("Before")
    await host.sees_messages(["Before"])
    assert await server.stop() == 0
    await expect(guest.page.get_by_text("Connection lost. Reconnecting…")).to_be_visible()
    await server.start()
    for person in [host, guest]:
        await expect(person.page.locator("rollcall-banner[data-state=lost]")).to_have_count(0, timeout=40_000)
        await person.sees_messages(["Before"])
        await person.sees_count(2)
    await host.say("After")
    await guest.sees_messages(["Before", "After"])


async def one_connection_is_lost(stage):
    """one person's lost connection is shown to the others; it comes back with its address, its calls and all it missed"""
    server, browsers = stage.server, stage.browsers
    async with Proxy(server.port) as network:
        host = await browsers.person("chromium")
        guest = await browsers.person("chromium")
        await host.enter(server.host_link, camera=True)
        await guest.enter(server.guest_link.replace(f":{server.port}", f":{network.port}"), "Grace Hopper", camera=True)
        await host.sees_view("waiting")
        await host.start_class()
        await guest.sees_moving_video(1)
        await host.sees_moving_video(1)
        address = await guest.peer()
        for person in [host, guest]:
            await person.mark_calls()
        await host.say("One")
        await guest.sees_messages(["One"])
        network.cut()
        tile = host.page.locator("rollcall-tile:not([data-own])")
        await expect(guest.page.get_by_text("Connection lost. Reconnecting…")).to_be_visible()
        await expect(tile.get_by_text("Connection lost")).to_be_visible()
        await host.sees_count(2)
        await stage.picture(host, "person-lost")
        # The pictures do not pass through the server.
        await expect(tile).to_have_attribute("data-video", "")
        assert await host.peers() == [1, 1]
        # What is said meanwhile, on both sides, and a camera that is turned off: the negotiation of that waits.
        await host.say("Two")
        await guest.say("Three")
        await expect(guest.page.get_by_text("Sending…")).to_be_visible()
        await host.page.get_by_role("button", name="Turn off camera").click()
        network.mend()
        await expect(guest.page.locator("rollcall-banner[data-state=lost]")).to_have_count(0, timeout=40_000)
        await expect(tile.get_by_text("Connection lost")).to_have_count(0)
        await host.sees_count(2)
        for person in [host, guest]:
            await person.sees_messages(["One", "Two", "Three"])
        await guest.shows_faces(1)
        await host.page.get_by_role("button", name="Turn on camera").click()
        await host.sees_moving_video(1)
        await guest.sees_moving_video(1)
        assert await guest.peer() == address
        assert [await person.marked_calls() for person in [host, guest]] == [1, 1]


async def class_goes_on_meanwhile(stage):
    """whose connection is lost while the class ends and is opened again comes back into the class, and the call is made anew"""
    server, browsers = stage.server, stage.browsers
    async with Proxy(server.port) as network:
        host = await browsers.person("chromium")
        guest = await browsers.person("chromium")
        await host.enter(server.host_link, camera=True)
        await guest.enter(server.guest_link.replace(f":{server.port}", f":{network.port}"), "Grace Hopper", camera=True)
        await host.sees_view("waiting")
        await host.start_class()
        await host.sees_moving_video(1)
        address = await guest.peer()
        network.cut()
        await expect(guest.page.get_by_text("Connection lost. Reconnecting…")).to_be_visible()
        await host.page.get_by_role("button", name="Leave class").click()
        await host.page.get_by_role("button", name="End class for everyone").click()
        await host.sees_view("ended")
        await host.page.get_by_role("button", name="Open the class again").click()
        await host.sees_view("present")
        await host.say("We go on")
        network.mend()
        await expect(guest.page.locator("rollcall-banner[data-state=lost]")).to_have_count(0, timeout=40_000)
        await guest.sees_messages(["We go on"])
        await guest.sees_view("present")
        for person in [host, guest]:
            await person.sees_count(2)
        assert await guest.peer() not in [address, None]
        # The end of the class ended the call. Who opens it again decides anew what others see.
        await host.shows_faces(1)


# Keeps what the page is told when it is let in, and speaks for its address on another connection.
LISTEN = """(() => {
  const Original = WebSocket;
  window.WebSocket = class extends Original {
    constructor(...parameters) {
      super(...parameters);
      this.addEventListener('message', ({ data }) => {
        const message = JSON.parse(data);
        if (message.type === 'session.joined') window.lastJoined = message;
      });
    }
  };
})()"""
TAKE_OVER = """async () => {
  const { client } = document.querySelector('rollcall-app').room;
  const { resume_token: token, epoch, streams } = window.lastJoined;
  const socket = new WebSocket(location.origin.replace('http', 'ws') + '/ws', 'rollcall.v1');
  window.other = socket;
  const bearer = document.querySelector('rollcall-app').room.bearer;
  return await new Promise((resolve) => {
    socket.onmessage = ({ data }) => {
      const message = JSON.parse(data);
      if (message.type === 'session.joined') resolve(message.peer);
    };
    socket.onopen = () => {
      socket.send(JSON.stringify({ type: 'hello', token: bearer }));
      socket.send(JSON.stringify({ type: 'session.join', session: client.sessionId, resume: { token, epoch, streams } }));
    };
  });
}"""


async def address_is_taken_over(stage):
    """who is driven out by another connection with the same token comes back as a second tab, and drives nobody out"""
    server, browsers = stage.server, stage.browsers
    host = await browsers.person("chromium")
    guest = await browsers.person("chromium")
    await guest.page.add_init_script(LISTEN)
    await host.enter(server.host_link)
    await guest.enter(server.guest_link, "Grace Hopper")
    await host.sees_view("waiting")
    await host.start_class()
    await guest.sees_view("present")
    address = await guest.peer()
    assert await guest.page.evaluate(TAKE_OVER) == address

    async def has_two_tabs() -> bool:
        return await host.peers() == [1, 2]

    await poll(has_two_tabs, host.peers)
    await guest.sees_view("present")
    await expect(guest.page.locator("rollcall-banner[data-state=lost]")).to_have_count(0, timeout=20_000)
    assert await guest.peer() != address
    await host.sees_count(2)
    await asyncio.sleep(3)
    assert await guest.page.evaluate("window.other.readyState") == 1
    assert await host.peers() == [1, 2]


async def reload_is_the_same_guest(stage):
    """a reload goes straight back in as the same guest"""
    server, browsers = stage.server, stage.browsers
    host = await browsers.person("chromium")
    guest = await browsers.person("firefox")
    await host.enter(server.host_link)
    await guest.enter(server.guest_link, "Alan Turing")
    await host.sees_view("waiting")
    await host.start_class()
    await guest.sees_view("present")
    await guest.say("I was here")
    await host.sees_messages(["I was here"])
    before = await guest.user()
    await guest.page.reload()
    await guest.sees_view("present")
    assert await guest.user() == before
    await guest.sees_messages(["I was here"])
    await guest.sees_count(2)
    await host.sees_count(2)


async def erased_message_says_so(stage):
    """who enters after a user was erased sees that there was a message, and neither its text nor a name"""
    server, browsers = stage.server, stage.browsers
    host = await browsers.person("chromium")
    guest = await browsers.person("chromium")
    await host.enter(server.host_link)
    await guest.enter(server.guest_link, "Alan Turing")
    await host.sees_view("waiting")
    await host.start_class()
    await guest.sees_view("present")
    await guest.say("My number is 555")
    await host.say("Welcome")
    await host.sees_messages(["My number is 555", "Welcome"])
    user = await guest.user()
    await guest.page.close()
    assert await server.stop() == 0
    await server.erase(user)
    await server.start()

    witness = await browsers.person("chromium")
    await witness.enter(server.guest_link, "Grace Hopper")
    await witness.sees_messages(["This message was deleted.", "Welcome"])
    await expect(witness.page.locator(".message-name").first).to_have_text("Deleted user")
    await expect(witness.page.get_by_text("Alan Turing")).to_have_count(0)
    await stage.picture(witness, "erased")


TESTS = [erased_message_says_so, server_is_killed, server_is_restarted, waiting_survives_restart, one_connection_is_lost, class_goes_on_meanwhile, address_is_taken_over, reload_is_the_same_guest]
