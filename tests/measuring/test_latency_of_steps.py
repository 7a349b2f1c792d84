"""The latency of the chain benchmark is that of each step, and not the mean of a run's."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pytest
from benchmarks import watch
from benchmarks.watch import Watch

from farandole.schemas.envelope import Header

TYPES = [b"t.Begun", b"t.First", b"t.Done"]


class Shown(Watch):
    """Sees what it is given, at the times that it is given."""

    def __init__(self, *seen: tuple[float, Sequence[bytes]]) -> None:
        super().__init__(TYPES[-1])
        self.now = 0.0
        self._seen: Iterator[tuple[float, Sequence[bytes]]] = iter(seen)

    async def _read(self) -> Iterable[Iterable[Header]]:
        self.now, types = next(self._seen)
        return [[("ce_id", b"x"), ("ce_type", type)] for type in types]


async def steps(monkeypatch: pytest.MonkeyPatch, *seen: tuple[float, Sequence[bytes]]) -> Any:
    shown = Shown(*seen)
    monkeypatch.setattr(watch.time, "perf_counter", lambda: shown.now)
    return await shown.steps(TYPES, 30)


async def test_each_step_counts_from_its_trigger_to_its_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = [(1.0, [b"farandole.Contract"]), (2.0, TYPES[:1]), (2.5, []), (2.75, TYPES[1:2]), (6.75, TYPES[2:])]
    assert await steps(monkeypatch, *seen) == [0.75, 4.0]


async def test_a_run_with_an_event_too_many_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemExit, match="done twice"):
        await steps(monkeypatch, (1.0, TYPES[:2]), (2.0, TYPES[1:]))


async def test_a_run_that_does_not_end_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemExit, match="did not end"):
        await steps(monkeypatch, (1.0, TYPES[:2]), (31.0, []))
