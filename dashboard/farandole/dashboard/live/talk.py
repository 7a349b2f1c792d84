"""One run, and those that were asked for with it, as they go: what changes in the tables, and what steps say at work.

Both come in one stream, for a browser has few connections to one host. Of a step that the tables know to be done nothing
is told any more: what it made stands in the log.
"""

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, select

from farandole.projections.runs import tables as t
from farandole.projections.runs.query import Runs
from farandole.reactors import Live
from farandole.reactors.client import Client
from farandole.reactors.live import Takes, pieces_in
from farandole.reactors.live.feed import Listener
from farandole.reactors.tasks import is_being_cancelled

from .changes import sent
from .lookers import Wanted

if TYPE_CHECKING:
    from .hub import Hub

log = logging.getLogger("farandole.dashboard")

_MARGIN: Final = 60_000
"""Milliseconds by which the tables may be behind, or the clocks of brokers differ."""
_WAITING: Final = 256
"""Batches that wait for one who reads slowly; the log keeps what they miss."""
_Telling = Callable[[], bytes]
_ID: Final = re.compile(rb"^id: (.*)$", re.MULTILINE)
_SEPARATOR: Final = "~"
_NOTHING: Final = -1


def read_id(said: str | None) -> tuple[str | None, tuple[int, ...]]:
    """The position in the tables, and how far each run was heard, in the order in which they were asked for: log times
    in milliseconds since 1970 UTC; -1: nothing was. From the id of an event."""
    positions, _, heard = (said or "").partition(_SEPARATOR)
    return positions or None, tuple(_time(each) for each in heard.split(",")) if heard else ()


def _time(said: str) -> int:
    return int(said) if said.isascii() and said.isdecimal() and len(said) < 19 else _NOTHING


class Talk:
    """What one viewer is told.

    Args:
        run_ids: the runs that they look at; each is told once, however often it is named.
        personal: whether they may see what is personal.
        heard: for each of these runs the log time up to which they have heard everything, for what is said in another
            partition may come earlier or later; -1: nothing. Of others than these runs it is as if nothing was heard.
    """

    def __init__(
        self, hub: "Hub", runs: Runs, client: Client, run_ids: Sequence[str], *, personal: bool, heard: Sequence[int]
    ) -> None:
        self._hub = hub
        self._runs = runs
        self._client = client
        self._run_ids = tuple(dict.fromkeys(run_ids))
        self._personal = personal
        known = heard if len(heard) == len(self._run_ids) else [_NOTHING] * len(self._run_ids)
        self._heard = dict(zip(self._run_ids, known, strict=True))
        self._since = dict(self._heard)
        self._positions = ""
        self._done: set[tuple[str, str, str, str]] = set()

    async def events(self, after: Mapping[int, int] | None, *, longest: float | None = None) -> AsyncIterator[bytes]:
        """Events as they go over the wire.

        Args:
            after: positions behind what was seen before.
            longest: seconds after which they end, the last of them with the id from where to come back.
        """
        waiting: asyncio.Queue[_Telling | None] = asyncio.Queue(_WAITING)
        self._positions = ",".join(f"{partition}={position}" for partition, position in sorted((after or {}).items()))
        async with AsyncExitStack() as stack:
            changes = await stack.enter_async_context(self._hub.looking(Wanted(self._run_ids), after, longest=longest))
            tasks = [asyncio.create_task(_telling(partial(self._changes, changes, waiting), waiting))]
            stack.push_async_callback(_end, tasks)
            for run_id in self._run_ids:
                since = await self._begin(run_id)
                listener = await stack.enter_async_context(self._client.live.listening(run_id.encode(), since))
                hearing = partial(self._hear, run_id, listener, waiting)
                tasks.append(asyncio.create_task(_telling(hearing, waiting)))
            # What was heard counts once it is handed over: an id says no more than what went before it.
            while (telling := await waiting.get()) is not None:
                if told := telling():
                    yield told

    async def _begin(self, run_id: str) -> int:
        """The log time before which no open step of a run can have said anything."""
        run = (await self._runs.get(run_id)).found
        now = await self._client.store.now()
        return min(now, now if run is None or run.since is None else run.since) - _MARGIN

    async def _changes(self, changes: AsyncIterator[bytes], waiting: "asyncio.Queue[_Telling | None]") -> None:
        async for told in changes:
            if told:
                await waiting.put(partial(_ID.sub, self._with_heard, told))

    def _with_heard(self, found: re.Match[bytes]) -> bytes:
        self._positions = found[1].decode()
        return f"id: {self._id()}".encode()

    async def _hear(self, run_id: str, listener: Listener, waiting: "asyncio.Queue[_Telling | None]") -> None:
        types, takes = self._client.scribe.types, Takes()
        while True:
            await listener.news()
            records = listener.ready()
            heard = [piece for record in records for piece in pieces_in(types, record)]
            found = []
            for piece in heard:
                shown = takes.shown(piece)
                if shown is not None and _ms(shown) > self._since[run_id]:
                    found.append(shown)
            await self._learn(run_id, found)
            if found:
                await waiting.put(partial(self._all_told, run_id, found))

    def _may_be_shown(self, run_id: str, piece: Live) -> bool:
        return (self._personal or not piece.personal) and _step(run_id, piece) not in self._done

    def _all_told(self, run_id: str, pieces: Sequence[Live]) -> bytes:
        return b"".join(self._told(run_id, piece) for piece in pieces if self._may_be_shown(run_id, piece))

    def _told(self, run_id: str, piece: Live) -> bytes:
        # Not up to now: what was taken in the same millisecond may still come.
        self._heard[run_id] = max(self._heard[run_id], _ms(piece) - 1)
        said = {"run_id": run_id, **as_json(piece)}
        return sent("live", said, self._id())

    def _id(self) -> str:
        return f"{self._positions}{_SEPARATOR}{','.join(str(each) for each in self._heard.values())}"

    async def _learn(self, run_id: str, pieces: Collection[Live]) -> None:
        """Ask the tables which of the steps that begin to speak are done."""
        if anew := {_step(run_id, piece) for piece in pieces if piece.anew}:
            self._done |= (await self._runs.ask(lambda connection: _done(connection, anew))).found


