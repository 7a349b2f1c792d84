"""A small schema registry for tests, which does what a test wants it to do wrong."""

import asyncio
import json
import ssl
from typing import Any

from farandole.schemas.registry import RegistrySettings
from farandole.testing.server import free_port


class FakeRegistry:
    """Speaks as much of Confluent's API as is asked for. Use as an async context manager.

    Args:
        tls: how its connections are secured; None: they are not.

    Attributes:
        numbers: what it gave, by subject and schema.
        asked: the requests so far, as ``POST /subjects/a.B/versions``.
        headers: those of the last request, by lower-case name.
        refused: subjects of which it takes no further schema.
        answer: a status and body that it answers instead of its own, if any.
        gate: requests wait until it is set.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self.numbers: dict[tuple[str, str], int] = {}
        self.asked: list[str] = []
        self.headers: dict[str, str] = {}
        self.refused: set[str] = set()
        self.answer: tuple[int, bytes] | None = None
        self.gate = asyncio.Event()
        self.gate.set()
        self.port = free_port()
        self._server: asyncio.Server | None = None
        self._serving: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"http{'s' if self._tls else ''}://127.0.0.1:{self.port}"

    @property
    def settings(self) -> RegistrySettings:
        return RegistrySettings(self.url, timeout=0.5)

    async def __aenter__(self) -> "FakeRegistry":
        await self.up()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.down()

    async def up(self) -> None:
        """Listen, with what it knew before."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=self._tls)

    async def down(self) -> None:
        """Be gone: connections end, and no more are taken."""
        if self._server is not None:
            self._server.close()
            for serving in tuple(self._serving):
                serving.cancel()
            await asyncio.gather(*self._serving)
            self._server = None

    def forget(self) -> None:
        """Be made anew."""
        self.numbers.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving = asyncio.current_task()
        assert serving is not None
        self._serving.add(serving)
        try:
            while line := await reader.readline():
                method, path, _ = line.decode().split(" ", 2)
                self.headers = {}
                while header := (await reader.readline()).strip():
                    name, _, value = header.decode().partition(":")
                    self.headers[name.lower()] = value.strip()
                body = await reader.readexactly(int(self.headers.get("content-length", 0)))
                self.asked.append(f"{method} {path}")
                await self.gate.wait()
                status, content = self.answer or self._answer(method, path, json.loads(body) if body else {})
                writer.write(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%s" % (status, len(content), content))
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError, ValueError):
            pass
        finally:
            self._serving.discard(serving)
            writer.transport.abort()

    def _answer(self, method: str, path: str, body: dict[str, Any]) -> tuple[int, bytes]:
        match method, path.split("/")[1:]:
            case "GET", ["config"]:
                return said(200, compatibilityLevel="BACKWARD")
            case "GET", ["schemas", "ids", number]:
                found = [schema for (_, schema), n in self.numbers.items() if n == int(number)]
                return said(200, schema=found[0]) if found else said(404, error_code=40403, message="no such schema")
            case "POST", ["subjects", subject, "versions"]:
                if (subject, body["schema"]) not in self.numbers and subject in self.refused:
                    return said(409, error_code=409, message="field 'a' lost its default")
                return said(200, id=self.numbers.setdefault((subject, body["schema"]), len(self.numbers) + 1))
            case "POST", ["subjects", subject]:
                known = self.numbers.get((subject, body["schema"]))
                return said(200, id=known) if known else said(404, error_code=40401, message="no such subject")
        return said(404, error_code=404, message="HTTP 404 Not Found")


def said(status: int, **content: Any) -> tuple[int, bytes]:
    return status, json.dumps(content).encode()
