"""The chat: what becomes of messages, who reads them, and who may write."""

from playwright.async_api import expect

from moderation_tests import class_of_three
from proxy import Proxy


async def messages_change(stage):
    """answers, changes, reactions, pins and deletions are the same for all, at once and for who comes later"""
    host, grace, alan = await class_of_three(stage)
    await host.say("What is 6 times 7?")
    await alan.sees_messages(["What is 6 times 7?"])

    await alan.act_on_message("What is 6 times 7?", "Reply")
    await expect(alan.page.locator("#chat-everyone .composer-context")).to_contain_text("Reply to Teacher")
    await alan.say("41")
    for person in [host, grace]:
        await expect(person.message("41").locator(".quote-text")).to_have_text("Teacher: What is 6 times 7?")
    await alan.act_on_message("41", "Edit")
    field = alan.page.get_by_label("Message to everyone")
    await expect(field).to_have_value("41")
    await field.fill("42")
    await field.press("Enter")
    for person in [host, grace, alan]:
        await person.sees_messages(["What is 6 times 7?", "42"])
        await expect(person.message("42").locator(".edited")).to_be_visible()

    await grace.open_message_menu("42")
    await stage.picture(grace, "message-menu")
    await grace.page.get_by_role("button", name="Party").click()
    await host.open_message_menu("42")
    await host.page.get_by_label("Another emoji").fill("👩‍🏫")
    await expect(alan.message("42").locator(".reaction")).to_have_text(["🎉 1 person", "👩‍🏫 1 person"])
    await alan.message("42").locator(".reaction").first.click()
    for person in [host, grace, alan]:
        await expect(person.message("42").locator(".reaction")).to_have_text(["🎉 2 people", "👩‍🏫 1 person"])
    await expect(grace.message("42").locator(".reaction").first).to_have_attribute("aria-pressed", "true")
    await expect(host.message("42").locator(".reaction").first).to_have_attribute("aria-pressed", "false")
    await host.message("42").locator(".reaction").last.click()
    await expect(grace.message("42").locator(".reaction")).to_have_text(["🎉 2 people"])

    await host.act_on_message("What is 6 times 7?", "Pin")
    for person in [host, grace, alan]:
        await expect(person.page.locator(".pinned-text")).to_have_text(["Teacher: What is 6 times 7?"])
    # Who does not lead can neither pin nor delete what others wrote.
    await grace.open_message_menu("What is 6 times 7?")
    await expect(grace.page.get_by_role("menuitem")).to_have_text(["Reply"])
    await grace.page.keyboard.press("Escape")
    await grace.say("Oops")
    await host.sees_messages(["What is 6 times 7?", "42", "Oops"])
    await grace.act_on_message("Oops", "Delete")
    late = await stage.browsers.person("chromium")
    await late.enter(stage.server.guest_link, "Ada Lovelace")
    for person in [host, grace, alan, late]:
        await person.sees_messages(["What is 6 times 7?", "42", "This message was deleted."])
        await expect(person.page.locator(".pinned-text")).to_have_text(["Teacher: What is 6 times 7?"])
        await expect(person.message("42").locator(".reaction")).to_have_text(["🎉 2 people"])
        await expect(person.message("42").locator(".quote-text")).to_have_text("Teacher: What is 6 times 7?")
    await stage.picture(host, "chat")
    await host.page.get_by_role("button", name="Unpin").click()
    await expect(late.page.locator(".pinned-text")).to_have_count(0)
    await host.act_on_message("42", "Delete")
    await late.sees_messages(["What is 6 times 7?", "This message was deleted.", "This message was deleted."])
    await expect(late.page.locator(".reaction")).to_have_count(0)


