"""Those who lead a class: hands, microphones, the door, and who helps."""

from playwright.async_api import expect

from browsers import poll
from proxy import Proxy


async def class_of_three(stage, **devices):
    """A class that is on: the host, Grace in Chromium, Alan in Firefox."""
    server, browsers = stage.server, stage.browsers
    host = await browsers.person("chromium")
    grace = await browsers.person("chromium")
    alan = await browsers.person("firefox")
    await host.begin_class(server.host_link)
    await host.sees_view("present")
    await grace.enter(server.guest_link, "Grace Hopper", **devices)
    await alan.enter(server.guest_link, "Alan Turing", **devices)
    for person in [host, grace, alan]:
        await person.sees_count(3)
    return host, grace, alan


async def hands_are_a_queue(stage):
    """hands stand in the order in which they were raised, the same for all three, and the host lowers them"""
    host, grace, alan = await class_of_three(stage)
    everybody = [host, grace, alan]
    for person in everybody:
        await person.open_panel("People")
    queue = ".hand-queue .person-name"
    await alan.page.get_by_role("button", name="Raise your hand").click()
    await expect(alan.page.locator(queue)).to_have_text(["Alan Turing (you)"])
    await grace.page.get_by_role("button", name="Raise your hand").click()
    await expect(host.page.locator(queue)).to_have_text(["Alan Turing", "Grace Hopper"])
    await expect(alan.page.locator(queue)).to_have_text(["Alan Turing (you)", "Grace Hopper"])
    await expect(grace.page.locator(queue)).to_have_text(["Alan Turing", "Grace Hopper (you)"])
    await expect(grace.page.get_by_role("button", name="Lower your hand: it is number 2 in the queue")).to_be_visible()
    await stage.picture(host, "hands")
    # Only who leads may lower the hands of others.
    await expect(grace.page.get_by_role("button", name="Lower all hands")).to_be_hidden()

    await host.page.get_by_role("button", name="Lower the hand of Alan Turing").click()
    await alan.sees_notice("Teacher has lowered your hand.")
    for person in everybody:
        await expect(person.page.locator(".hand-place")).to_have_count(1)
    await expect(grace.page.get_by_role("button", name="Lower your hand: it is number 1 in the queue")).to_be_visible()
    await alan.page.get_by_role("button", name="Raise your hand").click()
    await expect(host.page.locator(queue)).to_have_text(["Grace Hopper", "Alan Turing"])
    await host.page.get_by_role("button", name="Lower all hands").click()
    for person in everybody:
        await expect(person.page.locator(".hand-place")).to_have_count(0)
    await grace.sees_notice("Teacher has lowered all hands.")


async def everybody_is_muted(stage):
    """mute everyone switches microphones off, the server refuses sound, and who is asked may speak again"""
    host, grace, alan = await class_of_three(stage, microphone=True)
    await expect(grace.page.get_by_role("button", name="Mute microphone")).to_be_visible()
    await host.open_panel("Manage")
    await host.page.get_by_role("switch", name="Mute everyone").click()
    for person in [grace, alan]:
        await person.sees_notice("Teacher has muted everyone.")
        assert not await person.page.evaluate("document.querySelector('rollcall-app').room.media.isOn('microphone')")
    barred = grace.page.get_by_role("button", name="Turn on microphone: not possible now")
    await barred.click()
    await grace.sees_notice("Everyone is muted. You can speak when a host asks you to.")
    assert not await grace.page.evaluate("document.querySelector('rollcall-app').room.media.isOn('microphone')")
    await stage.picture(grace, "muted")
    # Not only the page refuses.
    code = await grace.page.evaluate(
        "document.querySelector('rollcall-app').room.client.request('media.set', { audio: true }).then(() => null, ({ code }) => code)")
    assert code == "muted", code
    await host.open_panel("People")
    row = host.page.locator(".person", has_text="Grace Hopper")
    await expect(row.get_by_text("microphone off")).to_have_count(1)

    await host.act_on_person("Grace Hopper", "Ask to unmute")
    await grace.sees_notice("Teacher asks you to speak.")
    await grace.page.get_by_role("button", name="Turn on microphone", exact=True).and_(grace.page.locator(".notice button")).click()
    await expect(row.get_by_text("microphone on")).to_have_count(1)
    await expect(alan.page.get_by_role("button", name="Turn on microphone: not possible now")).to_be_visible()
    # Other changes of the rules mute nobody again.
    await host.open_panel("Manage")
    await host.page.get_by_role("switch", name="Lock the class").click()
    await expect(grace.page.locator(".room-mark")).to_have_count(2)
    await expect(grace.page.get_by_role("button", name="Mute microphone")).to_be_visible()

    await host.page.get_by_role("switch", name="Mute everyone").click()
    await alan.sees_notice("Everyone may speak again.")
    await alan.page.get_by_role("button", name="Turn on microphone", exact=True).click()
    await host.open_panel("People")
    await expect(host.page.locator(".person", has_text="Alan Turing").get_by_text("microphone on")).to_have_count(1)


