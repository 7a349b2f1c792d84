"""Where the events of open runs are: offsets by run and type, outside the fold's state, rebuilt whenever a partition
is folded.

Kept in memory as packed numbers; beyond a budget those of the runs that were quiet for longest move to a temporary
file, where they are found as well.
"""

from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import count

from farandole.projections.fold import Applied
from farandole.schemas.envelope import Flag, Kind

from .quiet_runs import QuietRuns
from .run_events import RunEvents

_RETRY, _EDITED = int(Kind.RETRY), int(Flag.EDITED)


class HistoryIndex:
    """Offsets and types of the admitted events of a partition's open runs.

    Args:
        most_bytes: how much to hold in memory.
    """

    def __init__(self, *, most_bytes: int = 64 << 20) -> None:
        self.most_bytes = most_bytes
        self._runs: OrderedDict[bytes, RunEvents] = OrderedDict()
        """The events of each run, or those after the ones in the file."""
        self._types = _Numbers()
        self._file = QuietRuns()
        self._filed: dict[bytes, tuple[int, int]] = {}
        """Runs with events in the file: their number there, and how many."""
        self._numbers = count()
        self._edited: dict[bytes, dict[int, int]] = {}
        """By run, offsets of records that stand in the place of events, and those of the events."""
        self.bytes = 0
        """What the events held in memory cost, roughly."""

    def add(self, run_id: bytes, offset: int, type: bytes) -> None:
        """Note an event, in the order of admission.

        Offsets need not ascend: an outcome of several records is admitted at the last of them, and others may have come
        between.
        """
        events = self._runs.get(run_id)
        if events is None:
            events = self._runs[run_id] = RunEvents()
            before = 0
        else:
            self._runs.move_to_end(run_id)
            before = events.bytes
        events.add(offset, self._types.use(type))
        self.bytes += events.bytes - before
        if self.bytes > self.most_bytes:
            self._make_room()

    def note(self, run_id: bytes, out: Applied) -> None:
        """Note what a record brought into a run."""
        for fact in out.admitted:
            self.add(run_id, fact.offset, fact.type)
        e = out.envelope
        if e is not None and e.kind == _RETRY and e.flags & _EDITED and out.owed:
            # What follows for branches comes behind the step itself.
            (_, before), (_, after) = out.settled[0], out.owed[0]
            self.edited(run_id, before.inputs, after.inputs)

    def edited(self, run_id: bytes, before: Sequence[int], after: Sequence[int]) -> None:
        """A step takes other records instead of some events, and stands where it stood in the run's history.

        Args:
            before: offsets of what it took.
            after: offsets of what it takes now.
        """
        known = self._edited.setdefault(run_id, {})
        for old, new in zip(before, after, strict=True):
            if new != old:
                known[new] = known.get(old, old)

    def forget(self, run_id: bytes) -> None:
        """The run is closed."""
        self._edited.pop(run_id, None)
        events = self._runs.pop(run_id, None)
        if events is not None:
            self.bytes -= events.bytes
            self._types.let_go(events.counts())
        if run_id in self._filed:
            number, _ = self._filed.pop(run_id)
            self._types.let_go(self._file.forget(number))

    @property
    def runs(self) -> Collection[bytes]:
        """Runs that have events here."""
        return self._runs.keys() | self._filed.keys()

    def total(self, run_id: bytes) -> int:
        """How many events of the run are here."""
        events, (_, there) = self._runs.get(run_id), self._filed.get(run_id) or (0, 0)
        return there + (0 if events is None else len(events))

    def offsets(self, run_id: bytes, types: Iterable[bytes], upto: Iterable[int]) -> list[int] | None:
        """Offsets of the run's events of these types, in the order of admission.

        What it costs grows with what is found, and not with how many events the run has.

        Args:
            upto: offsets of events; what was admitted after the last of them is left out.

        Returns:
            None if the run is not known: it is closed, or the index is.
        """
        events, filed = self._runs.get(run_id), self._filed.get(run_id)
        if events is None and filed is None:
            return None
        end = self._upto(events, filed, self._places(run_id, upto))
        return self._between(events, filed, self._types.of(types), 0, end)

    def count(self, run_id: bytes, upto: Iterable[int]) -> int | None:
        """How many events of the run were admitted up to and with the last of those at these offsets.

        Returns:
            None if the run is not known: it is closed, or the index is.
        """
        events, filed = self._runs.get(run_id), self._filed.get(run_id)
        return None if events is None and filed is None else self._upto(events, filed, self._places(run_id, upto))

    def between(self, run_id: bytes, types: Iterable[bytes], begin: int, end: int) -> list[int] | None:
        """Offsets of the run's events of these types, without the first ``begin`` of all of its events, up to number
        ``end`` of them.

        Returns:
            None if the run is not known: it is closed, or the index is.
        """
        events, filed = self._runs.get(run_id), self._filed.get(run_id)
        return (
            None
            if events is None and filed is None
            else self._between(events, filed, self._types.of(types), begin, end)
        )

    def close(self) -> None:
        """Forget all runs."""
        self._runs.clear()
        self._filed.clear()
        self._edited.clear()
        self._types = _Numbers()
        self.bytes = 0
        self._file.close()

    def _places(self, run_id: bytes, offsets: Iterable[int]) -> Sequence[int]:
        edited = self._edited.get(run_id)
        return tuple(offsets) if edited is None else [edited.get(offset, offset) for offset in offsets]

    def _upto(self, events: RunEvents | None, filed: tuple[int, int] | None, offsets: Sequence[int]) -> int:
        found = 0 if events is None else events.upto(offsets)
        if filed is None:
            return found
        number, there = filed
        return there + found if found else self._file.upto(number, offsets)

    def _between(
        self, events: RunEvents | None, filed: tuple[int, int] | None, types: Sequence[int], begin: int, end: int
    ) -> list[int]:
        number, there = filed or (0, 0)
        earlier = self._file.offsets(number, types, begin, min(end, there)) if begin < there else []
        if events is None or end <= there:
            return earlier
        return earlier + events.offsets(types, max(begin - there, 0), end - there)

    def _make_room(self) -> None:
        quiet: list[tuple[int, int, RunEvents]] = []
        while self.bytes > self.most_bytes * 3 // 4 and self._runs:
            run_id, events = self._runs.popitem(last=False)
            self.bytes -= events.bytes
            number, there = self._filed.get(run_id) or (next(self._numbers), 0)
            self._filed[run_id] = number, there + len(events)
            quiet.append((number, there, events))
        self._file.put(quiet)


class _Numbers:
    """Numbers in the place of event types, each for as long as an event has it."""

    def __init__(self) -> None:
        self._numbers: dict[bytes, int] = {}
        self._names: list[bytes] = []
        self._uses: list[int] = []
        self._free: list[int] = []

    def use(self, type: bytes) -> int:
        number = self._numbers.get(type)
        if number is None:
            if self._free:
                number = self._free.pop()
            else:
                number = len(self._names)
                self._names.append(b"")
                self._uses.append(0)
            self._numbers[type], self._names[number] = number, type
        self._uses[number] += 1
        return number

    def let_go(self, uses: Mapping[int, int]) -> None:
        for number, times in uses.items():
            self._uses[number] -= times
            if not self._uses[number]:
                del self._numbers[self._names[number]]
                self._names[number] = b""
                self._free.append(number)

    def of(self, types: Iterable[bytes]) -> list[int]:
        """The numbers of these types, of which others have none."""
        return [number for type in types if (number := self._numbers.get(type)) is not None]
