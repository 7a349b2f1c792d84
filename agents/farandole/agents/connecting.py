"""A worker's connection to an MCP server: opened when it is first needed, and anew when it was lost."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeVar

try:
    from mcp import Client, MCPError, StdioServerParameters
except ImportError as e:
    raise ImportError("the package mcp is not installed: pip install 'farandole[mcp]'") from e
from mcp_types import (
    CONNECTION_CLOSED,
    PARSE_ERROR,
    REQUEST_TIMEOUT,
    CallToolResult,
    TextContent,
    ToolListChangedNotification,
)
from pydantic_ai.tools import ToolDefinition

from farandole.schemas import parse_duration

from .errors import NoAnswer, ServerUnreachable
from .servers import McpServer

T = TypeVar("T")

_NO_ANSWER: Final = (CONNECTION_CLOSED, REQUEST_TIMEOUT)
_START: Final = 30.0
"""Seconds that a server may take to start and be connected to at least, however soon it is to answer a call."""
_PATIENCE: Final = 5.0
"""Seconds for which it is waited that a connection closes, or that a server of which it is doubted answers."""
KEY: Final = "farandole/key"


class Connection:
    """A connection to an MCP server."""

    def __init__(self, server: McpServer) -> None:
        self._server = server
        self._looking = asyncio.Lock()
        self._opened: asyncio.Future[Client] | None = None
        """The connection that is open or being opened, one for all who ask."""
        self._closing = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._doubted: Client | None = None
        """The connection, once somebody got no answer and nobody has got one since."""
        self._listed: Sequence[ToolDefinition] | None = None
        self._asking = 0
        """How many wait for an answer."""
        timeout = server.timeout
        self._seconds = None if timeout is None else parse_duration(timeout).total_seconds()

    async def definitions(self) -> Sequence[ToolDefinition]:
        """What the model is told of the server's tools.

        Raises:
            ServerUnreachable: it gave no answer.
            MCPError: it says that it has none to tell of, or what it gave cannot be read.
        """
        if self._listed is None or self._client is None:
            self._listed = await self._asked(self._list)
        return self._listed

    async def call(self, tool: str, args: dict[str, Any], key: str) -> CallToolResult:
        """What a tool gave.

        Args:
            tool: as the server names it.
            key: the idempotency key of the call.

        Raises:
            NoAnswer: it was sent the call, and gave no answer.
            ServerUnreachable: it could not be sent the call.
            MCPError: it says that it cannot be called so, or what it gave cannot be read.
        """
        meta: Any = {KEY: key}
        return await self._asked(lambda client: client.call_tool(tool, args, meta=meta))

    async def close(self) -> None:
        """Close the connection, or leave off opening it; the next use would open it anew."""
        task, self._task, client, self._opened = self._task, None, self._client, None
        if task is None:
            return
        if client is None:
            task.cancel()
        self._closing.set()
        _, left = await asyncio.wait([task], timeout=_PATIENCE)
        if left:
            task.cancel()
            await asyncio.wait([task], timeout=_PATIENCE)
        if task.done() and not task.cancelled():
            task.exception()  # how it ended is of no interest any more

    async def _asked(self, ask: Callable[[Client], Awaitable[T]]) -> T:
        client = await self._open()
        self._asking += 1
        try:
            # The package's own clock does not run while a request is written, which a server that reads nothing prevents.
            async with asyncio.timeout(None if self._seconds is None else self._seconds + _PATIENCE):
                answer = await ask(client)
            self._heard_from(client)
            return answer
        except asyncio.CancelledError:  # it was waited for long enough, or in vain: whoever asks next looks
            self._doubted = client
            raise
        except MCPError as e:
            if e.code not in _NO_ANSWER:
                self._heard_from(client)
                raise
            # Others may have their answers from a server that one tool is slow in; if nobody waits, it may be hung.
            if e.code == CONNECTION_CLOSED or self._asking == 1:
                await self._lost(client)
            else:
                self._doubted = client
            raise NoAnswer(f"MCP server {self._server.name} gave no answer") from e
        except (RuntimeError, ValueError) as e:  # as the package says of results that do not fit
            if client is not self._client:
                raise NoAnswer(f"MCP server {self._server.name} gave no answer: the connection was closed") from e
            raise MCPError(PARSE_ERROR, f"what the server gave cannot be read: {e}") from e
        except Exception as e:  # of whichever transport
            await self._lost(client)
            raise NoAnswer(f"MCP server {self._server.name} gave no answer: {type(e).__name__}") from e
        finally:
            self._asking -= 1

    @property
    def _client(self) -> Client | None:
        """What is open."""
        opened = self._opened
        return None if opened is None or not opened.done() or opened.exception() else opened.result()

    def _heard_from(self, client: Client) -> None:
        if self._doubted is client:
            self._doubted = None

    async def _lost(self, client: Client) -> None:
        if client is self._client:
            await self.close()

    async def _open(self) -> Client:
        async with self._looking:
            if not await self._stands():
                await self.close()
                self._begin()
            opened = self._opened
        assert opened is not None
        try:
            # Whoever leaves off waiting does not take its time from a server that starts: others find it.
            return await asyncio.shield(opened)
        except Exception as e:
            if opened is self._opened:
                await self.close()
            raise ServerUnreachable(f"MCP server {self._server.name} cannot be connected to: {type(e).__name__}") from e

    async def _stands(self) -> bool:
        """Whether there is a connection, or one is being opened; if it is doubted, whether the server answers at all."""
        if self._opened is None or self._task is None or self._task.done():
            return False
        if self._opened.done() and self._opened.exception():
            return False
        client = self._client
        if client is None or client is not self._doubted:
            return True
        try:
            async with asyncio.timeout(_PATIENCE):
                await client.list_tools(cache_mode="bypass")
        except MCPError as e:
            if e.code in _NO_ANSWER:
                return False
        except ValueError:  # an answer that does not fit is one
            pass
        except Exception:  # of whichever transport
            return False
        self._heard_from(client)
        return True

    def _begin(self) -> None:
        """Open a connection, for all who ask for it."""
        loop = asyncio.get_running_loop()
        opened: asyncio.Future[Client] = loop.create_future()
        self._closing, self._listed, self._opened = asyncio.Event(), None, opened

        def fail(error: Exception) -> None:
            if not opened.done():
                opened.set_exception(error)

        opened.add_done_callback(lambda it: it.exception())  # there may be nobody left who waits
        if self._seconds is not None:
            late = loop.call_later(max(self._seconds, _START), fail, TimeoutError())
            opened.add_done_callback(lambda _: late.cancel())
        self._task = asyncio.create_task(self._held(opened, self._closing))
        self._task.add_done_callback(lambda _: fail(ConnectionError()))

    async def _held(self, opened: "asyncio.Future[Client]", closing: asyncio.Event) -> None:
        """A connection is closed by the task that opened it, whoever uses it."""
        try:
            async with Client(
                _transport(self._server), read_timeout_seconds=self._seconds, message_handler=self._heard
            ) as client:
                if opened.done():  # it took too long
                    return
                opened.set_result(client)
                await closing.wait()
        except BaseException as e:
            if not opened.done():
                opened.set_exception(e if isinstance(e, Exception) else ConnectionError(type(e).__name__))
                return
            raise

    async def _heard(self, message: Any) -> None:
        if isinstance(message, ToolListChangedNotification):
            self._listed = None

    async def _list(self, client: Client) -> Sequence[ToolDefinition]:
        found, cursor = list[ToolDefinition](), None
        while True:
            page = await client.list_tools(cursor=cursor)
            found += [
                ToolDefinition(
                    name=f"{self._server.name}_{tool.name}",
                    description=tool.description,
                    parameters_json_schema=tool.input_schema,
                )
                for tool in page.tools
                if self._server.only is None or tool.name in self._server.only
            ]
            cursor = page.next_cursor
            if cursor is None:
                return found


def content_of(result: CallToolResult) -> Any:
    """What the model reads of a result: what is structured, else its text; all parts, if there are others."""
    if result.structured_content is not None and not result.is_error:
        return result.structured_content
    if all(isinstance(part, TextContent) for part in result.content):
        return "\n".join(part.text for part in result.content if isinstance(part, TextContent))
    return [part.model_dump(mode="json", by_alias=True, exclude_none=True) for part in result.content]


def _transport(server: McpServer) -> Any:
    where = server.where
    if isinstance(where, str):
        return where
    if callable(where):
        return where()
    command, *args = where
    return StdioServerParameters(command=command, args=args, env=dict(server.env) if server.env is not None else None)
