"""From the records of one log to the events that a projection takes: those that the fold admits, in that order."""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Final, NamedTuple

from farandole.eventstore import PositionLost, Stored
from farandole.projections.fold import Applied, Fact, Fold, Verdict
from farandole.projections.reading import read_event
from farandole.projections.recorded import Recorded, recorded
from farandole.schemas import UndecodableValue

from .errors import BeginningMissing
from .logs import Log

_MOST_HELD: Final = 10_000


class Item(NamedTuple):
    """An event that a projection takes."""

    partition: int
    offset: int
    run_id: str
    type: str
    """Its name on the wire."""
    recorded: Recorded | None
    """None: it cannot be read here."""
    why: UndecodableValue | None = None
    """Why it cannot."""

    @property
    def name(self) -> str:
        """Its name without the choreography's."""
        return self.type.partition(".")[2]


class Feed:
    """Folds the partitions of a log.

    Args:
        folds: the state so far of each partition; folded on.
    """

    def __init__(self, log: Log, folds: Mapping[int, Fold]) -> None:
        self.log = log
        self.folds = dict(folds)
        self.positions = {p: fold.position for p, fold in folds.items()}
        """Up to where each partition was read; the last offsets may hold no record."""
        self._wanted = frozenset(log.types.wire_name(event).encode() for event in log.types)
        self._held: OrderedDict[tuple[int, int], Stored] = OrderedDict()
        """Records of outcomes that are not whole yet."""

    def apply(self, record: Stored) -> tuple[Applied, list[Fact]] | None:
        """Fold the next record of its partition, and say what of interest was admitted with it.

        Raises:
            UnknownFoldVersion: the log follows rules that are not known here.
        """
        out = self.folds[record.partition].apply(record)
        if out.admitted:
            facts = [fact for fact in out.admitted if fact.type in self._wanted]
            if facts:
                return out, facts
        elif out.verdict is Verdict.HELD:
            self._held[record.partition, record.offset] = record
            if len(self._held) > _MOST_HELD:
                self._held.popitem(last=False)
        return None

    async def items(self, record: Stored, out: Applied, facts: list[Fact]) -> list[Item]:
        """The events that were admitted with a record.

        Raises:
            StoreError: a value, or its schema, cannot be had now.
        """
        found: list[Item] = []
        partition, run_id = record.partition, (record.key or b"").decode(errors="replace")
        for fact, held in zip(facts, await self._records(record, facts), strict=True):
            name = fact.type.decode()
            if out.envelope is None:
                continue
            try:
                event = await read_event(self.log.types, self.log.store, held)
            except UndecodableValue as e:
                found.append(Item(partition, held.offset, run_id, name, None, e))
            else:
                each = recorded(event, fact, held, out.envelope, run_id)
                found.append(Item(partition, held.offset, run_id, name, each))
        return found

    async def _records(self, record: Stored, facts: list[Fact]) -> list[Stored]:
        """The records of some events, which came with this record or shortly before it."""
        here = {record.offset: record}
        for fact in facts:
            if (held := self._held.get((record.partition, fact.offset))) is not None:
                here[fact.offset] = held
        if missing := sorted({fact.offset for fact in facts} - here.keys()):
            try:
                here |= {each.offset: each for each in await self.log.store.fetch(record.partition, missing)}
            except PositionLost as e:
                raise BeginningMissing(f"the log of '{self.log.name}' has an outcome no longer: {e}") from e
        for offset in here:
            self._held.pop((record.partition, offset), None)
        return [here[fact.offset] for fact in facts]