def as_json(piece: Live) -> dict[str, Any]:
    """A piece, for other programs."""
    return {
        "reactor": piece.reactor, "trigger": piece.trigger, "generation": piece.generation, "attempt": piece.attempt,
        "take": piece.take, "index": piece.index, "kind": piece.kind, "text": piece.text, "anew": piece.anew,
        "lost": piece.lost, "personal": piece.personal, "at": _ms(piece),
    }  # fmt: skip


def _ms(piece: Live) -> int:
    return round(piece.at.timestamp() * 1000)


def _step(run_id: str, piece: Live) -> tuple[str, str, str, str]:
    return run_id, piece.trigger, piece.reactor, piece.generation


def _done(connection: Connection, steps: Collection[tuple[str, str, str, str]]) -> frozenset[tuple[str, str, str, str]]:
    s, r = t.steps.c, t.runs.c
    found = set()
    for run_id, trigger, reactor, generation in steps:
        query = (
            select(s.ended)
            .join(t.runs, (r.partition == s.partition) & (r.run == s.run))
            .where(r.run_id == run_id, s.trigger == trigger, s.reactor == reactor, s.generation == generation)
        )
        if any(ended is not None for ended in connection.execute(query).scalars()):
            found.add((run_id, trigger, reactor, generation))
    return frozenset(found)


async def _telling(tell: Callable[[], Awaitable[None]], waiting: "asyncio.Queue[_Telling | None]") -> None:
    """Once one of those who tell is at its end all is over: whoever listens comes back, and goes half deaf never."""
    try:
        await tell()
    except asyncio.CancelledError:
        if is_being_cancelled():
            raise
        log.exception("a live stream of a run was cancelled from within; its reader comes back")
    except Exception:
        log.exception("a live stream of a run failed; its reader comes back")
    await waiting.put(None)


async def _end(tasks: Collection["asyncio.Task[None]"]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
