"""One partition as this worker serves it: its fold, how far it is restored, and whose contracts are in force."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence

from farandole.eventstore import EventStore, PositionLost, Record, Stored, StoreError
from farandole.projections.checkpoints import EVERY, Crossings, Every
from farandole.projections.fold import Applied, Contract, Fold, Pair, Verdict
from farandole.projections.fold.checkpoint import Manifest
from farandole.projections.grown import refuse_if_grown
from farandole.schemas import UnreadableHeaders
from farandole.schemas.envelope import Envelope, Flag, Kind, unpack

from .careful import Careful
from .errors import ServedElsewhere
from .history import HistoryIndex
from .reactor import Reactor
from .shown import shown
from .statecache import StateCache

log = logging.getLogger("farandole.worker")

_GENESIS, _RELEASED, _RETRY = int(Kind.GENESIS), int(Kind.RELEASED), int(Kind.RETRY)
_EDITED = int(Flag.EDITED)
_SIGNS_OF_LIFE = frozenset((Kind.OUTCOME, Kind.FAILURE, Kind.CLAIM, Kind.SUBSTEP, Kind.RELEASED))


class PartitionDropped(StoreError):
    """What was written is not read back here: the partition's state was dropped. Nobody's fault but the log's."""


class Serving:
    """A partition owned by this worker.

    Args:
        fold: an empty fold, or one that goes on.
        target: the end of the partition when it was assigned; below it the worker only restores.
        mine: this service's reactors, each with its contract.
        history: where events of open runs are noted, if a reactor wants to know.
        every: where checkpoints may be taken.
        since: the checkpoint that the fold was read from.
    """

    def __init__(
        self,
        fold: Fold,
        target: int,
        mine: Mapping[bytes, tuple[Reactor, Contract]],
        history: HistoryIndex | None,
        every: Every = EVERY,
        since: Manifest | None = None,
    ) -> None:
        self.fold = fold
        self.target = target
        self.history = history
        self.states = None if history is None else StateCache(most_bytes=history.most_bytes)
        """States of open runs, beside their history."""
        self.since = since
        self.crossings = Crossings(fold, every, b"" if since is None else since.last_append)
        self.crossed: Callable[[Serving], None] = lambda serving: None
        """Told when it comes to a position of which there may be a checkpoint."""
        self.active = True
        """Whether the partition is ours now."""
        self.dropped = False
        """Whether the state is not kept up any more; handlers that began before that may still be at work."""
        self.drop_at: float | None = None
        """Loop time at which the state is dropped, after the partition went to somebody else."""
        self.restored = False
        self.served: dict[bytes, Reactor] = {}
        """Reactors whose pairs we may work on: the contract in force is ours, or takes the same."""
        self.last = None if since is None else (since.position - 1, since.last_append)
        """Offset and append of the last record folded, to know the log again."""
        self.stopped: str | None = None
        """Why the partition is not served any more, if so."""
        self.astray = False
        """Whether its state turned out to be another than the log's."""
        self.founded = False
        """Whether a genesis that the partition lacked is on its way."""
        self.published: bytes | None = None
        """The append of our contracts, from when it is written until it is read back."""
        self.publishing: Sequence[Record] = ()
        """Its records."""
        self.began = 0.0
        """Loop time at which restoring began."""
        self.source = b""
        """What this service's records say of where they come from."""
        self.released = False
        """Whether the last that this service wrote here before it was restored is that it let go of the partition."""
        self.lived_in = since is not None
        """Whether this service may ever have written anything here."""
        self.careful: Careful | None = None
        """What is owed since before the partition came, and is begun with care."""
        self.gained_at = 0.0
        """Loop time since which it is served."""
        self.other_at = 0.0
        """Loop time at which another worker of this service was seen at work here, while we wait for it to let go."""
        self.alone: Careful | None = None
        """Steps at which workers were lost."""
        self.losing: dict[Pair, tuple[int, float]] = {}
        """Steps of which we said that a worker was lost at them: how often, and the loop time before which not again."""
        self.read_at = 0.0
        """Loop time at which something was read last."""
        self._awaited: dict[bytes, asyncio.Future[tuple[Stored, Verdict]]] = {}
        self._mine = mine
        self._settled: set[bytes] = set()
        """Reactors of ours whose contract was found or put in force here."""
        self._yielded: set[bytes] = set()
        """Reactors of ours whose contract was superseded, and stays so."""

    def apply(self, record: Stored) -> Applied:
        """Fold one record.

        Raises:
            UnknownFoldVersion: the log follows rules that this release does not know.
            StoreMisconfigured: the topic has grown since it was made.
        """
        out = self.fold.apply(record)
        e = out.envelope
        if e is None:
            self.last = (record.offset, b"")
            if record.offset + 1 >= self.crossings.next:
                self._cross()
            return out
        self.last = (record.offset, e.append)
        if self._awaited and (answer := self._awaited.pop(e.append, None)) is not None and not answer.done():
            answer.set_result((record, out.verdict))
        if (not self.restored or self.careful is not None) and e.kind in _SIGNS_OF_LIFE and e.source == self.source:
            self._sign_of_life(e)
        if out.contracts:
            self.reconsider()
        if e.kind == _GENESIS:
            refuse_if_grown(self.fold)
        if self.history is not None:
            if out.run is not None:
                self.history.note(out.run.id, out)
            for run in out.closed:
                self.history.forget(run.id)
                if self.states is not None:
                    self.states.forget(run.id)
        if record.offset + 1 >= self.crossings.next:
            self._cross()
        return out

    def _sign_of_life(self, e: Envelope) -> None:
        """Somebody of this service is at work here, or has let go."""
        self.lived_in = True
        if not self.restored:
            self.released = e.kind == _RELEASED
        else:
            self.other_at = 0.0 if e.kind == _RELEASED else asyncio.get_running_loop().time()

    def _cross(self) -> None:
        self.crossings.cross(self.fold, b"" if self.last is None else self.last[1])
        self.crossed(self)

    def await_verdict(self, append: bytes) -> "asyncio.Future[tuple[Stored, Verdict]]":
        """What the fold makes of a record of ours, once it is read back.

        The future fails with `PartitionDropped` if it is not read back here any more.
        """
        answer: asyncio.Future[tuple[Stored, Verdict]] = asyncio.get_running_loop().create_future()
        if self.dropped:
            _fail(answer)
        else:
            self._awaited[append] = answer
        return answer

    def drop(self) -> None:
        """The state goes: nobody waits for it any longer."""
        self.active, self.dropped = False, True
        for answer in self._awaited.values():
            if not answer.done():
                _fail(answer)
        self._awaited.clear()
        if self.history is not None:
            self.history.close()

    async def still_in(self, store: EventStore, end: int) -> bool:
        """Whether the log, whose end is ``end``, still holds the last record that was folded, as it was.

        Raises:
            StoreUnavailable: the log cannot be reached.
        """
        if self.last is None or self.fold.position > end:
            return False
        offset, append = self.last
        try:
            (record,) = await store.fetch(self.fold.partition, (offset,))
            return unpack(record.headers).append == append
        except PositionLost:
            return False
        except UnreadableHeaders:
            return append == b""

    def reconsider(self) -> None:
        """Work out again which reactors we may serve."""
        self.served = {}
        for name, (reactor, contract) in self._mine.items():
            in_force = self.fold.contracts.get(name)
            if in_force is not None and in_force.shape == contract.shape and in_force.state != "retired_drop":
                self.served[name] = reactor

    def declares(self, reactor: bytes) -> bool:
        """Whether a reactor is one of this process."""
        return reactor in self._mine

    def to_publish(self, take_over: bool) -> Sequence[Mapping[str, object]]:
        """The contracts of ours that the log lacks, each naming the one that it replaces.

        A contract that was in force before and was superseded does not come back by itself, and what is taken over is
        taken once: two services that both want a reactor do not take it from each other for ever.

        Raises:
            ServedElsewhere: another service serves a reactor of ours, and we have not served it here.
        """
        wanted = []
        for name, (_, contract) in self._mine.items():
            in_force = self.fold.contracts.get(name)
            if in_force is not None and in_force.id == contract.id:
                self._settled.add(name)
                continue
            if name in self._settled:
                log.log(
                    # Usual during a deployment, and harmless as long as both take the same.
                    logging.INFO if name in self.served else logging.WARNING,
                    "partition %d: %s is %s; it stays so (bring this process's contract back on purpose: "
                    "farandole work --take-over)",
                    self.fold.partition,
                    name.decode(),
                    "retired"
                    if in_force is None or not in_force.active
                    else f"served by a newer contract of service {shown(in_force.service)}",
                    extra={"partition": self.fold.partition, "reactor": name.decode()},
                )
                self._settled.discard(name)
                self._yielded.add(name)
                continue
            if name in self._yielded:
                continue
            if not take_over:
                if in_force is not None and in_force.active and in_force.service != contract.service:
                    raise served_elsewhere(name.decode(), in_force.service, contract.service)
                if self.fold.contracts.was_in_force(contract):
                    self._settled.add(name)
                    return self.to_publish(take_over)
            wanted.append({**contract.content, "replaces": in_force.id if in_force is not None else ""})
        return wanted


def _fail(answer: "asyncio.Future[tuple[Stored, Verdict]]") -> None:
    answer.set_exception(PartitionDropped("the partition's state was dropped before the log answered"))
    answer.exception()  # whoever asked may have gone


def served_elsewhere(reactor: str, service: str, ours: str) -> ServedElsewhere:
    return ServedElsewhere(
        f"reactor '{reactor}' is served by service '{shown(service)}', so service '{ours}' must not serve it too. "
        "Rename one of them, or move it here on purpose: farandole work --take-over"
    )