async def hosts_alone_read_it(stage):
    """what is said to the hosts reaches hosts and author, is answered, and nobody else sees it"""
    host, grace, alan = await class_of_three(stage)
    await alan.page.get_by_role("tab", name="Hosts only").click()
    await alan.page.get_by_label("Message to the hosts").fill("I am lost")
    await alan.page.keyboard.press("Enter")
    await expect(host.page.locator(".tab-unread")).to_be_visible()
    await host.page.get_by_role("tab", name="Hosts only").click()
    await expect(host.page.locator("#chat-hosts .message-text")).to_have_text(["I am lost"])
    await stage.picture(host, "hosts-only")
    await expect(alan.page.locator("#chat-hosts .message-text")).to_have_text(["I am lost"])
    await grace.say("Hello")
    await expect(host.page.locator("#chat-everyone .message-text")).to_have_text(["Hello"])
    assert await grace.page.locator("body").get_by_text("I am lost").count() == 0
    await alan.page.reload()
    await alan.sees_view("present")
    await alan.page.get_by_role("tab", name="Hosts only").click()
    await expect(alan.page.locator("#chat-hosts .message-text")).to_have_text(["I am lost"])
    await expect(alan.page.locator("#chat-everyone .message-text")).to_have_text(["Hello"])


async def chat_is_closed_and_slowed(stage):
    """the chat is closed to all but hosts, to all, and slowed down; people are told why they cannot write"""
    host, grace, _ = await class_of_three(stage)
    await host.open_panel("Manage")
    await host.page.get_by_label("Who may write to everyone").select_option("hosts")
    await expect(grace.page.get_by_text("Only hosts write to everyone at the moment.")).to_be_visible()
    await expect(grace.page.get_by_label("Message to everyone")).to_be_hidden()
    code = await grace.page.evaluate(
        "document.querySelector('rollcall-app').room.client.chat.send('sneaky').then(() => null, ({ code }) => code)")
    assert code == "chat_closed", code
    await grace.page.get_by_role("tab", name="Hosts only").click()
    await expect(grace.page.get_by_label("Message to the hosts")).to_be_visible()
    await host.page.get_by_label("Who may write to everyone").select_option("off")
    await expect(grace.page.locator("#chat-hosts").get_by_text("The chat is closed at the moment.")).to_be_visible()
    await host.page.get_by_label("Who may write to everyone").select_option("open")
    await grace.page.get_by_role("tab", name="Everyone").click()
    await expect(grace.page.get_by_label("Message to everyone")).to_be_visible()

    await host.page.get_by_label("Slow mode").select_option("10")
    await expect(grace.page.locator("#chat-everyone").get_by_text("Slow mode: one message every 10 seconds.")).to_be_visible()
    await grace.say("One")
    await host.open_panel("Chat")
    await host.sees_messages(["One"])
    await expect(grace.page.locator("#chat-everyone").get_by_text("You can write again in")).to_be_visible()
    await stage.picture(grace, "slow-mode")
    # What is written meanwhile stays in the field, and is sent when it may be.
    await grace.say("Two")
    await expect(grace.page.get_by_label("Message to everyone")).to_have_value("Two")
    await expect(grace.page.locator("#chat-everyone").get_by_text("You can write again in")).to_have_count(0, timeout=15_000)
    await grace.page.get_by_label("Message to everyone").press("Enter")
    await host.sees_messages(["One", "Two"])
    # Hosts need not wait.
    await host.say("A")
    await host.say("B")
    await grace.sees_messages(["One", "Two", "A", "B"])


async def typing_is_shown(stage):
    """others see who is typing, and that it has stopped"""
    host, grace, alan = await class_of_three(stage)
    await grace.page.get_by_label("Message to everyone").press_sequentially("He")
    await expect(host.page.locator("#chat-everyone .typing")).to_have_text("Grace Hopper is typing…")
    await expect(grace.page.locator("#chat-everyone .typing")).to_have_text("")
    await alan.page.get_by_label("Message to everyone").press_sequentially("Hi")
    await expect(host.page.locator("#chat-everyone .typing")).to_contain_text("are typing…")
    await grace.page.get_by_label("Message to everyone").fill("")
    await alan.page.get_by_label("Message to everyone").fill("")
    await expect(host.page.locator("#chat-everyone .typing")).to_have_text("")


