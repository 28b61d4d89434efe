"""What goes over the wire between the page and the server."""

from proxy import Proxy

AGREED = b"sec-websocket-extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover\r\n"


async def compressed(stage, kind: str) -> None:
    server, browsers = stage.server, stage.browsers
    host = await browsers.person("chromium")
    await host.enter(server.host_link)
    await host.sees_view("waiting")
    await host.start_class()
    await host.sees_view("present")
    async with Proxy(server.port) as wire:
        student = await browsers.person(kind)
        await student.enter(server.guest_link.replace(f":{server.port}/", f":{wire.port}/"), "Grace Hopper")
        await student.sees_view("present")
        assert AGREED in wire.received.lower(), "compression was not agreed on"
        texts = [f"{name} asks whether everybody has understood the seventh exercise. " * 8 for name in ("Ada", "Grace")]
        texts = [text.strip() for text in texts]
        await host.say(texts[0])
        await student.sees_messages(texts[:1])
        await student.say(texts[1])
        await student.sees_messages(texts)
        await host.sees_messages(texts)
        # FIN, RSV1 and text: whole compressed messages. What is masked by the browser can be read by its length alone.
        assert b"\xc1" in wire.received
        assert texts[0].encode() not in wire.received and texts[1].encode() not in wire.received
        assert wire.sent.count(b"\xc1") > 0


async def chromium_compresses(stage):
    """Chromium agrees on compression, and reads and sends compressed messages"""
    await compressed(stage, "chromium")


async def firefox_compresses(stage):
    """Firefox agrees on compression, and reads and sends compressed messages"""
    await compressed(stage, "firefox")


TESTS = [chromium_compresses, firefox_compresses]
