"""Where the events of open runs are: offsets by run and type, outside the fold's state, rebuilt whenever a partition
is folded.

Kept in memory as packed numbers; beyond a budget those of the runs that were quiet for longest move to a temporary
file, where they are found as well.
"""

from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping
from itertools import count

from .quiet_runs import QuietRuns
from .run_events import RunEvents


class HistoryIndex:
    """Offsets and types of the admitted events of a partition's open runs.

    Args:
        most_bytes: how much to hold in memory.
    """

    def __init__(self, *, most_bytes: int = 64 << 20) -> None:
        self._most = most_bytes
        self._runs: OrderedDict[bytes, RunEvents] = OrderedDict()
        """The events of each run, or those after the ones in the file."""
        self._types = _Numbers()
        self._file = QuietRuns()
        self._filed: dict[bytes, tuple[int, int]] = {}
        """Runs with events in the file: their number there, and how many."""
        self._numbers = count()
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
        if self.bytes > self._most:
            self._make_room()

    def forget(self, run_id: bytes) -> None:
        """The run is closed."""
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

    def upto(self, run_id: bytes, offsets: Iterable[int]) -> int:
        """How many of the run's events that are here were admitted up to and with the last of those at these offsets."""
        events, filed, offsets = self._runs.get(run_id), self._filed.get(run_id), tuple(offsets)
        end = 0 if events is None else events.upto(offsets)
        if filed is None:
            return end
        number, there = filed
        return there + end if end else self._file.upto(number, offsets)

    def offsets(self, run_id: bytes, types: Iterable[bytes], upto: Iterable[int] | None) -> list[int] | None:
        """Offsets of the run's events of these types, in the order of admission.

        What it costs grows with what is found, and not with how many events the run has.

        Args:
            upto: offsets of events; what was admitted after the last of them is left out. None: nothing is.

        Returns:
            None if the run is not known: it is closed, or the index is.
        """
        events, filed = self._runs.get(run_id), self._filed.get(run_id)
        if events is None and filed is None:
            return None
        numbers, known = self._types.of(types), 0 if events is None else len(events)
        number, there = filed or (0, 0)
        end = known + there if upto is None else self.upto(run_id, upto)
        recent = events.offsets(numbers, end - there) if events is not None and end > there else []
        return self._file.offsets(number, numbers, min(end, there)) + recent if filed is not None else recent

    def close(self) -> None:
        """Forget all runs."""
        self._runs.clear()
        self._filed.clear()
        self._types = _Numbers()
        self.bytes = 0
        self._file.close()

    def _make_room(self) -> None:
        quiet: list[tuple[int, int, RunEvents]] = []
        while self.bytes > self._most * 3 // 4 and self._runs:
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
