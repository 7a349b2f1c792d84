"""The events of one open run, packed, so that a look at some of them costs what is found and not what is there."""

from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final

_OVERHEAD: Final = 250
"""Bytes that a run costs beyond its events, roughly."""
_PER_TYPE: Final = 150
_PER_LATE: Final = 200
_FEW: Final = 32
"""Up to so many events are searched from the first to the last, and need no places by type."""
_TYPE_BITS: Final = 20
_TYPE: Final = (1 << _TYPE_BITS) - 1


class RunEvents:
    """Offsets and types of a run's events, in the order of admission.

    Offsets need not ascend: an outcome of several records is admitted at the last of them, and others may have come
    between. So each event stands at the highest offset up to it, and those whose own is lower are known besides.
    """

    __slots__ = ("_late", "_late_places", "_packed", "_places")

    def __init__(self) -> None:
        self._packed = array("q")
        """For each event the highest offset up to it, and its type."""
        self._places: dict[int, array[int]] = {}
        """Of each type, once there are more than a few events."""
        self._late: dict[int, int] = {}
        """The own offsets of those that stand at a higher one, by place; and the other way round."""
        self._late_places: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._packed)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        """Offset and type of each."""
        for place, packed in enumerate(self._packed):
            yield self._late.get(place, packed >> _TYPE_BITS), packed & _TYPE

    def add(self, offset: int, type: int) -> None:
        """Take in one more event, of a type by its number."""
        place = len(self._packed)
        highest = self._packed[-1] >> _TYPE_BITS if place else offset
        if offset < highest:
            self._late[place], self._late_places[offset] = offset, place
            offset = highest
        self._packed.append(offset << _TYPE_BITS | type)
        if place > _FEW:
            self._note(place, type)
        elif place == _FEW:
            for at, packed in enumerate(self._packed):
                self._note(at, packed & _TYPE)

    def counts(self) -> Mapping[int, int]:
        """How many events of each type there are."""
        if self._places:
            return {type: len(places) for type, places in self._places.items()}
        return Counter(type for _, type in self)

    def upto(self, offsets: Iterable[int]) -> int:
        """How many events were admitted up to and with the last of those at these offsets; 0 if none is there."""
        return max((self._place(offset) for offset in offsets), default=-1) + 1

    def offsets(self, types: Collection[int], begin: int, end: int) -> list[int]:
        """Offsets of those of these types among the first ``end`` events, in the order of admission.

        Args:
            begin: how many of the first to pass over.
        """
        if self._places:
            found = [
                of_type[bisect_left(of_type, begin) if begin else 0 : bisect_left(of_type, end)]
                for t in types
                if (of_type := self._places.get(t))
            ]
            places: Iterable[int] = found[0] if len(found) == 1 else sorted(place for some in found for place in some)
        else:
            places = [place for place in range(begin, end) if self._packed[place] & _TYPE in types]
        packed, late = self._packed, self._late
        if late:
            return [late.get(place, packed[place] >> _TYPE_BITS) for place in places]
        return [packed[place] >> _TYPE_BITS for place in places]

    @property
    def bytes(self) -> int:
        """What it costs in memory, roughly."""
        by_type = 4 * len(self._packed) + _PER_TYPE * len(self._places) if self._places else 0
        return _OVERHEAD + 8 * len(self._packed) + by_type + _PER_LATE * len(self._late)

    def _place(self, offset: int) -> int:
        place = bisect_left(self._packed, offset << _TYPE_BITS)
        if place < len(self._packed) and self._packed[place] >> _TYPE_BITS == offset:
            return place
        return self._late_places.get(offset, -1)

    def _note(self, place: int, type: int) -> None:
        of_type = self._places.get(type)
        if of_type is None:
            of_type = self._places[type] = array("I")
        of_type.append(place)
