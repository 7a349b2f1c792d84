"""The index of a run's history finds what a search of everything would, held in memory or in its file."""

import sys
from collections.abc import Callable, Iterable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farandole.reactors.history import HistoryIndex

Events = list[tuple[int, bytes]]


def search(events: Events, types: Iterable[bytes], upto: Sequence[int]) -> list[int]:
    """What the index promises, by looking at every event of the run."""
    end = max((place for place, (offset, _) in enumerate(events) if offset in upto), default=-1) + 1
    return [offset for offset, type in events[:end] if type in types]


RUNS = st.sampled_from([b"one", b"two", b"three"])
TYPES = st.sampled_from([b"a", b"b", b"c", b"d"])
ADD = st.tuples(st.just("add"), RUNS, TYPES, st.integers(1, 60), st.booleans())
"""A run, a type, how many events of it, and whether others of the run come in before them."""
FORGET = st.tuples(st.just("forget"), RUNS)
LOOK = st.tuples(
    st.just("look"), RUNS, st.sets(TYPES | st.just(b"of no event")), st.lists(st.integers(-5, 400), max_size=3)
)


@pytest.mark.parametrize("most_bytes", [1 << 20, 3000, 600, 0])
@settings(max_examples=150, deadline=None)
@given(moves=st.lists(ADD | ADD | LOOK | FORGET, max_size=30))
def test_a_look_finds_what_a_search_of_all_events_finds(most_bytes: int, moves: list[tuple]) -> None:
    index, truth = HistoryIndex(most_bytes=most_bytes), dict[bytes, Events]()
    at = 0
    for move in moves:
        match move:
            case ("add", run, type, many, late):
                offsets = list(range(at, at + many))
                for offset in [*offsets[many // 2 :], *offsets[: many // 2]] if late else offsets:
                    index.add(run, offset, type)
                    truth.setdefault(run, []).append((offset, type))
                at += many
            case ("forget", run):
                index.forget(run)
                truth.pop(run, None)
            case ("look", run, types, upto):
                expected = search(truth[run], types, upto) if run in truth else None
                assert index.offsets(run, types, upto) == expected
        assert index.bytes <= most_bytes
    for run, events in truth.items():
        for upto in ([offset] for offset, _ in events[::7]):
            found = search(events, {b"b", b"d"}, upto)
            assert index.offsets(run, {b"b", b"d"}, upto) == found
            end = index.count(run, upto)
            assert end == len(search(events, {type for _, type in events}, upto))
            for cut in (0, 1, end // 2, end):
                parts = index.between(run, {b"b", b"d"}, 0, cut), index.between(run, {b"b", b"d"}, cut, end)
                assert parts[0] + parts[1] == found
    for run in truth:
        index.forget(run)
    assert index.bytes == 0
    assert not index._types._numbers  # no type is remembered that no run has
    index.close()


@pytest.mark.parametrize("most_bytes", [64 << 20, 100_000])
def test_a_look_at_one_of_many_events_takes_no_more_steps_than_at_one_of_few(most_bytes: int) -> None:
    index = HistoryIndex(most_bytes=most_bytes)
    for run, length in ((b"short", 100), (b"long", 30_000)):
        index.add(run, 0, b"mark")
        for offset in range(1, length):
            index.add(run, offset, b"tick")
    assert index.offsets(b"long", [b"mark"], [29_999]) == [0]
    assert lines_of(lambda: index.offsets(b"long", [b"mark"], [29_999])) <= 2 * lines_of(
        lambda: index.offsets(b"short", [b"mark"], [99])
    )


def lines_of(call: Callable[[], object]) -> int:
    """How many lines of Python it takes."""
    lines = 0

    def traced(*_: object) -> object:
        nonlocal lines
        lines += 1
        return traced

    before = sys.gettrace()
    sys.settrace(traced)
    try:
        call()
    finally:
        sys.settrace(before)
    return lines


def test_the_runs_that_were_quiet_for_longest_go_to_the_file() -> None:
    index = HistoryIndex(most_bytes=2000)
    index.add(b"busy", 0, b"a")
    for n in range(1, 50):
        index.add(b"quiet-%d" % n, 2 * n, b"a")
        index.add(b"busy", 2 * n + 1, b"a")
    assert b"busy" in index._runs
    assert b"quiet-1" not in index._runs
    assert index.bytes <= 2000
    assert index.offsets(b"quiet-1", [b"a"], (2,)) == [2]
    assert len(index.offsets(b"busy", [b"a"], (99,)) or ()) == 50


def test_one_run_alone_stays_within_the_budget() -> None:
    index = HistoryIndex(most_bytes=20_000)
    for offset in range(30_000):
        index.add(b"run", offset, b"a" if offset % 1000 else b"b")
        assert index.bytes <= 20_000
    assert index.offsets(b"run", [b"b"], (29_999,)) == list(range(0, 30_000, 1000))
    assert index.offsets(b"run", [b"b"], (4_500,)) == [0, 1000, 2000, 3000, 4000]


def test_a_closed_index_knows_no_run() -> None:
    index = HistoryIndex(most_bytes=300)
    for n in range(5):
        index.add(b"run-%d" % n, n, b"a")
    index.close()
    assert index.offsets(b"run-0", [b"a"], (0,)) is None
    assert index.offsets(b"run-4", [b"a"], (4,)) is None
    assert index.bytes == 0


def test_what_was_admitted_after_the_trigger_is_left_out_whatever_its_offset() -> None:
    index = HistoryIndex()
    for offset in (1, 6, 5, 7):  # the outcome at 5 and 7 became whole when the event at 6 was there already
        index.add(b"run", offset, b"a")
    assert index.offsets(b"run", [b"a"], (6,)) == [1, 6]
    assert index.offsets(b"run", [b"a"], (6, 5)) == [1, 6, 5]
    assert index.offsets(b"run", [b"a"], (1,)) == [1]
