"""States of open runs as they were folded last, so that a further step folds only what came since.

Outside the fold's state, and never in a checkpoint: what is lost here is folded again from the run's history.
"""

import gc
import sys
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from types import FunctionType, ModuleType
from typing import Final, TypeVar

from farandole.projections import State
from farandole.schemas import Event

S = TypeVar("S", bound=State)

_OVERHEAD: Final = 300
"""Bytes that a state costs here beyond itself, roughly."""
_SWELLS: Final = 2
"""How much larger an event is in memory than in the log, roughly."""
_LITTLE: Final = 16 << 10
"""Bytes by which a state may always grow before it is measured again."""
_NOT_ITS_OWN: Final = (type, ModuleType, FunctionType)
"""What objects refer to without holding it for themselves."""

Read = Callable[[int, int], Awaitable[tuple[Sequence[Event], int]]]
"""The events of a run that a state is made of: those after its first so many events, up to number so many. And the bytes
that they have in the log."""


class _Kept:
    __slots__ = ("bytes", "end", "measured", "state")

    def __init__(self, state: State, end: int) -> None:
        self.state = state
        self.end = end
        """How many events of the run it has seen, those that it does not take included."""
        self.bytes = 0
        """What it costs, roughly."""
        self.measured = 0
        """What it cost when it was measured last; 0: never."""


class StateCache:
    """The states of a partition's open runs.

    Args:
        most_bytes: how much to keep; the states that nobody asked for longest go first.
    """

    def __init__(self, *, most_bytes: int) -> None:
        self._most = most_bytes
        self._kept: OrderedDict[tuple[bytes, type[State]], _Kept] = OrderedDict()
        self._of: dict[bytes, set[type[State]]] = {}
        self.bytes = 0
        """What the kept states cost, roughly."""

    async def get(self, run_id: bytes, state: type[S], end: int, read: Read, still: Callable[[], bool]) -> S:
        """The state after the run's first ``end`` events, for the caller alone.

        Args:
            still: whether the run is the same as when it was asked.

        Raises:
            Exception: whatever ``read`` or a method of the state raises; nothing half done is kept then.
        """
        key = (run_id, state)
        while (kept := self._kept.get(key)) is not None and kept.end <= end:
            begin = kept.end
            events, size = await read(begin, end)
            if self._kept.get(key) is not kept or kept.end != begin:
                continue  # somebody else went on with it meanwhile
            try:
                kept.state.apply(events)
            except BaseException:
                self._drop(key)
                raise
            kept.end = end
            self._keep(key, kept, size)
            return _copy(kept.state, state)
        made = state()
        events, size = await read(0, end)
        made.apply(events)
        kept = self._kept.get(key)
        if not still() or (kept is not None and kept.end >= end):
            return made
        if kept is not None:
            self._drop(key)
        self._keep(key, _Kept(made, end), size)
        return _copy(made, state)

    def forget(self, run_id: bytes) -> None:
        """The run is closed."""
        for state in self._of.pop(run_id, ()):
            self.bytes -= self._kept.pop((run_id, state)).bytes

    def close(self) -> None:
        """Forget all runs."""
        self._kept.clear()
        self._of.clear()
        self.bytes = 0

    def _keep(self, key: tuple[bytes, type[State]], kept: _Kept, more: int) -> None:
        self._kept[key] = kept
        self._kept.move_to_end(key)
        self._of.setdefault(key[0], set()).add(key[1])
        size = kept.bytes + more * _SWELLS
        if not kept.measured or size > kept.measured + max(kept.measured, _LITTLE):
            # Measured when it may have doubled: what that costs is small beside the events themselves.
            size = kept.measured = _OVERHEAD + size_of_state(kept.state)
        self.bytes += size - kept.bytes
        kept.bytes = size
        while self.bytes > self._most:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: tuple[bytes, type[State]]) -> None:
        self.bytes -= self._kept.pop(key).bytes
        run_id, state = key
        of_run = self._of[run_id]
        of_run.discard(state)
        if not of_run:
            del self._of[run_id]


def size_of_state(state: State) -> int:
    """The bytes of all that a state holds, roughly."""
    size, seen, found = 0, set[int](), list[object]((state,))
    while found:
        each = found.pop()
        if id(each) in seen or isinstance(each, _NOT_ITS_OWN):
            continue
        seen.add(id(each))
        size += sys.getsizeof(each)
        found.extend(gc.get_referents(each))
    return size


def _copy(state: State, as_: type[S]) -> S:
    copied: S = state.model_copy(deep=True)  # type: ignore[assignment]  # it is kept by its class
    return copied