async def one_is_muted(stage):
    """one person is muted and cannot unmute, is told so, and may again when a host allows it"""
    host, grace, _ = await class_of_three(stage, microphone=True)
    await host.act_on_person("Grace Hopper", "Mute")
    await grace.sees_notice("Teacher has muted you.")
    await expect(grace.page.get_by_role("button", name="Turn on microphone: not possible now")).to_be_visible()
    await expect(host.page.locator(".person", has_text="Grace Hopper").get_by_text("muted by a host")).to_have_count(1)
    await host.act_on_person("Grace Hopper", "Allow to unmute")
    await grace.page.get_by_role("button", name="Turn on microphone", exact=True).click()
    await expect(host.page.locator(".person", has_text="Grace Hopper").get_by_text("microphone on")).to_have_count(1)


async def somebody_is_sent_out(stage):
    """who is removed is told and may come back; who is banned may not, until the ban is undone"""
    host, grace, alan = await class_of_three(stage)
    await host.act_on_person("Grace Hopper", "Remove…")
    await stage.picture(host, "remove-dialog")
    await host.page.get_by_role("button", name="Remove", exact=True).click()
    await expect(grace.page.get_by_role("heading", name="You were sent out of the class")).to_be_visible()
    await stage.picture(grace, "removed")
    await host.sees_count(2)
    await grace.page.get_by_role("button", name="Try again").click()
    await grace.page.get_by_role("button", name="Join class").click()
    await grace.sees_view("present")
    await host.sees_count(3)

    await host.act_on_person("Alan Turing", "Ban…")
    await host.page.get_by_role("button", name="Ban", exact=True).click()
    heading = alan.page.get_by_role("heading", name="You cannot join this class")
    await expect(heading).to_be_visible()
    await expect(host.page.get_by_role("button", name="Undo the ban")).to_be_visible()
    await host.sees_count(2)
    await alan.page.reload()
    await alan.page.get_by_role("button", name="Join class").click()
    await expect(heading).to_be_visible()
    await expect(host.page.get_by_role("heading", name="Banned (1)")).to_be_visible()
    await stage.picture(host, "banned")
    await host.page.reload()
    await host.sees_view("present")
    await host.sees_count(2)
    await host.open_panel("People")
    await expect(host.page.get_by_role("heading", name="Banned (1)")).to_be_visible()
    await host.page.get_by_role("button", name="Let back in Alan Turing").click()
    await expect(host.page.get_by_role("heading", name="Banned")).to_have_count(0)
    await host.sees_notice("Alan Turing may come back.")
    await alan.page.reload()
    await alan.page.get_by_role("button", name="Join class").click()
    await alan.sees_view("present")
    await host.sees_count(3)


