"""The keeper: what every worker does for the partitions that it owns, with no leader.

With several services on one log the k-th by name waits k times two seconds, so that the others seldom have anything
left to do; what two of them do is refused, or copied once.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from farandole.eventstore import EventStore, Stored
from farandole.projections.checkpoints import EVERY, Checkpoints, Every
from farandole.projections.fold import Applied
from farandole.reactors.abroad import Abroad
from farandole.reactors.schedules import Schedule
from farandole.reactors.stats import WorkerStats

from .checkpointing import Checkpointing
from .duty import Duty
from .expiring import Expiring
from .fan_ins import FanIns
from .logclock import LogClock
from .messages import Messages
from .rejects import Rejects
from .rounds import ROUND, Rounds
from .ticks import ROUNDS_A_LOOK, Ticks
from .timers import LOOK, Timers

if TYPE_CHECKING:
    from farandole.reactors.dispatch import Dispatcher
    from farandole.reactors.outbox import Outbox
    from farandole.reactors.partition import Serving
    from farandole.reactors.scribe import Scribe
    from farandole.reactors.values import Values


class Keeper:
    """Keeps the partitions of one worker.

    Args:
        clock: an estimate of log time, which is kept up to date.
        abroad: other choreographies, to tell them something.
        schedules: those of this service.
        rounds: seconds between two rounds of the duties that look around.
        checkpoints: those of the log.
        every: how often more are written.

    Attributes:
        checkpointing: writes them.
    """

    def __init__(
        self,
        store: EventStore,
        scribe: "Scribe",
        service: str,
        stats: WorkerStats,
        values: "Values",
        outbox: "Outbox",
        dispatcher: "Dispatcher",
        clock: LogClock,
        abroad: Abroad,
        *,
        schedules: Sequence[Schedule] = (),
        rounds: float = ROUND,
        checkpoints: Checkpoints | None = None,
        every: Every = EVERY,
    ) -> None:
        self._rejects = Rejects(store, service, stats)
        expiring = Expiring(store, scribe, service)
        self.checkpointing = Checkpointing(
            store, checkpoints or Checkpoints(store), self._rejects, service, stats, every
        )
        look = max(LOOK, rounds)
        self._duties: Sequence[Duty] = (
            Rounds((self._rejects, expiring), rounds),
            Timers(store, scribe, service, values, outbox, clock, dispatcher.at_work, stats.late, look=look),
            FanIns(store, scribe, service, clock, look=look),
            Messages(store, scribe, service, abroad),
            Ticks(store, scribe, service, schedules, ROUNDS_A_LOOK * rounds),
            self.checkpointing,
        )

    def unreadable(self, record: Stored) -> None:
        """Note a record whose headers cannot be read."""
        self._rejects.unreadable(record)

    def note(self, serving: "Serving", record: Stored, out: Applied) -> None:
        """A record was folded that armed something, owes a message, or may be one."""
        for duty in self._duties:
            duty.note(serving, record, out)

    def restored(self, serving: "Serving") -> None:
        """A partition is served from now on."""
        for duty in self._duties:
            duty.restored(serving)

    def forget(self, partition: int) -> None:
        """A partition's state was dropped."""
        for duty in self._duties:
            duty.forget(partition)

    async def run(self, partitions: "Mapping[int, Serving]") -> None:
        """Keep the partitions until cancelled."""
        await asyncio.gather(*(duty.run(partitions) for duty in self._duties))
