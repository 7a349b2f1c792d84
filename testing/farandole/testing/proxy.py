"""A TCP proxy that behaves as badly as a network can.

It stands before a broker's listener, whose advertised port is the proxy's, so that clients never get round it.
"""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

_PIECE: Final = 65_536


class TcpProxy:
    """Passes bytes between clients and one address of the loopback interface. An async context manager.

    Args:
        port: where to listen.
        target: the port to pass on to.

    Attributes:
        delay: seconds that each piece waits on its way to the target.
        answer_delay: seconds that each piece of what the target sends waits.
        jitter: seconds by which a delay is longer or shorter, by chance.
        bandwidth: bytes that a connection passes on in a second, each way; 0: no limit.
        slice: bytes that a piece has at most; small numbers tear messages apart.
        hold_answers: swallow what the target sends while it still gets all requests: lost acknowledgements.
        requests: bytes that reached the target.
    """

    def __init__(self, port: int, target: int) -> None:
        self.port = port
        self.delay = 0.0
        self.answer_delay = 0.0
        self.jitter = 0.0
        self.bandwidth = 0
        self.slice = _PIECE
        self.hold_answers = False
        self.requests = 0
        self._target = target
        self._open = asyncio.Event()
        self._open.set()
        self._server: asyncio.Server | None = None
        self._links: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> "TcpProxy":
        await self.listen()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.refuse()
        self._open.set()
        # A cancelled connection handler would be reported as a fault, so each ends by itself once its peers are gone.
        while self._links:
            self.reset()
            await asyncio.wait(self._links, timeout=0.1)

    async def listen(self) -> None:
        """Accept connections, again after `refuse`."""
        if self._server is None:
            self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)

    async def refuse(self) -> None:
        """Reset all connections and refuse new ones."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
        self.reset()

    def reset(self) -> None:
        """Reset all connections; new ones are welcome."""
        for writer in self._writers:
            writer.transport.abort()

    @asynccontextmanager
    async def down(self) -> AsyncIterator[None]:
        """No connection is possible within the context."""
        await self.refuse()
        try:
            yield
        finally:
            await self.listen()

    @asynccontextmanager
    async def silent(self) -> AsyncIterator[None]:
        """A black hole: connections stay, and are accepted, but nothing comes through either way."""
        self._open.clear()
        try:
            yield
        finally:
            self._open.set()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._links.add(task)
            task.add_done_callback(self._links.discard)
        far: asyncio.StreamWriter | None = None
        self._writers.add(writer)
        try:
            await self._open.wait()
            far_reader, far = await asyncio.open_connection("127.0.0.1", self._target)
            self._writers.add(far)
            ways = [
                asyncio.ensure_future(self._pass(reader, far, outward=True)),
                asyncio.ensure_future(self._pass(far_reader, writer, outward=False)),
            ]
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
        except OSError:
            pass
        finally:
            for each in (writer, far):
                if each is not None:
                    self._writers.discard(each)
                    each.transport.abort()

    def _wait(self, size: int, delay: float) -> float:
        """Seconds until so many bytes go on."""
        if delay:
            delay = max(delay + random.uniform(-self.jitter, self.jitter), 0.0)  # noqa: S311
        return delay + (size / self.bandwidth if self.bandwidth else 0.0)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, outward: bool) -> None:
        with contextlib.suppress(ConnectionError):
            while piece := await reader.read(self.slice):
                if wait := self._wait(len(piece), self.delay if outward else self.answer_delay):
                    await asyncio.sleep(wait)
                await self._open.wait()
                if self.hold_answers and not outward:
                    continue
                writer.write(piece)
                await writer.drain()
                if outward:
                    self.requests += len(piece)
