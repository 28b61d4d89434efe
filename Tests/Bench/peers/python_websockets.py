"""The Python package websockets as a room server.

usage: python_websockets.py PORT"""

import asyncio
import sys

from websockets.asyncio.server import broadcast, serve

members = set()
named = {}


async def handle(connection):
    members.add(connection)
    try:
        async for text in connection:
            if text[0] == "U":
                named[int(text[1:])] = connection
            elif text[0] == "R":
                await named[int(text[1:text.index(" ")])].send(text)
            else:
                broadcast(members, text)
    finally:
        members.discard(connection)


async def main():
    async with serve(handle, "127.0.0.1", int(sys.argv[1]), compression=None, ping_interval=None, backlog=4096) as server:
        await server.serve_forever()


asyncio.run(main())
