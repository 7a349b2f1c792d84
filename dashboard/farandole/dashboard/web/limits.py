"""How much one request may bring, and under which name this machine answers."""

from collections.abc import Collection
from typing import Final

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from farandole.dashboard.errors import Problem

from .problems import answer

MOST_BYTES: Final = 1_000_000


class Limits:
    """Refuses what is too large before it is read, and names that are not this dashboard's.

    Args:
        hosts: names without port that are answered; none: all.
    """

    def __init__(self, app: ASGIApp, *, hosts: Collection[str] = (), most: int = MOST_BYTES) -> None:
        self._app = app
        self._hosts = frozenset(hosts)
        self._most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if (problem := self._wrong(scope, headers)) is not None:
            await answer(Request(scope), problem)(scope, receive, send)
            return
        seen, over = 0, False

        async def counted() -> Message:
            nonlocal seen, over
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self._most:
                over = True
                raise _too_large(self._most)
            return message

        async def sending(message: Message) -> None:
            # Whoever reads a body may make something else of what goes wrong meanwhile.
            if not over:
                await send(message)

        try:
            await self._app(scope, counted, sending)
        except Problem:
            if not over:
                raise
        if over:
            await answer(Request(scope), _too_large(self._most))(scope, receive, send)

    def _wrong(self, scope: Scope, headers: Headers) -> Problem | None:
        host = headers.get("host", "")
        name = host[: host.rindex("]") + 1] if "]" in host else host.partition(":")[0]
        if self._hosts and name.strip("[]").lower() not in self._hosts:
            return Problem(
                421,
                "Another name",
                "This dashboard is not reached under the name that was asked for.",
                "Use http://127.0.0.1, or name it when the server starts: farandole serve --host-name NAME",
            )
        if b"%00" in scope.get("query_string", b"") or b"%00" in (scope.get("raw_path") or b""):
            return Problem(400, "Not understood", "A zero byte stands in the address.", "Leave it out.")
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > self._most:
            return _too_large(self._most)
        return None


def _too_large(most: int) -> Problem:
    return Problem(413, "Too large", f"A request has at most {most:,} bytes.", "Send less, or refer to it.")