async def reconnection_keeps_all(stage):
    """who loses the connection misses nothing: changes, deletions, reactions, pins, rules, hands, private messages"""
    server, browsers = stage.server, stage.browsers
    async with Proxy(server.port) as network:
        host = await browsers.person("chromium")
        grace = await browsers.person("chromium")
        alan = await browsers.person("firefox")
        await host.begin_class(server.host_link)
        await grace.enter(server.guest_link.replace(f":{server.port}", f":{network.port}"), "Grace Hopper", microphone=True)
        await alan.enter(server.guest_link, "Alan Turing")
        for person in [host, grace, alan]:
            await person.sees_count(3)
        for text in ["first", "second", "third"]:
            await host.say(text)
        await grace.sees_messages(["first", "second", "third"])
        await grace.page.get_by_role("button", name="Raise your hand").click()
        await expect(grace.page.get_by_role("button", name="Lower your hand: it is number 1 in the queue")).to_be_visible()
        await grace.page.get_by_role("tab", name="Hosts only").click()
        await grace.page.get_by_label("Message to the hosts").fill("Before")
        await grace.page.keyboard.press("Enter")
        await expect(grace.page.locator("#chat-hosts .message-text")).to_have_text(["Before"])
        await grace.page.get_by_role("tab", name="Everyone").click()

        network.cut()
        await expect(grace.page.get_by_text("Connection lost. Reconnecting…")).to_be_visible()
        await host.act_on_message("first", "Edit")
        await host.say("FIRST")
        await host.act_on_message("second", "Delete")
        await alan.open_message_menu("third")
        await alan.page.get_by_role("button", name="Thumbs up").click()
        await host.act_on_message("third", "Pin")
        await alan.page.get_by_role("button", name="Raise your hand").click()
        await host.open_panel("Manage")
        await host.page.get_by_role("switch", name="Mute everyone").click()
        await host.page.get_by_role("switch", name="Lock the class").click()
        await expect(alan.page.locator(".room-mark")).to_have_count(2)
        # What is said meanwhile to the hosts alone goes out later, to the hosts alone.
        await grace.page.get_by_role("tab", name="Hosts only").click()
        await grace.page.get_by_label("Message to the hosts").fill("Meanwhile")
        await grace.page.keyboard.press("Enter")
        await expect(grace.page.locator("#chat-hosts").get_by_text("Sending…")).to_be_visible()
        network.mend()
        await expect(grace.page.locator("rollcall-banner[data-state=lost]")).to_have_count(0, timeout=40_000)
        await expect(grace.page.locator("#chat-everyone .messages .message-text")).to_have_text(["FIRST", "This message was deleted.", "third"])
        await expect(grace.page.locator("#chat-hosts .message-text")).to_have_text(["Before", "Meanwhile"])
        await expect(grace.page.locator(".reaction")).to_have_text(["👍 1 person"])
        await expect(grace.page.locator(".pinned-text")).to_have_text(["Teacher: third"])
        await expect(grace.page.locator(".room-mark")).to_have_count(2)
        await expect(grace.page.get_by_role("button", name="Turn on microphone: not possible now")).to_be_visible()
        await grace.open_panel("People")
        await expect(grace.page.locator(".hand-queue .person-name")).to_have_text(["Grace Hopper (you)", "Alan Turing"])
        await host.open_panel("Chat")
        await host.page.get_by_role("tab", name="Hosts only").click()
        await expect(host.page.locator("#chat-hosts .message-text")).to_have_text(["Before", "Meanwhile"])
        assert await alan.page.locator("#chat-hosts .message-text").count() == 0


TESTS = [messages_change, hosts_alone_read_it, chat_is_closed_and_slowed, typing_is_shown, reconnection_keeps_all]