async def cohost_leads(stage):
    """a co-host gets a host's rights and what is said to the hosts, and loses both again"""
    host, grace, alan = await class_of_three(stage)
    await expect(grace.page.get_by_role("button", name="Manage")).to_be_hidden()
    await host.act_on_person("Grace Hopper", "Make co-host")
    await grace.sees_notice("You are a co-host now")
    await expect(alan.page.locator(".count-number")).to_have_text("3")
    await alan.open_panel("People")
    await expect(alan.page.locator(".person", has_text="Grace Hopper").get_by_text("Co-host")).to_be_visible()
    await alan.open_panel("Chat")
    await alan.page.get_by_role("tab", name="Hosts only").click()
    await alan.page.get_by_label("Message to the hosts").fill("I cannot hear anything")
    await alan.page.keyboard.press("Enter")
    await grace.open_panel("Chat")
    await grace.page.get_by_role("tab", name="Hosts only").click()
    await expect(grace.page.locator("#chat-hosts .message-text")).to_have_text(["I cannot hear anything"])
    await grace.open_panel("Manage")
    await grace.page.get_by_role("switch", name="Lock the class").click()
    await expect(alan.page.locator(".room-mark")).to_have_count(1)
    # Nobody decides about the host.
    await grace.open_panel("People")
    await grace.page.get_by_role("button", name="Actions for Teacher").click()
    await expect(grace.page.get_by_role("menuitem")).to_have_text(["Show large to everyone"])
    await grace.page.keyboard.press("Escape")

    await host.act_on_person("Grace Hopper", "Take back co-host rights")
    await grace.sees_notice("You are not a co-host any more.")
    await expect(grace.page.get_by_role("button", name="Manage")).to_be_hidden()
    await grace.open_panel("Chat")
    await expect(grace.page.locator("#chat-hosts .message-text")).to_have_count(0)
    code = await grace.page.evaluate(
        "document.querySelector('rollcall-app').room.client.moderation.lock(false).then(() => null, ({ code }) => code)")
    assert code == "forbidden", code


async def class_is_locked(stage):
    """into a locked class nobody new comes, and who lost the connection comes back"""
    server, browsers = stage.server, stage.browsers
    async with Proxy(server.port) as network:
        host = await browsers.person("chromium")
        guest = await browsers.person("chromium")
        late = await browsers.person("firefox")
        await host.begin_class(server.host_link)
        await guest.enter(server.guest_link.replace(f":{server.port}", f":{network.port}"), "Grace Hopper")
        await guest.sees_view("present")
        await host.open_panel("Manage")
        await host.page.get_by_role("switch", name="Lock the class").click()
        await expect(host.page.get_by_role("switch", name="Lock the class")).to_have_attribute("aria-checked", "true")
        await late.enter(server.guest_link, "Alan Turing")
        await expect(late.page.get_by_role("heading", name="This class is locked")).to_be_visible()
        network.cut()
        await expect(guest.page.get_by_text("Connection lost. Reconnecting…")).to_be_visible()
        network.mend()
        await expect(guest.page.locator("rollcall-banner[data-state=lost]")).to_have_count(0, timeout=40_000)
        await host.sees_count(2)
        await host.page.get_by_role("switch", name="Lock the class").click()
        await expect(host.page.get_by_role("switch", name="Lock the class")).to_have_attribute("aria-checked", "false")
        await late.page.get_by_role("button", name="Try again").click()
        await late.page.get_by_role("button", name="Join class").click()
        await late.sees_view("present")


async def one_is_shown_large(stage):
    """whom a host shows large is large for everybody, also for who comes later"""
    host, grace, alan = await class_of_three(stage)
    await host.act_on_person("Grace Hopper", "Show large to everyone")
    late = await stage.browsers.person("chromium")
    await late.enter(stage.server.guest_link, "Ada Lovelace")
    for person in [host, grace, alan, late]:
        tile = person.page.locator("rollcall-tile[data-spotlight]")
        await expect(tile.locator(".tile-name")).to_contain_text("Grace Hopper")
        widths = await person.page.locator(".stage-faces rollcall-tile").evaluate_all(
            "(tiles) => tiles.map((tile) => [tile.hasAttribute('data-spotlight'), tile.getBoundingClientRect().width])")
        large = [width for spot, width in widths if spot]
        assert large[0] > 1.5 * max(width for spot, width in widths if not spot), widths
    await stage.picture(host, "spotlight")
    await host.act_on_person("Grace Hopper", "Stop showing large to everyone")
    await expect(late.page.locator("rollcall-tile[data-spotlight]")).to_have_count(0)


