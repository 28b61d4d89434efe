"""Tokens that end while somebody is in the class."""

from playwright.async_api import expect

from browsers import poll
from platform_side import token


async def guest_is_renewed(stage):
    """a guest whose token ends stays in the class, and nobody notices"""
    person = await stage.browsers.person("chromium")
    await person.enter(stage.server.guest_link, "Grace Hopper")
    await person.sees_view("waiting")
    user = await person.user()
    await person.page.evaluate("""() => {
        const { client } = document.querySelector('rollcall-app').room;
        globalThis.seen = { renewed: [], lost: 0 };
        client.on('renewed', ({ guestToken }) => seen.renewed.push(guestToken));
        client.on('connection', ({ status }) => { if (status !== 'open') seen.lost += 1; });
    }""")

    async def renewed() -> bool:
        return await person.page.evaluate("new Set(seen.renewed).size") >= 3

    await poll(renewed)
    assert await person.page.evaluate("seen.lost") == 0
    stored = "JSON.parse(sessionStorage.getItem(`rollcall session ${session}`)).guestToken"
    kept, last = await person.page.evaluate(f"(session) => [{stored}, seen.renewed.at(-1)]", stage.server.session)
    assert kept == last
    await person.page.reload()
    await person.sees_view("waiting")
    assert await person.user() == user


guest_is_renewed.server_options = ("--guest-token-ttl", "5s", "--token-warning", "4s")


async def platform_gives_another(stage):
    """a page of a platform is asked for another token in time, and when it is late the class is resumed with it"""
    server = stage.server
    person = await stage.browsers.person("firefox")
    await person.open(server.origin + "/")
    joins = """async ([session, first, second, late]) => {
        const { RollcallClient } = await import('/sdk/index.js');
        const seen = { asked: 0, joined: [], closed: null, renewed: 0 };
        const client = new RollcallClient({
            session, credentials: { token: first },
            getToken: async () => {
                seen.asked += 1;
                if (late) await new Promise((resolve) => { late = false; client.on('connection', ({ status }) => { if (status !== 'open') resolve(); }); });
                return second;
            },
        });
        client.on('joined', ({ recovered }) => seen.joined.push(recovered));
        client.on('renewed', () => { seen.renewed += 1; });
        client.on('closed', ({ code }) => { seen.closed = code; });
        client.connect();
        globalThis.seen = seen;
        globalThis.client = client;
    }"""
    for late in (False, True):
        await person.page.evaluate(joins, [server.session, token(server, "ada", 4), token(server, "ada", 3600), late])

        async def ended() -> bool:
            seen = await person.page.evaluate("seen")
            return seen["joined"] == [False, True] if late else seen["renewed"] == 1

        await poll(ended, lambda: person.page.evaluate("JSON.stringify(seen)"))
        # Past the end of the first token it is still there.
        await person.page.wait_for_timeout(5000)
        seen = await person.page.evaluate("seen")
        assert seen["closed"] is None and seen["joined"] == ([False, True] if late else [False]), seen
        await person.page.evaluate("client.close()")


async def access_ends(stage):
    """without another token the access ends, and that is explained"""
    server = stage.server
    person = await stage.browsers.person("chromium")
    await person.enter(f"{server.origin}/#session={server.session}&token={token(server, 'ada', 6)}")
    await person.sees_view("waiting")
    await expect(person.page.get_by_role("heading", name="Your access to this class has ended")).to_be_visible(timeout=30_000)
    # A new link in the same tab brings it back.
    await person.enter(f"{server.origin}/#session={server.session}&token={token(server, 'ada', 3600)}")
    await person.sees_view("waiting")


TESTS = [guest_is_renewed, platform_gives_another, access_ends]
