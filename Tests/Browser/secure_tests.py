"""A class over https and wss."""


async def secure_class(stage):
    """over https, with a certificate that the browser was told to accept: links, sockets, chat and pictures"""
    server, browsers = stage.server, stage.browsers
    assert server.host_link.startswith("https://") and server.guest_link.startswith("https://")
    host = await browsers.person("chromium", ignore_https_errors=True)
    guest = await browsers.person("firefox", ignore_https_errors=True)
    sockets = []
    host.page.on("websocket", lambda socket: sockets.append(socket.url))
    await host.enter(server.host_link, camera=True)
    await host.sees_view("waiting")
    assert sockets == [f"wss://127.0.0.1:{server.port}/ws"], sockets
    await host.start_class()
    await host.sees_view("present")
    await guest.enter(server.guest_link, "Grace Hopper", camera=True)
    await guest.sees_view("present")
    await host.sees_count(2)
    await guest.say("Hello over TLS")
    await host.sees_messages(["Hello over TLS"])
    await host.sees_moving_video(1)
    assert await host.page.evaluate("isSecureContext")
    await host.page.reload()
    await host.sees_view("present")
    await host.sees_messages(["Hello over TLS"])


secure_class.server_options = ("--tls-self-signed",)

TESTS = [secure_class]
