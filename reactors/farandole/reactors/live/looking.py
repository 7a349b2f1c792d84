"""One run as it goes: its events, and what its steps say while they are at work."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Final

from farandole.projections.recorded import Recorded
from farandole.reactors.shown import text
from farandole.reactors.view import View

from .feed import Listener
from .pieces import Live, pieces_in
from .takes import Takes

if TYPE_CHECKING:
    from farandole.reactors.handle import RunHandle

_SKEW: Final = 5_000
"""Milliseconds by which clocks of two brokers may differ."""
_EARLY: Final = 1_000
"""Pieces that are held back at most until the event is read that made their step owed."""


class Looking:
    """Puts together what one who looks on is to be shown."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._takes = Takes()
        self._known: set[str] = set()
        self._read = 0
        self._early: deque[Live] = deque(maxlen=_EARLY)

    @property
    def owed(self) -> set[tuple[str, str, str]]:
        """The steps that are owed now, by trigger, reactor and generation."""
        run = self._view.run
        return {(text(p.trigger), text(p.reactor), text(p.generation)) for p in (run.owed.values() if run else ())}

    def since(self, now: int) -> int:
        """The log time before which no step that is owed can have said anything."""
        run = self._view.run
        return min((pair.since for pair in (run.owed.values() if run else ())), default=now) - _SKEW

    def shown(self, heard: list[Live]) -> list[Live]:
        """What is to be shown of what was heard: of steps that are owed, as far as they are known."""
        entries = self._view.entries
        for entry in entries[self._read :]:
            self._known.add(text(entry.envelope.id))
            self._known.update(text(fact.id) for fact in entry.admitted)
        self._read = len(entries)
        owed, found = self.owed, []
        pieces, self._early = [*self._early, *heard], deque(maxlen=_EARLY)
        for piece in pieces:
            step = (piece.trigger, piece.reactor, piece.generation)
            if step in owed:
                shown = self._takes.shown(piece)
                found += [] if shown is None else [shown]
            elif piece.trigger in self._known:
                self._takes.forget(*step)
            else:
                self._early.append(piece)
        return found


async def look(run: "RunHandle", after: int) -> AsyncGenerator[Recorded | Live, None]:
    """See `RunHandle.live`."""
    client = run._client
    view = await run._whole()
    looking, types = Looking(view), client.scribe.types
    async with client.live.listening(view.run_id, looking.since(await client.store.now())) as listener:
        seen = 0
        while True:
            while seen < len(view.entries):
                entry = view.entries[seen]
                seen += 1
                for each in await run._recorded(entry, view):
                    if each.offset > after:
                        yield each
            if _closed(view):
                return
            heard = [piece for record in listener.ready() for piece in pieces_in(types, record)]
            for piece in looking.shown(heard):
                yield piece
            await _news(view, seen, listener)


def _closed(view: View) -> bool:
    return view.run is not None and view.run.state.name == "CLOSED"


async def _news(view: View, seen: int, listener: Listener) -> None:
    """Wait until something happens in the run, or something is said."""
    with view.waiting() as moved:
        # While pieces were shown the run may have gone on, and have been closed by what is no record of its own.
        if seen < len(view.entries) or _closed(view):
            return
        said = asyncio.ensure_future(listener.news())
        try:
            await asyncio.wait([moved, said], return_when=asyncio.FIRST_COMPLETED)
        finally:
            said.cancel()
            await asyncio.gather(said, return_exceptions=True)
    if not said.cancelled():
        said.result()
