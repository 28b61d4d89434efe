"""What goes over the wire between the page and the server."""

from proxy import Proxy

AGREED = b"sec-websocket-extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover\r\n"


def frames(stream: bytes) -> list[tuple[int, int]]:
    """First byte and payload length of each frame behind the head of a WebSocket's stream."""
    place, found = stream.index(b"\r\n\r\n") + 4, []
    while place + 4 < len(stream):
        first, second = stream[place:place + 2]
        length, place = second & 127, place + 2
        if length == 126:
            length, place = int.from_bytes(stream[place:place + 2], "big"), place + 2
        place += length + (4 if second & 128 else 0)
        found.append((first, length))
    return found


async def compressed(stage, kind: str) -> None:
    server, browsers = stage.server, stage.browsers
    host = await browsers.person("chromium")
    await host.begin_class(server.host_link)
    await host.sees_view("present")
    async with Proxy(server.port) as wire:
        student = await browsers.person(kind)
        await student.enter(server.guest_link.replace(f":{server.port}/", f":{wire.port}/"), "Grace Hopper")
        await student.sees_view("present")
        sent, received = next(both for both in wire.wires if both[0].startswith(b"GET /ws "))
        assert AGREED in received.lower(), "compression was not agreed on"
        texts = [f"{name} asks whether everybody has understood the seventh exercise. " * 8 for name in ("Ada", "Grace")]
        texts = [text.strip() for text in texts]
        await host.say(texts[0])
        await student.sees_messages(texts[:1])
        await student.say(texts[1])
        await student.sees_messages(texts)
        await host.sees_messages(texts)
        # FIN, RSV1 and text: whole compressed messages, in both directions.
        assert any(first == 0xC1 for first, _ in frames(received))
        assert any(first == 0xC1 and length < len(texts[1]) for first, length in frames(sent))
        assert texts[0].encode() not in received and texts[1].encode() not in received


async def chromium_compresses(stage):
    """Chromium agrees on compression, and reads and sends compressed messages"""
    await compressed(stage, "chromium")


async def firefox_compresses(stage):
    """Firefox agrees on compression, and reads and sends compressed messages"""
    await compressed(stage, "firefox")


TESTS = [chromium_compresses, firefox_compresses]
