"""A network that can fail: a TCP proxy before the server, for one person alone."""

import asyncio


class Proxy:
    def __init__(self, port: int):
        self.target = port
        self.port = 0
        self.open = True
        self.writers: set[asyncio.StreamWriter] = set()
        # For each connection everything that went to the server, and that came back.
        self.wires: list[tuple[bytearray, bytearray]] = []

    async def __aenter__(self) -> "Proxy":
        self.listener = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self.listener.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_) -> None:
        self.cut()
        self.listener.close()

    def cut(self) -> None:
        """Resets every connection, and those that are tried until `mend`."""
        self.open = False
        for writer in list(self.writers):
            writer.transport.abort()

    def mend(self) -> None:
        self.open = True

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self.open:
            writer.transport.abort()
            return
        there, back = await asyncio.open_connection("127.0.0.1", self.target)
        self.writers |= {writer, back}
        sent, received = bytearray(), bytearray()
        self.wires.append((sent, received))
        await asyncio.gather(self._pass(reader, back, sent), self._pass(there, writer, received))
        self.writers -= {writer, back}

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, copy: bytearray) -> None:
        try:
            while data := await reader.read(65536):
                copy += data
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()
