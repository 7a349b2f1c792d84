"""A run that a client looks at."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from farandole.eventstore import Stored
from farandole.projections.fold import RunStatus

from .alive import with_workers
from .commands import command_line
from .view import View

if TYPE_CHECKING:
    from .client import Client


class WatchedRun:
    """One run, kept up with from the first question about it on."""

    def __init__(self, client: "Client", run_id: str, start_id: bytes | None = None, view: View | None = None) -> None:
        self._client = client
        self._key = run_id.encode()
        self._start_id = start_id
        # Held so that the run stays watched for as long as somebody may ask about it.
        self._view = view
        self.id = run_id
        """The run's id."""

    async def status(self) -> RunStatus:
        """What state the run is in, and what it owes, as of now."""
        view = await self._watched()
        (status,) = await with_workers(self._client.store, [self._client.follower.status(view)])
        return status

    async def _watched(self) -> View:
        self._view = await self._client.follower.view(self._key)
        return self._view

    async def _whole(self) -> View:
        """With every record that the run ever had."""
        self._view = await self._client.follower.whole(self._key)
        return self._view

    async def _records(self, view: View, offsets: Sequence[int]) -> Sequence[Stored]:
        at_hand = [view.record_at(offset) for offset in offsets]
        found = [record for record in at_hand if record is not None]
        if len(found) < len(offsets):
            read = await self._client.store.fetch(view.partition, sorted(offsets))
            by_offset = {record.offset: record for record in read}
            found = [by_offset[offset] for offset in offsets]
        return found

    def _command_line(self, verb: str) -> str:
        return command_line(verb, self.id, self._client.scribe.choreography, self._client.store.url)
