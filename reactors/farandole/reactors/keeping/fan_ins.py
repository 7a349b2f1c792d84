"""Fan-ins that have waited for as long as ``within=`` says make do with what is there."""

import asyncio
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from farandole.eventstore import AppendError, EventStore, Stored, StoreError
from farandole.projections.fold import Applied, Gathering, Run

from .due import Due
from .duty import RANK_WAIT, Duty, rank
from .logclock import LogClock
from .timers import LOOK

if TYPE_CHECKING:
    from farandole.reactors.partition import Serving
    from farandole.reactors.scribe import Scribe

log = logging.getLogger("farandole.keeper")

_AT_ONCE: Final = 100
_AGAIN: Final = 1000
"""Milliseconds after which one that still gathers is told again that its time has come."""
_Waiting = tuple["Serving", Run, Gathering]


class FanIns(Duty):
    """Tells them, by a record, that their time has come.

    Args:
        clock: an estimate of log time, kept up to date here.
        look: seconds after which the log's clock is looked at again.
    """

    def __init__(
        self, store: EventStore, scribe: "Scribe", service: str, clock: LogClock, *, look: float = LOOK
    ) -> None:
        self._store = store
        self._scribe = scribe
        self._service = service
        self._clock = clock
        self._look = look
        self._due: Due[_Waiting] = Due(clock.now)

    def note(self, serving: "Serving", record: Stored, out: Applied) -> None:
        self._clock.seen(record.time)
        for run, due in out.armed if serving.restored else ():
            if isinstance(due, Gathering):
                self._wait_for(serving, run, due)

    def restored(self, serving: "Serving") -> None:
        self.forget(serving.fold.partition)
        for run in serving.fold.runs.values():
            fanouts = run.pending.fanouts if run.pending is not None else None
            for fanout in (fanouts or {}).values():
                for gathering in fanout.gatherings or ():
                    if gathering.due:
                        self._wait_for(serving, run, gathering)

    def forget(self, partition: int) -> None:
        self._due.drop(lambda waiting: waiting[0].fold.partition == partition)

    async def run(self, partitions: "Mapping[int, Serving]") -> None:
        while True:
            try:
                async with asyncio.timeout(self._look):
                    due = await self._due.next(_AT_ONCE)
            except TimeoutError:
                continue
            found = [waiting for waiting in due if _gathers(partitions, *waiting)]
            if not found:
                continue
            try:
                self._clock.told(await self._store.now())
                for waiting in found:
                    await self._tell(*waiting)
            except (AppendError, StoreError) as e:
                log.warning("fan-ins are told later that their time has come: %s", e)
            for waiting in found:
                # It does not come up again if the fold has taken the record by then.
                self._due.add(max(waiting[2].due, self._clock.now() + _AGAIN), waiting)

    def _wait_for(self, serving: "Serving", run: Run, gathering: Gathering) -> None:
        late = int(rank(serving, self._service) * RANK_WAIT * 1000)
        self._due.add(gathering.due + late, (serving, run, gathering))

    async def _tell(self, serving: "Serving", run: Run, gathering: Gathering) -> None:
        if self._clock.now() < gathering.due:
            return
        missing = gathering.fanout.width - len(gathering.got)
        said = f"{missing} of {gathering.fanout.width} branches gave nothing in time (within=)"
        record = self._scribe.expiry_of_fan_in(run.id, gathering.fanout.id, gathering.reactor, said)
        await self._store.append(serving.fold.partition, [record])


def _gathers(partitions: "Mapping[int, Serving]", serving: "Serving", run: Run, gathering: Gathering) -> bool:
    """Whether it still waits, and the partition is ours."""
    fold = serving.fold
    return (
        partitions.get(fold.partition) is serving
        and serving.active
        and serving.restored
        and fold.runs.get(run.id) is run
        and bool(gathering.due)
        and gathering in (gathering.fanout.gatherings or ())
    )