async def stage_is_by_invitation(stage):
    """when only invited people may be heard and seen, the others are silent and told why, until they are invited"""
    host, grace, alan = await class_of_three(stage, microphone=True)
    await host.open_panel("Manage")
    await host.page.get_by_label("Who may send sound and pictures").select_option("invited")
    for person in [grace, alan]:
        await person.sees_notice("your microphone and camera are off")
        await expect(person.page.get_by_role("button", name="Turn on microphone: not possible now")).to_be_visible()
    await grace.page.get_by_role("button", name="Turn on camera: not possible now").click()
    await grace.sees_notice("Only people whom a host has invited to the stage")
    code = await grace.page.evaluate(
        "document.querySelector('rollcall-app').room.client.request('media.set', { video: true }).then(() => null, ({ code }) => code)")
    assert code == "stage_closed", code
    await host.act_on_person("Grace Hopper", "Invite to the stage")
    await alan.open_panel("People")
    await expect(alan.page.locator(".person", has_text="Grace Hopper").get_by_text("On stage")).to_be_visible()
    await grace.page.get_by_role("button", name="Turn on microphone", exact=True).click()
    await expect(alan.page.locator(".person", has_text="Grace Hopper").get_by_text("microphone on")).to_have_count(1)
    await host.act_on_person("Grace Hopper", "Take off the stage")
    await grace.sees_notice("your microphone and camera are off")
    await expect(alan.page.locator(".person", has_text="Grace Hopper").get_by_text("microphone off")).to_have_count(1)
    await host.open_panel("Manage")
    await host.page.get_by_label("Who may send sound and pictures").select_option("open")
    await alan.page.get_by_role("button", name="Turn on microphone", exact=True).click()
    await host.open_panel("People")
    await expect(host.page.locator(".person", has_text="Alan Turing").get_by_text("microphone on")).to_have_count(1)


async def rules_outlive_the_server(stage):
    """kill -9 and a restart: hands, mutes, rules, pins and reactions are what they were"""
    server = stage.server
    host, grace, alan = await class_of_three(stage)
    await grace.say("Look here")
    await host.sees_messages(["Look here"])
    await host.act_on_message("Look here", "Pin")
    await alan.open_message_menu("Look here")
    await alan.page.get_by_role("button", name="Heart").click()
    await grace.page.get_by_role("button", name="Raise your hand").click()
    await alan.page.get_by_role("button", name="Raise your hand").click()
    await host.open_panel("Manage")
    await host.page.get_by_role("switch", name="Mute everyone").click()
    await expect(alan.page.locator(".room-mark")).to_have_count(1)
    await server.kill()
    await expect(grace.page.get_by_text("Connection lost. Reconnecting…")).to_be_visible()
    await server.start()
    for person in [host, grace, alan]:
        await expect(person.page.locator("rollcall-banner[data-state=lost]")).to_have_count(0, timeout=40_000)
        await person.sees_count(3)
        await person.open_panel("People")
        await expect(person.page.locator(".hand-queue .person-name")).to_contain_text(["Grace Hopper", "Alan Turing"])
        await person.open_panel("Chat")
        await expect(person.page.locator(".pinned-text")).to_contain_text(["Look here"])
        await expect(person.page.locator(".reaction")).to_have_text(["❤️ 1 person"])
        await expect(person.page.locator(".room-mark")).to_have_count(1)
    # Who comes with a fresh page sees the same.
    await grace.page.reload()
    await grace.sees_view("present")
    await expect(grace.page.locator(".pinned-text")).to_contain_text(["Look here"])
    await grace.open_panel("People")

    async def in_order() -> bool:
        return [name.removesuffix(" (you)") for name in await grace.hands()] == ["Grace Hopper", "Alan Turing"]

    await poll(in_order, grace.hands)
    await expect(grace.page.get_by_role("button", name="Turn on microphone: not possible now")).to_be_visible()


TESTS = [
    hands_are_a_queue, everybody_is_muted, one_is_muted, somebody_is_sent_out, cohost_leads, class_is_locked, one_is_shown_large, stage_is_by_invitation,
    rules_outlive_the_server,
]
